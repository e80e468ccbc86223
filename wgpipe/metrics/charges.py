"""A Coulomb GAN's critic against the potential that it learns."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np
import pyarrow.parquet as pq
from pydantic import Field, PositiveInt
from scipy.spatial.distance import cdist

from wgpipe.methods.coulomb import Coulomb
from wgpipe.metrics import Metric
from wgpipe.metrics.field import SEPARATOR
from wgpipe.registry import register
from wgpipe.theory.coulomb import self_term
from wgpipe.train import files

if TYPE_CHECKING:
    from wgpipe.train.evaluate import TrainedBlock


@register("charges", cites=("unterthiner2018",))
class Charges(Metric):
    """Critic D and exact potential of a Coulomb GAN, at `pairs` held-out real and as many generated points.

    The potential is that of these points, those of the own kind without the point itself.

    - `field_error`, mean (D - pot)² at the end of training, mean of both kinds of points; `field_power`, mean pot²;
      `field_ratio`, the first over the second: 1 for a critic that is 0, and above it for one that is worse;
    - `regression:t`, the critic's loss, mean (D - pot)² on batches, self terms included, summed over both kinds: the
      mean over the hundred steps before step t, at `snapshots` steps;
    - `self_term`: how much higher the potential of one batch is at generated points, and lower at real ones, than with
      the points themselves left out of its sums, over k(0) / B, which is 1/B at ε = 1;
    - `charge_critic:i` and `charge_potential:i`, both at the first `shown` points of either kind.

    Other methods have nothing.
    """

    needs_critic: ClassVar[bool] = True

    pairs: PositiveInt = Field(2048, description="real and as many generated points")
    snapshots: PositiveInt = Field(10, description="steps of the training at which the loss is told")
    shown: PositiveInt = Field(100, description="points of either kind to be drawn")

    def measure(self, block: TrainedBlock) -> dict[str, tuple[np.ndarray, str]]:  # type: ignore[override]
        """Quantity -> ((E,) float64, protocol)."""
        method = block.method
        if not isinstance(method, Coulomb):
            return {}
        columns = {**self._field(block, method), **self._training(block), "self_term": self_terms(block, method)}
        protocol = f"charges[pairs={self.pairs}]"
        return {name: (column, protocol) for name, column in columns.items()}

    def _field(self, block: TrainedBlock, method: Coulomb) -> dict[str, np.ndarray]:
        import torch

        critic = block.critic()
        assert critic is not None
        real, fake = (torch.from_numpy(points) for points in (block.real(self.pairs), block.generated(self.pairs)))
        alone = method.model_copy(update={"self_terms": False})
        with torch.no_grad():
            exact, learned = alone.potential(real, fake), critic.double().both(real, fake)
        potential, values = (torch.cat(both, dim=1).numpy() for both in (exact, learned))
        error, power = np.square(values - potential).mean(axis=1), np.square(potential).mean(axis=1)
        shown = [kind * self.pairs + place for place in range(self.shown) for kind in (0, 1)]
        drawn = {"charge_critic": values, "charge_potential": potential}
        return {
            "field_error": error,
            "field_power": power,
            "field_ratio": error / power,
            **{
                f"{name}{SEPARATOR}{place}": both[:, column]
                for name, both in drawn.items()
                for place, column in enumerate(shown)
            },
        }

    def _training(self, block: TrainedBlock) -> dict[str, np.ndarray]:
        history = pq.read_table(block.folder / files.HISTORY).to_pandas()
        losses = history.pivot(index="step", columns="seed", values="critic_loss")[list(block.job.seeds)]
        chosen = np.unique(np.linspace(0, len(losses) - 1, self.snapshots).round().astype(int))
        return {
            f"regression{SEPARATOR}{step}": losses.loc[step].to_numpy(dtype=np.float64) for step in losses.index[chosen]
        }


def self_terms(block: TrainedBlock, method: Coulomb) -> np.ndarray:
    """(E,) shift of the potential by the self terms of one batch, in units of k(0) / B, mean over all its points."""
    import torch

    batch = block.job.recipe.training.batch
    real, fake = block.real(batch), block.generated(batch)
    whole = method.model_copy(update={"self_terms": True}).potential(torch.from_numpy(real), torch.from_numpy(fake))
    shifts = []
    for member, (x, y) in enumerate(zip(real, fake, strict=True)):
        at_real = _others(method, x, y) - _others(method, x, x)
        at_fake = _others(method, y, y) - _others(method, y, x)
        shifts.append(((whole[1][member].numpy() - at_fake).mean() - (whole[0][member].numpy() - at_real).mean()) / 2)
    return np.asarray(shifts) / self_term(method.dimension, method.epsilon, batch)


def _others(method: Coulomb, at: np.ndarray, charges: np.ndarray) -> np.ndarray:
    """(B, d), (B, d) -> (B,) sum of the kernel over all charges but the point itself, over B."""
    kernel = method.kernel(cdist(at, charges, "sqeuclidean"))
    if at is charges:
        np.fill_diagonal(kernel, 0.0)
    return np.asarray(kernel.mean(axis=1))

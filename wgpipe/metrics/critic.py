"""What the critic says about the training sample, once it is trained to its end against the frozen generator."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np
import torch
from pydantic import NonNegativeInt, PositiveInt
from scipy.spatial.distance import cdist, pdist

from wgpipe.metrics import Metric
from wgpipe.metrics.transport import exact_cost
from wgpipe.registry import register
from wgpipe.theory import vanilla
from wgpipe.train.critic import Critic

if TYPE_CHECKING:
    from wgpipe.train.evaluate import TrainedBlock

BATCH = 256


@register("critic", cites=("kunkel2024",))
class CriticValue(Metric):
    """V, the Lipschitz constant and W1, all three between the training sample P_n and one generated sample Q.

    The bounds between V and W1 speak of the best critic for P_n and Q, so the trained critic is first continued for
    `steps` updates on these two samples with its own loss and constraint. `lipschitz` is the largest slope seen:
    gradients at both samples and half-way between them, and difference quotients of all pairs x in P_n, y in Q.
    `v` is there for the vanilla loss only, whose critic is a logit.
    """

    needs_critic: ClassVar[bool] = True

    generated: PositiveInt = 1024
    steps: NonNegativeInt = 200

    def measure(self, block: TrainedBlock) -> dict[str, tuple[np.ndarray, str]]:  # type: ignore[override]
        """Quantity -> ((E,) float64, protocol), for v, lipschitz, sample_w1 and half_diameter (of P_n and Q)."""
        real = torch.from_numpy(block.training_sample().astype(np.float32))
        fake = torch.from_numpy(block.generated(self.generated).astype(np.float32))
        critic = self._continued(block, real, fake)
        columns: dict[str, list[float]] = {"lipschitz": [], "sample_w1": [], "half_diameter": []}
        with torch.no_grad():
            values = [critic(points).double().numpy() for points in (real, fake)]
            between = fake[:, : real.shape[1]].lerp(real[:, : fake.shape[1]], 0.5)
            slopes = torch.cat([critic.slope(points) for points in (real, fake, between)], dim=1).amax(dim=1)
        for member, (x, y) in enumerate(zip(real.double().numpy(), fake.double().numpy(), strict=True)):
            distances = cdist(x, y)
            rises = np.abs(values[0][member][:, None] - values[1][member][None])
            quotient = np.divide(rises, distances, out=np.zeros_like(rises), where=distances > 0).max()
            columns["lipschitz"].append(max(float(slopes[member]), float(quotient)))
            columns["sample_w1"].append(exact_cost(x, y, 1) if np.isfinite(y).all() else np.nan)
            columns["half_diameter"].append(pdist(np.concatenate([x, y])).max() / 2)
        results = {name: np.asarray(column) for name, column in columns.items()}
        if block.job.recipe.method.name == "vanilla":
            results["v"] = vanilla.value(*values)
        protocol = f"critic[n={real.shape[1]},generated={fake.shape[1]},steps={self.steps}]"
        return {name: (column, protocol) for name, column in results.items()}

    def _continued(self, block: TrainedBlock, real: torch.Tensor, fake: torch.Tensor) -> Critic:
        population = block.population()
        streams = block.streams("eval-critic")
        rows = np.arange(len(streams))[:, None]
        for _ in range(self.steps):
            chosen_real = np.stack([stream.integers(real.shape[1], size=BATCH) for stream in streams])
            chosen_fake = np.stack([stream.integers(fake.shape[1], size=BATCH) for stream in streams])
            mix = torch.from_numpy(np.stack([stream.random((BATCH, 1), dtype=np.float32) for stream in streams]))
            population.update_critic(real[rows, chosen_real], fake[rows, chosen_fake], mix)
        assert population.critic is not None
        return Critic(population.critic.net, population.critic.params)

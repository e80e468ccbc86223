"""How well a critic knows the Kantorovich potential of a pair of laws whose optimal transport is known."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from pydantic import PositiveInt

from wgpipe.data.pairs import PairDataset
from wgpipe.methods import Adversarial
from wgpipe.metrics import Metric
from wgpipe.registry import register

if TYPE_CHECKING:
    from wgpipe.train.evaluate import TrainedBlock

FUNNELS = {"centres", "offsets"}  # a_k and b_k of a pair made of funnels


@register("potential", cites=("korotin2022",))
class Potential(Metric):
    """Gradient and value of a critic f against those of the potential f*, where the cost is |x - y|.

    f* maximises E f(target) - E f(source) over 1-Lipschitz functions. At the `pairs` target points y, its gradient is
    the unit vector e from the source point that belongs to y:

    - `gradient_cos`: E cos(grad f(y), e), `gradient_l2`: E |grad f(y) - e|², in float64;
    - `gradient_cos_published`, `gradient_l2_published`: the same against the gradient g of the true potential as the
      benchmark of Korotin et al. 2022 computes it, in float32 by way of `torch.cdist`. Near the centre of a funnel
      that distance is rounding error and g often 0, so that even e scores less than 1: `gradient_cos_ceiling`. For
      pairs made of funnels only;
    - `w1_estimate`: mean of f at `pairs` target points minus its mean at as many independent source points, `w1_true`
      and `w1_error`, their difference over the truth.

    Blocks without such a critic (a map, a control) have `w1_true` alone; pairs of another cost have nothing.
    """

    pairs: PositiveInt = 4096

    def measure(self, block: TrainedBlock) -> dict[str, tuple[np.ndarray, str]]:  # type: ignore[override]
        """Quantity -> ((E,) float64, protocol)."""
        pair = block.job.dataset
        if not isinstance(pair, PairDataset) or pair.cost != 1:
            return {}
        columns = {"w1_true": np.full(len(block.job.seeds), pair.distance(block.job.arrays))}
        critic = block.critic() if _learns_a_potential(block, pair) else None
        if critic is not None:
            from wgpipe.metrics import gradients  # imports torch, which controls do without

            draws = block.streams("eval-pairs")
            couplings = [pair.coupled(block.job.arrays, draw, self.pairs) for draw in draws]
            columns |= gradients.scores(critic, couplings)
            if set(block.job.arrays) >= FUNNELS:
                columns |= gradients.published_scores(critic, couplings, block.job.arrays)
            columns["w1_estimate"] = gradients.gap(critic, block.real(self.pairs), block.source(self.pairs))
            columns["w1_error"] = columns["w1_estimate"] / columns["w1_true"] - 1
        protocol = f"potential[pairs={self.pairs}]"
        return {name: (np.asarray(column, dtype=np.float64), protocol) for name, column in columns.items()}


def _learns_a_potential(block: TrainedBlock, pair: PairDataset) -> bool:
    """Whether the critic is one function of a point, and not the means to a map."""
    method, dimension = block.method, pair.card().dimension
    if not isinstance(method, Adversarial) or method.parts(dimension) != {"": (dimension, 1)}:
        return False
    return type(method).transport is Adversarial.transport

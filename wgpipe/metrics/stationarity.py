"""The first-order condition of an optimal potential: which moments of the two laws agree."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field, PositiveInt

from wgpipe.data.pairs import PairDataset
from wgpipe.methods import TransportMap
from wgpipe.metrics import Metric
from wgpipe.registry import register

if TYPE_CHECKING:
    from wgpipe.train.evaluate import TrainedBlock


@register("stationarity", cites=("taghvaei2019",))
class Stationarity(Metric):
    """How far E g(X) and E g(T(Y)) differ at the training sample, T the learned map to the law of X.

    Where f is the best of its class, T = ∇f*, they agree for every g of the class's tangent space (Taghvaei & Jalali
    2019). Residuals are |r| / |s| over all g, r the difference and s² the sum of the variances of g(X) and g(T(Y)),
    so that two samples of n points of one law have about n^(-1/2):

    - `tangent_residual`: g = ∂f/∂θ at the learned parameters, without those that sit on a bound, such as W = 0, where
      one sign of r is optimal; for methods that learn such an f;
    - `moment_residual`: g = x_i and x_i x_j, the tangent space of the quadratic class; for every method with a map.

    At the first `sample` points of each sample, whose size it should not be below, for the condition holds at the whole
    sample; s of the tangents comes from `groups` groups of them.
    """

    sample: PositiveInt = 65536
    groups: int = Field(16, ge=2)
    inner_steps: PositiveInt = 200

    def measure(self, block: TrainedBlock) -> dict[str, tuple[np.ndarray, str]]:  # type: ignore[override]
        """Quantity -> ((E,) float64, protocol)."""
        pair = block.job.dataset
        if not isinstance(pair, PairDataset) or pair.cost != 2:
            return {}
        source, target = (sample[:, : self.sample] for sample in (block.job.source_sample(), block.training_sample()))
        moved = block.transported(source)
        if moved is None:
            return {}
        columns = {"moment_residual": moment_residual(moved, target)}
        if not isinstance(block.method, TransportMap):
            from wgpipe.metrics.potentials import potential_of  # imports torch, which fitted maps do without

            potential = potential_of(block, self.inner_steps)
            if potential is not None:
                columns["tangent_residual"] = potential.tangent_residual(source, target, self.groups)
        protocol = f"stationarity[sample={source.shape[1]},groups={self.groups},inner_steps={self.inner_steps}]"
        return {name: (column, protocol) for name, column in columns.items()}


def moment_residual(moved: np.ndarray, target: np.ndarray) -> np.ndarray:
    """(E, n, d), (E, n, d) -> (E,): |r| / |s| over the coordinates and their products."""
    of_moved, of_target = _monomials(moved), _monomials(target)
    residual = np.square(of_moved.mean(axis=1) - of_target.mean(axis=1)).sum(axis=1)
    return np.asarray(np.sqrt(residual / (of_moved.var(axis=1) + of_target.var(axis=1)).sum(axis=1)))


def _monomials(x: np.ndarray) -> np.ndarray:
    """(E, n, d) -> (E, n, d + d(d+1)/2): x_i, and x_i x_j for i <= j."""
    first, second = np.triu_indices(x.shape[2])
    return np.concatenate([x, x[..., first] * x[..., second]], axis=2)

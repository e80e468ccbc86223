"""How far a learned map is from the optimal one of a pair of laws whose optimal transport is known."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from pydantic import PositiveInt

from wgpipe.data.pairs import PairDataset
from wgpipe.metrics import Metric
from wgpipe.registry import register

if TYPE_CHECKING:
    from wgpipe.train.evaluate import TrainedBlock

ON_THE_LINE = "half_squared_w2"  # the array that a pair of laws on the line has, where its own cost is |x - y|


@register("uvp", cites=("korotin2021",))
class Uvp(Metric):
    """Unexplained variance of a map T from source X to target Y, where T*(X) = Y is optimal for the cost |x - y|²/2.

    - `uvp`: L2-UVP = 100·E|T(X) - T*(X)|² / Var Y, in percent (Korotin et al. 2021, sec. 4.2); a constant map scores
      100, and Var is the trace of the covariance;
    - `uvp_inverse`: 100·E|T⁻¹(Y) - X|² / Var X, for methods that learn an inverse;
    - `w2_estimate`: E|X - T(X)|²/2, `w2_true`, the optimal cost, and `w2_error`, their difference over the truth.

    Blocks without a map have `w2_true` alone. Pairs of cost |x - y| have scores of maps on the line, where the same map
    is optimal for both costs, and else nothing.
    """

    pairs: PositiveInt = 16384

    def measure(self, block: TrainedBlock) -> dict[str, tuple[np.ndarray, str]]:  # type: ignore[override]
        """Quantity -> ((E,) float64, protocol)."""
        pair = block.job.dataset
        if not isinstance(pair, PairDataset) or (pair.cost != 2 and ON_THE_LINE not in block.job.arrays):
            return {}
        couplings = [pair.coupled(block.job.arrays, draw, self.pairs) for draw in block.streams("eval-pairs")]
        source, target = (np.stack([getattr(each, side) for each in couplings]) for side in ("source", "target"))
        moved, back = block.transported(source), block.inverse(target)
        if moved is None and pair.cost != 2:
            return {}
        optimal = pair.distance(block.job.arrays) if pair.cost == 2 else float(block.job.arrays[ON_THE_LINE])
        columns = {"w2_true": np.full(len(couplings), optimal)}
        if moved is not None:
            columns["uvp"] = _unexplained(moved, target)
            columns["w2_estimate"] = _mean_square(moved - source) / 2
            columns["w2_error"] = columns["w2_estimate"] / optimal - 1
        if back is not None:
            columns["uvp_inverse"] = _unexplained(back, source)
        protocol = f"uvp[pairs={self.pairs}]"
        return {name: (column, protocol) for name, column in columns.items()}


def _unexplained(found: np.ndarray, true: np.ndarray) -> np.ndarray:
    """(E, m, d), (E, m, d) -> (E,) percent of the variance of the true points."""
    variance = _mean_square(true - true.mean(axis=1, keepdims=True))
    return np.asarray(100 * _mean_square(found - true) / variance)


def _mean_square(vectors: np.ndarray) -> np.ndarray:
    """(E, m, d) -> (E,)."""
    return np.asarray(np.square(vectors).sum(axis=-1).mean(axis=1))

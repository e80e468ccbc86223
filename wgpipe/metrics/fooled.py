"""Two samples with the same mean and covariance, and what critics of each kind still see of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field, PositiveInt

from wgpipe.metrics import Metric
from wgpipe.metrics.moments import moment_tensors
from wgpipe.metrics.transport import exact_cost
from wgpipe.registry import register
from wgpipe.theory.gaussian import bures_map

if TYPE_CHECKING:
    from wgpipe.train.evaluate import TrainedBlock

DEGREES = 4


@register("fooled", cites=("li2020", "flamary2021"))
class Fooled(Metric):
    """Critics of two samples, after an affine map has given the generated one the mean and covariance of the real one.

    The critics of degree k are polynomials with coefficients in the unit ball, whose supremum is the dual norm of the
    differences of moments, sqrt(Σ_{j <= k} |E X^{⊗j} - E Y^{⊗j}|²): |ΔE X| at k = 1, and 0 up to rounding for k <= 2.

    - `fooled_degree1` … `fooled_degree4`: these suprema;
    - `fooled_w1`: W1 of the same two samples.

    For controls alone, the laws that no training decides: `gaussian` is another law with the mean and covariance of the
    data, and `oracle`, whose law is that of the data, gives the null.
    """

    sample: PositiveInt = Field(512, description="points of each of both samples")

    def measure(self, block: TrainedBlock) -> dict[str, tuple[np.ndarray, str]]:  # type: ignore[override]
        """Quantity -> ((E,) float64, protocol)."""
        if not block.job.recipe.is_control:
            return {}
        real, generated = block.real(self.sample), block.generated(self.sample)
        rows = np.array([_compare(x, with_moments_of(x, y)) for x, y in zip(real, generated, strict=True)])
        names = [*(f"fooled_degree{k + 1}" for k in range(DEGREES)), "fooled_w1"]
        protocol = f"fooled[real={real.shape[1]},generated={real.shape[1]}]"
        return {name: (rows[:, place], protocol) for place, name in enumerate(names)}


def with_moments_of(real: np.ndarray, generated: np.ndarray) -> np.ndarray:
    """(m, d), (l, d) -> (l, d): the generated points under the affine map that is least costly among those which give
    them the real mean and covariance; a direction without variance keeps none.
    """
    mean, own = real.mean(axis=0), generated.mean(axis=0)
    move = bures_map(
        np.cov(generated.T, bias=True).reshape(len(own), -1), np.cov(real.T, bias=True).reshape(len(own), -1)
    )
    return np.asarray(mean + (generated - own) @ move.T)


def polynomial_suprema(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """(m, d), (l, d) -> (4,): sup of E f(X) - E f(Y) over polynomials of degree 1 … 4 with coefficients of norm 1."""
    pairs = zip(moment_tensors(x, DEGREES), moment_tensors(y, DEGREES), strict=True)
    return np.asarray(np.sqrt(np.cumsum([np.sum((a - b) ** 2) for a, b in pairs])))


def _compare(x: np.ndarray, y: np.ndarray) -> list[float]:
    return [*polynomial_suprema(x, y).tolist(), exact_cost(x, y, power=1)]

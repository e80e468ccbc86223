"""How far the moments of what was generated are from those of the data, degree by degree."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from pydantic import Field, PositiveInt

from wgpipe.metrics import Evaluation, Metric
from wgpipe.registry import register


@register("moments", cites=("li2020",))
class Moments(Metric):
    """Relative error of the moments of degree k: |E Y^{⊗k} - E X^{⊗k}| / |E X^{⊗k}|, X held-out real, Y generated.

    Norms are Frobenius norms, over all d^k entries. Infinite where the real moment is 0, as odd ones of symmetric laws
    are. Two real samples differ too: read it beside its null.
    """

    real: PositiveInt = 4096
    generated: PositiveInt = 4096
    degree: int = Field(4, ge=1, le=4, description="highest k")

    def measure(self, block: Evaluation) -> dict[str, tuple[np.ndarray, str]]:
        """`moment1`, `moment2`, … -> ((E,) float64, protocol)."""
        real, generated = block.real(self.real), block.generated(self.generated)
        errors = np.array([self.errors(x, y) for x, y in zip(real, generated, strict=True)])
        protocol = f"moments[real={real.shape[1]},generated={generated.shape[1]}]"
        return {f"moment{k + 1}": (errors[:, k], protocol) for k in range(self.degree)}

    def errors(self, real: np.ndarray, generated: np.ndarray) -> list[float]:
        """(m, d), (l, d) -> the relative error of each degree."""
        if not np.isfinite(generated).all():
            return [np.nan] * self.degree
        pairs = zip(moment_tensors(real, self.degree), moment_tensors(generated, self.degree), strict=True)
        norms = [(np.linalg.norm(y - x), np.linalg.norm(x)) for x, y in pairs]
        return [float(gap / size) if size > 0 else np.inf for gap, size in norms]


def moment_tensors(points: np.ndarray, degree: int) -> Iterator[np.ndarray]:
    """(m, d) -> E x, E x x', E x x x, … up to a degree of at most 4, as matrices: (1, d), (d, d), (d², d), (d², d²)."""
    x = points.astype(np.float64)
    squares = np.einsum("ni,nj->nij", x, x).reshape(len(x), -1) if degree > 2 else None
    sides = [(np.ones((len(x), 1)), x), (x, x), (squares, x), (squares, squares)]
    for left, right in sides[:degree]:
        assert left is not None
        assert right is not None
        yield left.T @ right / len(x)

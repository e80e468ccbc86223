"""What a critic of one ReLU neuron sees of two samples, beside W1 on the same lines."""

from __future__ import annotations

import numpy as np
from pydantic import PositiveInt

from wgpipe.metrics import Evaluation, Metric
from wgpipe.metrics.transport import line_costs
from wgpipe.registry import register
from wgpipe.rng import stream
from wgpipe.theory.relu_distance import relu_distance_line, sign_changes


@register("relu_critic", cites=("li2020",))
class ReluCritic(Metric):
    """sup over b and unit w of |E relu(w·X - b) - E relu(w·Y - b)|, over some directions w, X held-out, Y generated.

    Along each line w the supremum R over b is exact, and so is W1 of the projections. R <= W1 <= 2 (s + 1) R, with s
    the number of sign changes of the difference of the distribution functions.

    - `relu`: the largest R, a lower bound of the supremum over all directions, hence of W1 in R^d;
    - `relu_over_w1`: the largest R / W1 of all lines, at most 1;
    - `w1_over_relu`: the largest W1 / (2 (s + 1) R), at most 1.

    The directions depend on d alone, so all runs on the same dimension are measured along the same ones.
    """

    real: PositiveInt = 2048
    generated: PositiveInt = 2048
    directions: PositiveInt = 32

    def measure(self, block: Evaluation) -> dict[str, tuple[np.ndarray, str]]:
        """Quantity -> ((E,) float64, protocol)."""
        real, generated = block.real(self.real), block.generated(self.generated)
        rows = np.array([self._compare(x, y) for x, y in zip(real, generated, strict=True)])
        protocol = f"relu_critic[real={real.shape[1]},generated={generated.shape[1]},directions={self.directions}]"
        names = ("relu", "relu_over_w1", "w1_over_relu")
        return {name: (rows[:, place], protocol) for place, name in enumerate(names)}

    def _compare(self, real: np.ndarray, generated: np.ndarray) -> tuple[float, float, float]:
        if not np.isfinite(generated).all():
            return np.nan, np.nan, np.nan
        normals = stream("relu_critic", real.shape[1]).standard_normal((self.directions, real.shape[1]))
        normals /= np.linalg.norm(normals, axis=1, keepdims=True)
        x, y = real @ normals.T, generated.astype(np.float64) @ normals.T
        seen = np.array([relu_distance_line(one, other) for one, other in zip(x.T, y.T, strict=True)])
        changes = np.array([sign_changes(one, other) for one, other in zip(x.T, y.T, strict=True)])
        distances = line_costs(x, y, power=1)
        return float(seen.max()), float((seen / distances).max()), float((distances / (2 * (changes + 1) * seen)).max())

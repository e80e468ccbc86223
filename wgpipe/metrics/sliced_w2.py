"""The sliced 2-Wasserstein distance."""

from __future__ import annotations

import math

import numpy as np
from pydantic import PositiveInt

from wgpipe.metrics import SampleMetric
from wgpipe.metrics.transport import line_costs
from wgpipe.registry import register
from wgpipe.rng import stream


@register("sliced_w2", cites=("bonneel2015",))
class SlicedW2(SampleMetric):
    """Root mean square, over random directions θ, of the exact W2 between the projections θ·x of the two samples.

    The directions depend on d alone, so all runs on the same dimension are measured along the same ones. In units of
    the data; a translation by v gives about |v|/sqrt(d).
    """

    projections: PositiveInt = 128

    def compare(self, real: np.ndarray, generated: np.ndarray) -> float:
        directions = self.directions(real.shape[1])
        return math.sqrt(line_costs(real @ directions.T, generated @ directions.T, power=2).mean())

    def directions(self, dimension: int) -> np.ndarray:
        """(projections, d) unit vectors, uniform on the sphere."""
        normal = stream("sliced_w2", dimension).standard_normal((self.projections, dimension))
        return np.asarray(normal / np.linalg.norm(normal, axis=1, keepdims=True))

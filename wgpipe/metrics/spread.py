"""How much a generator varies: a diagnostic of collapse."""

from __future__ import annotations

import math

import numpy as np

from wgpipe.metrics import SampleMetric
from wgpipe.registry import register


@register("spread")
class Spread(SampleMetric):
    """Standard deviation of the generated over that of the real sample, each the root of the covariance's trace.

    1 for the right scale, 0 for a collapse to one point, infinite if the real points are all the same.
    """

    def compare(self, real: np.ndarray, generated: np.ndarray) -> float:
        real_variance = float(real.var(axis=0, ddof=1).sum())
        generated_variance = float(generated.var(axis=0, ddof=1).sum())
        return math.sqrt(generated_variance / real_variance) if real_variance > 0 else math.inf

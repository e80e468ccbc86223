"""The energy distance."""

from __future__ import annotations

import numpy as np
from scipy.spatial.distance import cdist

from wgpipe.metrics import SampleMetric
from wgpipe.registry import register

ROWS = 512


@register("energy", cites=("szekely2013",))
class Energy(SampleMetric):
    """2 E|X-Y| - E|X-X'| - E|Y-Y'| of the two empirical measures, in units of the data.

    The V-statistic: pairs of a point with itself count, so it is a distance between the samples, never negative but for
    rounding, and biased upwards by about (1/m + 1/k) E|X-X'|, which its null shows.
    """

    def compare(self, real: np.ndarray, generated: np.ndarray) -> float:
        across = mean_distance(real, generated)
        return max(2 * across - mean_distance(real, real) - mean_distance(generated, generated), 0.0)


def mean_distance(x: np.ndarray, y: np.ndarray) -> float:
    """(m, d), (k, d) -> mean of |x_i - y_j| over all m·k pairs, in blocks of rows so that memory stays O(k)."""
    return float(sum(cdist(x[i : i + ROWS], y).sum() for i in range(0, len(x), ROWS)) / (len(x) * len(y)))

"""The 2-Wasserstein distance."""

from __future__ import annotations

import math

import numpy as np
from pydantic import PositiveInt

from wgpipe.metrics import SampleMetric
from wgpipe.metrics.transport import exact_cost
from wgpipe.registry import register


@register("w2", cites=("flamary2021",))
class W2(SampleMetric):
    """Square root of the exact transport cost |x - y|^2 between a held-out real and a generated sample.

    In units of the data. Biased upwards by the finite samples, as W1 is.
    """

    real: PositiveInt = 1024
    generated: PositiveInt = 1024

    def compare(self, real: np.ndarray, generated: np.ndarray) -> float:
        return math.sqrt(exact_cost(real, generated, power=2))

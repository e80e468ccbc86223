"""The 1-Wasserstein distance."""

from __future__ import annotations

import numpy as np

from wgpipe.metrics import SampleMetric
from wgpipe.metrics.transport import exact_cost
from wgpipe.registry import register


@register("w1", cites=("flamary2021",))
class W1(SampleMetric):
    """Exact W1 with Euclidean cost between a held-out real and a generated sample, in units of the data.

    Biased upwards by the finite samples: read it beside its null, the value for two real samples of the same sizes.
    """

    def compare(self, real: np.ndarray, generated: np.ndarray) -> float:
        return exact_cost(real, generated, power=1)

"""How far the two-point example is from what even convex potentials can reach."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from pydantic import PositiveInt

from wgpipe.data.two_point import TwoPoint
from wgpipe.metrics import Metric
from wgpipe.registry import register
from wgpipe.theory.two_point import nearest_even, nearest_even_w1

if TYPE_CHECKING:
    from wgpipe.train.evaluate import TrainedBlock


@register("projection", cites=("taghvaei2019",))
class Projection(Metric):
    """Least distance of 2 × `pairs` held-out source points ν to the laws ½δ_{-z} + ½δ_z, on `two_point` data.

    `projection`: W2 by the cost |x - y|²/2; `projection_w1`: W1. Found by going through plans and places z in turn, and
    not from the formulas of `wgpipe/theory/two_point.py`. The same for every recipe; other data have nothing.
    """

    pairs: PositiveInt = 32768

    def measure(self, block: TrainedBlock) -> dict[str, tuple[np.ndarray, str]]:  # type: ignore[override]
        """Quantity -> ((E,) float64, protocol)."""
        if not isinstance(block.job.dataset, TwoPoint):
            return {}
        samples = block.source(2 * self.pairs)
        found = {"projection": nearest_even, "projection_w1": nearest_even_w1}
        protocol = f"projection[pairs={self.pairs}]"
        return {name: (np.array([least(each) for each in samples]), protocol) for name, least in found.items()}

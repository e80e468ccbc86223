"""What the curve of a generator looks like in the plane, to be drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from pydantic import PositiveInt

from wgpipe.metrics import Metric
from wgpipe.metrics.field import SEPARATOR
from wgpipe.metrics.latent_curve import curves
from wgpipe.registry import register

if TYPE_CHECKING:
    from wgpipe.train.evaluate import TrainedBlock


@register("trace")
class Trace(Metric):
    """Positions along the curve of a generator with one latent dimension, and its sample, both in two dimensions.

    For samples of `n` points. One quantity a coordinate and point: `trace_x:7`, `trace_y:7` along the curve, in order,
    and `trace_sample_x:7`, `trace_sample_y:7` for the sample. Constructed curves have all their corners, trained ones
    `chords` + 1 positions at equal times. Other blocks have nothing.
    """

    n: PositiveInt = 16
    chords: PositiveInt = 256

    def measure(self, block: TrainedBlock) -> dict[str, tuple[np.ndarray, str]]:  # type: ignore[override]
        """Quantity -> ((E,) float64, protocol)."""
        samples = block.training_sample()
        if samples.shape[1:] != (self.n, 2):
            return {}
        found = curves(block, self.chords)
        if found is None:
            return {}
        shown = {"trace": np.stack([one.positions for one in found]), "trace_sample": samples}
        protocol = f"trace[n={self.n},chords={self.chords}]"
        return {
            f"{name}_{axis}{SEPARATOR}{place}": (points[:, place, coordinate], protocol)
            for name, points in shown.items()
            for coordinate, axis in enumerate("xy")
            for place in range(points.shape[1])
        }

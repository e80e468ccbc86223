"""Generated points of the plane, to be drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field, PositiveInt

from wgpipe.metrics import Metric
from wgpipe.metrics.field import SEPARATOR
from wgpipe.registry import register

if TYPE_CHECKING:
    from wgpipe.train.evaluate import TrainedBlock


@register("scatter")
class Scatter(Metric):
    """The first `generated` points of each member: `scatter_x:7` and `scatter_y:7`, in two dimensions.

    Datasets that `datasets` does not name, and other dimensions, have nothing.
    """

    generated: PositiveInt = Field(400, description="points to be drawn")
    datasets: tuple[str, ...] = Field((), description="datasets whose points are drawn")

    def measure(self, block: TrainedBlock) -> dict[str, tuple[np.ndarray, str]]:  # type: ignore[override]
        """Quantity -> ((E,) float64, protocol)."""
        if block.dataset_name not in self.datasets or block.job.dataset.card().dimension != 2:
            return {}
        points = block.generated(self.generated)
        protocol = f"scatter[generated={points.shape[1]}]"
        return {
            f"scatter_{axis}{SEPARATOR}{place}": (points[:, place, coordinate], protocol)
            for coordinate, axis in enumerate("xy")
            for place in range(points.shape[1])
        }

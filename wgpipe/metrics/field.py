"""What a critic or a map of a two-dimensional pair looks like: vectors to be drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from pydantic import PositiveInt

from wgpipe.data.pairs import PairDataset
from wgpipe.metrics import Metric
from wgpipe.registry import register
from wgpipe.rng import stream

if TYPE_CHECKING:
    from wgpipe.train.critic import Critic
    from wgpipe.train.evaluate import TrainedBlock

SEPARATOR = ":"  # between a quantity's name and the number of its point


@register("field")
class Field(Metric):
    """Learned and true vectors at `pairs` source points, the same for all members and methods, in two dimensions.

    Cost |x - y|: gradients of the critic and of the potential, which is the same all along the way from a source point
    to its target. Cost |x - y|²/2: where the learned and the optimal map take the point. One quantity a coordinate and
    point: `field_x:7` and `field_y:7` for the point, `field_learned_x:7`, `field_true_x:7` and so on for the vectors.
    Other dimensions, and blocks without a critic or map, have nothing.
    """

    pairs: PositiveInt = 144

    def measure(self, block: TrainedBlock) -> dict[str, tuple[np.ndarray, str]]:  # type: ignore[override]
        """Quantity -> ((E,) float64, protocol)."""
        pair = block.job.dataset
        if not isinstance(pair, PairDataset) or pair.card().dimension != 2:
            return {}
        members = len(block.job.seeds)
        coupling = pair.coupled(block.job.arrays, stream("field", pair.name), self.pairs)
        points = np.repeat(coupling.source[None], members, axis=0)
        true = coupling.direction if pair.cost == 1 else coupling.target
        learned = _gradients(block, points) if pair.cost == 1 else block.transported(points)
        if learned is None or true is None:
            return {}
        shown = {"field": points, "field_learned": learned, "field_true": np.repeat(true[None], members, axis=0)}
        protocol = f"field[pairs={self.pairs}]"
        return {
            f"{name}_{axis}{SEPARATOR}{place}": (vectors[:, place, coordinate], protocol)
            for name, vectors in shown.items()
            for coordinate, axis in enumerate("xy")
            for place in range(self.pairs)
        }


def _gradients(block: TrainedBlock, points: np.ndarray) -> np.ndarray | None:
    critic: Critic | None = block.critic()
    if critic is None:
        return None
    from wgpipe.metrics.gradients import learned_gradients  # imports torch, which controls do without

    return learned_gradients(critic, points.astype(np.float32))

"""The size of a generator's support, by how soon it repeats itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field, PositiveFloat, PositiveInt

from wgpipe.data.mixture import Mixture
from wgpipe.metrics import Metric
from wgpipe.metrics.nearest import close_pairs
from wgpipe.registry import register
from wgpipe.theory.coulomb import support

if TYPE_CHECKING:
    from wgpipe.train.evaluate import TrainedBlock


@register("birthday", cites=("arora2018", "unterthiner2018"))
class Birthday(Metric):
    """The birthday test: how many points it takes until two are duplicates with probability 1/2.

    Duplicates are closer than `tolerance` σ, on mixtures of Gaussians of width σ; other data have nothing. `orders`
    random orders of `generated` points are gone through until the first duplicate: `birthday_size` is the median of
    these sizes s, `birthday_support` is s² / (2 ln 2), the number of equally likely values that would repeat as soon.
    Without any duplicate the size is `generated`, the largest that the test can find. The control `oracle` is the same
    test on real points.
    """

    generated: PositiveInt = Field(4096, description="generated points, the largest size that can be found")
    orders: PositiveInt = Field(500, description="random orders over which the median is taken")
    tolerance: PositiveFloat = Field(0.1, description="distance of duplicates, in σ")

    def measure(self, block: TrainedBlock) -> dict[str, tuple[np.ndarray, str]]:  # type: ignore[override]
        """Quantity -> ((E,) float64, protocol)."""
        mixture = block.job.dataset
        if not isinstance(mixture, Mixture):
            return {}
        points, streams = block.generated(self.generated), block.streams("eval-birthday")
        radius = self.tolerance * mixture.sigma
        each = zip(points, streams, strict=True)
        sizes = np.asarray([first_duplicate(one, radius, self.orders, stream) for one, stream in each])
        protocol = f"birthday[generated={points.shape[1]},orders={self.orders},tolerance={self.tolerance}]"
        return {"birthday_size": (sizes, protocol), "birthday_support": (support(sizes), protocol)}


def first_duplicate(points: np.ndarray, radius: float, orders: int, stream: np.random.Generator) -> float:
    """(m, d) -> median over random orders of how many points are seen when the first two within a radius are."""
    if not np.isfinite(points).all():
        return np.nan
    pairs = close_pairs(points, radius)
    if not len(pairs):
        return float(len(points))
    ranks = stream.permuted(np.broadcast_to(np.arange(1, len(points) + 1), (orders, len(points))), axis=1)
    return float(np.median([np.maximum(rank[pairs[:, 0]], rank[pairs[:, 1]]).min() for rank in ranks]))

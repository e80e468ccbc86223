"""Does a generator repeat its training points?"""

from __future__ import annotations

import numpy as np
from pydantic import Field, PositiveInt

from wgpipe.metrics import Evaluation, Metric
from wgpipe.metrics.nearest import nearest
from wgpipe.registry import register


@register("neighbours", cites=("unterthiner2018",))
class Neighbours(Metric):
    """Mean distance of generated points to their nearest training point, over that to an equally large held-out set.

    1 for a generator that owes its training points no more than their law, 0 for one that repeats them; the control
    `oracle` is the same test on real points. NaN where the held-out set is smaller than the training sample.
    """

    generated: PositiveInt = Field(2048, description="generated points")

    def measure(self, block: Evaluation) -> dict[str, tuple[np.ndarray, str]]:
        """`neighbour_ratio` -> ((E,) float64, protocol)."""
        generated, train = block.generated(self.generated), block.training_sample()
        held_out = block.real(train.shape[1])
        ratios = [neighbour_ratio(*each) for each in zip(generated, train, held_out, strict=True)]
        protocol = f"neighbours[generated={generated.shape[1]},sets={train.shape[1]}]"
        return {"neighbour_ratio": (np.asarray(ratios, dtype=np.float64), protocol)}


def neighbour_ratio(generated: np.ndarray, train: np.ndarray, held_out: np.ndarray) -> float:
    """(m, d), (n, d), (n, d) -> the ratio of mean distances; NaN where sizes differ or points are not finite."""
    if len(train) != len(held_out) or not np.isfinite(generated).all():
        return np.nan
    to_train, to_held_out = (nearest(generated, real)[0].mean() for real in (train, held_out))
    return float(to_train / to_held_out)

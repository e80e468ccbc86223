"""How many modes of a mixture a generator finds, and how well."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field, PositiveFloat, PositiveInt
from scipy.spatial import KDTree

from wgpipe.data.mixture import Mixture
from wgpipe.metrics import Metric
from wgpipe.registry import register

if TYPE_CHECKING:
    from wgpipe.train.evaluate import TrainedBlock

BALANCE = 2.0  # a mode is balanced if its weight is within this factor of an equal share


@register("modes", cites=("lin2018", "srivastava2017"))
class Modes(Metric):
    """Mode coverage as PacGAN counts it, on mixtures of Gaussians of width σ; other data have nothing.

    A point is of high quality within `reach` σ of its nearest mode, and a mode is captured by one such point:

    - `modes_captured` and `high_quality`, the share of such points; the law itself scores 1 - exp(-reach²/2) in the
      plane, .989 at 3;
    - `modes_balanced`: captured modes whose share of the high-quality points is within a factor of 2 of 1 / modes;
    - `mode_imbalance`: total variation distance between these shares and equal ones, 1 without such a point.
    """

    generated: PositiveInt = Field(2500, description="generated points")
    reach: PositiveFloat = Field(3.0, description="distance to a mode, in σ, up to which a point is of high quality")

    def measure(self, block: TrainedBlock) -> dict[str, tuple[np.ndarray, str]]:  # type: ignore[override]
        """Quantity -> ((E,) float64, protocol)."""
        mixture = block.job.dataset
        if not isinstance(mixture, Mixture):
            return {}
        points = block.generated(self.generated)
        scores = [mode_scores(each, block.job.arrays["modes"], self.reach * mixture.sigma) for each in points]
        protocol = f"modes[generated={points.shape[1]},reach={self.reach}]"
        return {name: (np.asarray([score[name] for score in scores], dtype=np.float64), protocol) for name in scores[0]}


def mode_scores(points: np.ndarray, modes: np.ndarray, radius: float) -> dict[str, float]:
    """(m, d), (k, d) -> the four quantities, by name; NaN where a point is not finite."""
    names = ("modes_captured", "high_quality", "modes_balanced", "mode_imbalance")
    if not np.isfinite(points).all():
        return dict.fromkeys(names, np.nan)
    distance, nearest = KDTree(modes).query(points)
    counts = np.bincount(nearest[distance <= radius], minlength=len(modes))
    found = counts.sum()
    shares = len(modes) * counts / max(found, 1)  # 1 where all modes weigh the same
    balanced = (shares >= 1 / BALANCE) & (shares <= BALANCE)
    imbalance = np.abs(shares - 1).mean() / 2 if found else 1.0
    values = ((counts > 0).sum(), found / len(points), balanced.sum(), imbalance)
    return dict(zip(names, map(float, values), strict=True))

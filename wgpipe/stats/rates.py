"""Convergence rates: slopes of log value against log n.

Fits use raw values, never an excess over the null, and only the n where the mean value is at least twice its null.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from wgpipe.stats.estimates import Estimate, Status
from wgpipe.stats.floors import FloorFit
from wgpipe.stats.panels import FitRule, panel
from wgpipe.stats.slopes import Term, curve, sum_of_slopes

RULE = FitRule()


@dataclass(frozen=True)
class Rate:
    """Value ≈ exp(intercept) · n^slope for one (dataset, recipe), and everything that qualifies it."""

    dataset: str
    recipe: str
    metric: str
    slope: float
    ci_low: float
    ci_high: float
    intercept: float
    ns: tuple[int, ...]
    dropped: dict[int, str]  # n -> reason
    seeds: int
    runs: int
    failed: dict[int, int]  # n -> members that diverged, timed out or gave no finite value
    local_slopes: dict[tuple[int, int], float]  # (n, next n) -> slope
    floor: FloorFit | None  # None: fewer than four usable n
    status: Status
    note: str
    level: float

    def estimate(self) -> Estimate:
        """The slope, to be judged."""
        numbers = (self.slope, self.ci_low, self.ci_high)
        return Estimate(*numbers, "slope", self.runs, self.seeds, self.status, self.note, self.level)


def fit_rate(table: pd.DataFrame, dataset: str, recipe: str, metric: str = "w1", rule: FitRule = RULE) -> Rate:
    """Slope with its interval, local slopes, a power law with floor beside it, and a status.

    The status is that of an `Estimate`. Failed members up to 10 % at every n are left out and counted in `failed`.
    """
    one = panel(table, dataset, recipe, metric)
    term = Term((one,))
    slope, (floor,) = sum_of_slopes([term], "slope", ("slope", dataset, recipe, metric), rule)
    line = curve(term, one.usable(rule))
    return Rate(
        dataset=dataset,
        recipe=recipe,
        metric=metric,
        slope=slope.value,
        ci_low=slope.ci_low,
        ci_high=slope.ci_high,
        intercept=line.intercept(slope.value) if slope.seeds else np.nan,
        ns=tuple(line.ns.tolist()),
        dropped=one.dropped(rule),
        seeds=slope.seeds,
        runs=slope.runs,
        failed=dict(zip(one.ns.tolist(), one.failed.tolist(), strict=True)),
        local_slopes=line.local_slopes(),
        floor=floor,
        status=slope.status,
        note=slope.note,
        level=rule.level,
    )


def pooled_rate(
    table: pd.DataFrame, datasets: Sequence[str], recipe: str, metric: str = "w1", rule: FitRule = RULE
) -> Estimate:
    """Mean over datasets of the slope of one recipe."""
    terms = [Term((panel(table, name, recipe, metric),), 1 / len(datasets)) for name in datasets]
    return sum_of_slopes(terms, "slope", ("slope", *datasets, recipe, metric), rule)[0]

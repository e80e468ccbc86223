"""Whether two numbers that seeds vary differ by more than the seeds' noise.

Runs: the paired t test on the differences of the same seed, or Welch's where no two seeds are the same. Estimates with
intervals: a t test with the standard errors that the intervals state, as if both were independent; on the same seeds
and data they are positively correlated, so that this rejects too rarely and never too often. All tests of a comparison
are one family (Holm, 1979), so that two folders of equal distribution differ in at most `LEVEL` of the comparisons.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import stats

LEVEL = 0.01  # of the whole family
INTERVAL = 0.95  # level of the intervals in tables
ROUNDING = 1e-5  # relative: tables have six digits, and no noise is smaller
TESTS = (
    "Runs are compared by the paired t test over common seeds (Welch's t test where there are none), by themselves and"
    " pooled over all rows of a recipe; estimates by a t test with the standard errors of their 95 % intervals; counts"
    f" of runs that failed by Fisher's exact test. All tests are one family (Holm) at {LEVEL:.0%}."
)


@dataclass(frozen=True)
class Estimated:
    """A number with its interval and the number of seeds behind it; 0: unknown, taken as many."""

    value: float
    low: float
    high: float
    seeds: int = 0

    def error_towards(self, other: float) -> float:
        """Standard error on the side of another value; never below the rounding of tables."""
        quantile = stats.t.ppf((1 + INTERVAL) / 2, self.seeds - 1) if self.seeds > 1 else stats.norm.ppf(0.975)
        half = self.high - self.value if other > self.value else self.value - self.low
        return max(float(half / quantile), ROUNDING * abs(self.value), 1e-300)

    @property
    def is_whole(self) -> bool:
        """All three numbers are there."""
        return all(map(math.isfinite, (self.value, self.low, self.high)))


def of_estimates(first: Estimated, second: Estimated) -> float | None:
    """p-value of equal truths; None where an interval is missing."""
    if not (first.is_whole and second.is_whole):
        return None
    error = math.hypot(first.error_towards(second.value), second.error_towards(first.value))
    t = abs(first.value - second.value) / error
    seeds = [each.seeds for each in (first, second) if each.seeds > 1]
    return float(2 * (stats.t.sf(t, min(seeds) - 1) if seeds else stats.norm.sf(t)))


def of_differences(differences: np.ndarray, size: float) -> float | None:
    """(S,) differences of paired runs of numbers of a size -> p-value of a mean of 0; None with fewer than 2."""
    count = len(differences)
    if count < 2:
        return None
    error = max(float(differences.std(ddof=1)) / math.sqrt(count), ROUNDING * size, 1e-300)
    return float(2 * stats.t.sf(abs(differences.mean()) / error, count - 1))


def of_samples(first: np.ndarray, second: np.ndarray) -> float | None:
    """(S,), (T,) runs of other seeds -> Welch's p-value; None with fewer than 2."""
    if min(len(first), len(second)) < 2:
        return None
    parts = [float(sample.var(ddof=1)) / len(sample) for sample in (first, second)]
    size = max(float(np.abs(first).max()), float(np.abs(second).max()))
    variance = max(sum(parts), (ROUNDING * size) ** 2, 1e-300)
    freedom = variance**2 / max(
        sum(part**2 / (len(sample) - 1) for part, sample in zip(parts, (first, second), strict=True)), 1e-300
    )
    low = min(len(first), len(second)) - 1
    t = abs(float(first.mean() - second.mean())) / math.sqrt(variance)
    return float(2 * stats.t.sf(t, min(max(freedom, low), len(first) + len(second) - 2)))


def pooled(groups: list[np.ndarray]) -> np.ndarray:
    """(S,) differences of many groups of the same seeds, each by its own root mean square -> their mean by seed."""
    scaled = [group / math.sqrt(float((group**2).mean())) for group in groups if (group != 0).any()]
    return np.mean(scaled, axis=0) if scaled else np.zeros(0)


def of_counts(failed_first: int, first: int, failed_second: int, second: int) -> float:
    """Fisher's p-value of equal shares."""
    table = [[failed_first, first - failed_first], [failed_second, second - failed_second]]
    return float(stats.fisher_exact(table).pvalue)

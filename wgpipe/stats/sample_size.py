"""What an undecided claim would need: more seeds, or more points to measure with."""

from __future__ import annotations

import math
from collections.abc import Callable

from scipy import stats

from wgpipe.stats.claim_test import ClaimTest
from wgpipe.stats.panels import FitRule

MOST_SEEDS = 10_000  # more are no answer


def seeds_needed(
    test: ClaimTest, value: float, ci_low: float, ci_high: float, seeds: int, power: float = 0.5
) -> int | None:
    """Least number of seeds with which the test decides, if `value` is the truth and seeds vary as they did.

    The interval of `seeds` seeds gives the standard deviation s of one. Sought is the least S, not below the claim's
    own minimum, for which the distance from the value to the nearest edge of the test's region exceeds
    (t_level + t_power) s / sqrt(S), quantiles of Student's t at S - 1 degrees of freedom (Chow et al. 2017, Sample Size
    Calculations in Clinical Research, ch. 3). At power 1/2 that is: the interval's half-width is below the distance.
    None without an interval, with the value on the edge, or beyond 10 000 seeds.
    """
    if seeds < 2 or not all(map(math.isfinite, (value, ci_low, ci_high))):
        return None
    distance = min(abs(value - edge) for edge in test.region() if math.isfinite(edge))
    spread = (ci_high - ci_low) / 2 * math.sqrt(seeds) / _quantile(test.level, seeds)

    def decides(count: int) -> bool:
        reach = _quantile(test.level, count) + float(stats.t.ppf(power, count - 1))
        return distance > reach * spread / math.sqrt(count)

    least = max(test.min_seeds, 2)
    return _least(decides, least) if decides(MOST_SEEDS) else None


def points_factor(value: float, null: float, intrinsic: float, rule: FitRule) -> float:
    """How many times more points to measure with bring the null down to where a fit may use this value.

    The null, W1 of two samples of m points, falls as m^(-1/d*) for d* >= 3 and as m^(-1/2) below (Fournier & Guillin
    2015, theorem 1, up to a logarithm at d* = 2). 1 where the value may be used; NaN where d*, the value or its
    null is unknown.
    """
    if not math.isfinite(null / value):
        return math.nan
    excess = max(1.0, rule.null_factor * null / value)
    return float(excess if excess == 1 else excess ** max(intrinsic, 2.0))


def _quantile(level: float, seeds: int) -> float:
    return float(stats.t.ppf((1 + level) / 2, seeds - 1))


def _least(holds: Callable[[int], bool], low: int) -> int:
    """Least number >= `low` from which a property holds that, once it holds, keeps holding."""
    high = low
    while not holds(high):
        low, high = high + 1, 2 * high
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle + 1, high)
    return high

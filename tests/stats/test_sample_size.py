import math

import numpy as np
import pytest
from scipy import stats

from wgpipe.stats.claim_test import ClaimTest
from wgpipe.stats.panels import FitRule
from wgpipe.stats.sample_size import points_factor, seeds_needed

BELOW = ClaimTest(test="below", bound=0.0, band=0.05, min_seeds=2)
EQUAL = ClaimTest(test="equal", bound=0.0, band=0.05, min_seeds=2)
SPREAD = 0.2  # of one seed


def half_width(seeds, level=0.95):
    return stats.t.ppf((1 + level) / 2, seeds - 1) * SPREAD / math.sqrt(seeds)


def needed(test, value, seeds=8, **options):
    reach = half_width(seeds, test.level)
    return seeds_needed(test, value, value - reach, value + reach, seeds, **options)


@pytest.mark.parametrize("test", [BELOW, EQUAL, BELOW.model_copy(update={"level": 0.9})])
@pytest.mark.parametrize("value", [0.0, 0.02, 0.04, 0.1, -0.2])
def test_with_the_seeds_needed_the_interval_is_narrower_than_the_way_to_the_edge_and_with_one_fewer_it_is_not(
    test, value
):
    distance = min(abs(value - edge) for edge in test.region() if math.isfinite(edge))
    count = needed(test, value)
    assert half_width(count, test.level) < distance
    assert count == 2 or half_width(count - 1, test.level) >= distance


def test_the_number_does_not_depend_on_how_many_seeds_the_spread_was_measured_with():
    assert needed(BELOW, 0.0, seeds=4) == needed(BELOW, 0.0, seeds=64)


@pytest.mark.parametrize("value", [0.0, -0.1, 0.2])
def test_at_power_nine_in_ten_that_share_of_repetitions_is_decided(value):
    count = needed(BELOW, value, power=0.9)
    draws = value + SPREAD * np.random.default_rng(3).standard_normal((4000, count))
    means, errors = draws.mean(axis=1), draws.std(axis=1, ddof=1) / math.sqrt(count)
    decided = np.abs(means - 0.05) > stats.t.ppf(0.975, count - 1) * errors
    assert decided.mean() == pytest.approx(0.9, abs=0.04)
    assert count > needed(BELOW, value)


def test_a_claim_never_needs_fewer_seeds_than_it_asks_for():
    assert needed(BELOW.model_copy(update={"min_seeds": 32}), -5.0) == 32


@pytest.mark.parametrize("value", [0.05, 0.05 + 1e-6])
def test_no_number_of_seeds_decides_an_estimate_on_the_edge(value):
    assert needed(BELOW, value) is None


@pytest.mark.parametrize(("low", "high", "seeds"), [(np.nan, np.nan, 8), (-0.1, 0.1, 1)])
def test_without_an_interval_there_is_no_number(low, high, seeds):
    assert seeds_needed(BELOW, 0.0, low, high, seeds) is None


@pytest.mark.parametrize(
    ("null", "intrinsic", "factor"),
    [(0.05, 2, 1.0), (0.06, 1, 1.2**2), (0.06, 2, 1.2**2), (0.06, 4, 1.2**4), (0.05, math.nan, 1.0)],
)
def test_points_bring_the_null_down_as_fast_as_theory_says(null, intrinsic, factor):
    assert points_factor(0.1, null, intrinsic, FitRule(null_factor=2.0)) == pytest.approx(factor)


@pytest.mark.parametrize(("value", "null", "intrinsic"), [(0.1, 0.06, np.nan), (np.nan, 0.1, 2), (0.1, np.nan, 2)])
def test_what_is_unknown_has_no_factor(value, null, intrinsic):
    assert math.isnan(points_factor(value, null, intrinsic, FitRule()))

import numpy as np
import pytest
from scipy import stats

from wgpipe.stats.intervals import bootstrap, proportion, proportion_difference


def mean_of(values):
    return lambda weights: weights @ values / weights.sum(axis=1)


def test_interval_of_a_mean_is_the_t_interval():
    values = np.random.default_rng(0).normal(size=8)
    interval = bootstrap(mean_of(values), 8, ("t",), replicates=40_000)
    exact = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    assert interval.value == pytest.approx(values.mean())
    assert interval.high - interval.low == pytest.approx(exact.high - exact.low, rel=0.02)


@pytest.mark.parametrize("errors", ["normal", "exponential"])
def test_interval_of_a_slope_covers_the_truth_95_times_in_100_with_8_seeds(errors):
    stream = np.random.default_rng(1)
    x = np.log([32, 64, 128, 256, 512, 1024])
    x -= x.mean()
    cases = 2000
    draws = stream.normal(size=(cases, 8, 6)) if errors == "normal" else stream.exponential(size=(cases, 8, 6))
    slopes = draws @ x / (x @ x)
    intervals = [bootstrap(mean_of(slope), 8, ("cover", i), replicates=300) for i, slope in enumerate(slopes)]
    covered = np.mean([interval.low <= 0 <= interval.high for interval in intervals])
    assert covered == pytest.approx(0.95, abs=0.015)


def test_interval_depends_on_its_key_alone():
    statistic = mean_of(np.arange(8.0))
    assert bootstrap(statistic, 8, ("a",)) == bootstrap(statistic, 8, ("a",))
    assert bootstrap(statistic, 8, ("a",)) != bootstrap(statistic, 8, ("b",))


def test_higher_level_gives_a_wider_interval_by_the_ratio_of_t_quantiles():
    statistic = mean_of(np.arange(8.0))
    wide, narrow = (bootstrap(statistic, 8, ("a",), level=level) for level in (0.99, 0.90))
    ratio = stats.t.ppf(0.995, 7) / stats.t.ppf(0.95, 7)
    assert (wide.high - wide.low) / (narrow.high - narrow.low) == pytest.approx(ratio)


def test_one_seed_has_a_value_and_no_interval():
    interval = bootstrap(mean_of(np.array([3.0])), 1, ("one",))
    assert interval.value == 3
    assert np.isnan([interval.low, interval.high]).all()


def test_no_failures_in_eight_runs_leave_room_for_a_third():
    z2 = stats.norm.ppf(0.975) ** 2
    interval = proportion(0, 8)
    assert (interval.value, interval.low) == (0, pytest.approx(0, abs=1e-12))
    assert interval.high == pytest.approx(z2 / (8 + z2))


def test_newcombe_interval_of_his_own_example():
    # Newcombe 1998, table II (a), method 10: 56/70 - 48/80
    interval = proportion_difference(56, 70, 48, 80)
    assert interval.value == pytest.approx(0.2)
    assert interval.low == pytest.approx(0.0524, abs=5e-5)
    assert interval.high == pytest.approx(0.3339, abs=5e-5)


def test_share_of_nothing_is_unknown():
    assert np.isnan(proportion(0, 0).value)
    assert np.isnan(proportion_difference(0, 0, 1, 8).low)

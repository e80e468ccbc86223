import numpy as np
import pandas as pd
import pytest
from scipy import stats

from wgpipe.errors import UserError
from wgpipe.stats.panels import FitRule
from wgpipe.stats.rates import fit_rate, pooled_rate

DATASET, RECIPE = "cube-3in12", "wgan"


def fit(rows, **options):
    return fit_rate(rows, DATASET, RECIPE, **options)


def test_power_law_is_recovered_exactly(table):
    rate = fit(table(slope=-0.3, scale=2.0))
    assert [rate.slope, rate.ci_low, rate.ci_high] == pytest.approx([-0.3] * 3)
    assert rate.intercept == pytest.approx(np.log(2.0))
    assert set(rate.local_slopes) == {(32, 64), (64, 128), (128, 256), (256, 512), (512, 1024)}
    assert list(rate.local_slopes.values()) == pytest.approx([-0.3] * 5)
    assert (rate.status, rate.seeds, rate.runs, rate.dropped) == ("ok", 8, 48, {})
    assert rate.floor.share == pytest.approx(0, abs=1e-4)


def test_slope_is_that_of_least_squares(table):
    rows = table(noise=0.2, stream=np.random.default_rng(0))
    line = stats.linregress(np.log(rows["n"]), np.log(rows["value"]))
    rate = fit(rows)
    assert [rate.slope, rate.intercept] == pytest.approx([line.slope, line.intercept])
    assert rate.ci_low < rate.slope < rate.ci_high


def test_interval_is_the_t_interval_of_the_slopes_of_the_seeds(table):
    rows = table(noise=0.2, stream=np.random.default_rng(0))
    slopes = [stats.linregress(np.log(part["n"]), np.log(part["value"])).slope for _, part in rows.groupby("seed")]
    exact = stats.ttest_1samp(slopes, 0).confidence_interval(0.95)
    rate = fit(rows, rule=FitRule(replicates=20_000))
    assert [rate.ci_low, rate.ci_high] == pytest.approx([exact.low, exact.high], abs=0.03 * (exact.high - exact.low))


def test_power_law_with_floor_is_recovered(table):
    rate = fit(table(slope=-0.7, scale=3.0, floor=0.01))
    floor = rate.floor
    assert [floor.scale, floor.exponent, floor.floor] == pytest.approx([3.0, 0.7, 0.01], rel=1e-4)
    assert floor.share == pytest.approx(0.01 / (3.0 * 1024**-0.7 + 0.01), rel=1e-4)
    assert floor.significant


def test_floor_that_is_not_negligible_is_remarked(table):
    rate = fit(table(slope=-0.7, scale=3.0, floor=0.01, noise=0.02, stream=np.random.default_rng(0)))
    assert rate.status == "ok"
    assert rate.floor.share == pytest.approx(0.01 / (3.0 * 1024**-0.7 + 0.01), abs=0.05)
    assert rate.note == f"a floor of {rate.floor.share:.0%} of the value at n = 1024 shows in wgan on cube-3in12"


def test_floor_of_more_than_half_dominates(table):
    rate = fit(table(slope=-0.7, scale=3.0, floor=0.05, noise=0.02, stream=np.random.default_rng(0)))
    assert rate.status == "floor"
    assert rate.floor.share > 0.5


def test_floor_is_not_seen_in_a_noisy_power_law(table):
    streams = [np.random.default_rng(seed) for seed in range(100)]
    rates = [fit(table(noise=0.2, stream=stream), rule=FitRule(replicates=2)) for stream in streams]
    assert sum(rate.floor.significant for rate in rates) <= 4


def test_n_below_twice_the_null_is_dropped_with_its_reason(table):
    rows = table(slope=-0.5, scale=1.0)
    rows["null"] = 0.02
    rows.loc[rows["n"] == 1024, "value"] = 0.0399
    rate = fit(rows)
    assert rate.ns == (32, 64, 128, 256, 512)
    assert rate.dropped == {1024: "0.0399 is below 2 x its null 0.02"}
    assert rate.slope == pytest.approx(-0.5)
    assert fit(rows, rule=FitRule(null_factor=1.5)).ns[-1] == 1024


def test_fewer_than_three_usable_n_give_no_slope(table):
    rate = fit(table(slope=-0.5, scale=1.0, null=0.06))
    assert (rate.ns, rate.status) == ((32, 64), "floor")
    assert np.isnan([rate.slope, rate.ci_low, rate.ci_high, rate.intercept]).all()
    assert "3 usable n, and there are 2" in rate.note


def test_more_than_a_tenth_diverged_at_one_n_is_a_status(table):
    rows = table(seeds=16)
    rows.loc[(rows["n"] == 64) & (rows["seed"] < 2), ["status", "value"]] = ["diverged", np.nan]
    rate = fit(rows)
    assert rate.status == "diverged"
    assert rate.note == "2 of 16 members of wgan on cube-3in12 failed at n = 64"
    assert rate.failed[64] == 2


@pytest.mark.parametrize(("status", "value"), [("diverged", np.nan), ("timeout", 9.0), ("ok", np.inf)])
def test_a_few_failed_runs_are_left_out_and_counted(table, status, value):
    shared = np.repeat(np.linspace(-1, 1, 16)[:, None], 6, axis=1)
    rows = table(seeds=16, shared=shared)
    rows.loc[(rows["n"] == 1024) & (rows["seed"] == 0), ["status", "value"]] = [status, value]
    rate = fit(rows)
    assert rate.status == "ok"
    assert (rate.failed[1024], rate.runs, rate.seeds) == (1, 95, 16)
    assert "1 of 96 runs" in rate.note
    assert [rate.slope, rate.ci_low, rate.ci_high] == pytest.approx([-0.3] * 3), "a seed's level is no slope"


def test_order_of_the_rows_has_no_influence(table):
    rows = table(noise=0.2, stream=np.random.default_rng(0))
    shuffled = rows.sample(frac=1, random_state=1)
    assert fit(rows) == fit(shuffled)


def test_few_seeds_are_a_status(table):
    assert fit(table(seeds=2)).status == "few seeds"
    assert fit(table(seeds=1)).status == "few seeds"


def test_absent_runs_are_missing(table):
    rate = fit_rate(table(), DATASET, "nowhere")
    assert (rate.status, rate.note, rate.ns) == ("missing", "no runs of nowhere on cube-3in12", ())
    assert np.isnan(rate.slope)


def test_pooled_slope_is_the_mean_over_datasets(table):
    rows = pd.concat([table(slope=slope, dataset=name) for name, slope in {"a": -0.2, "b": -0.5, "c": -0.9}.items()])
    pooled = pooled_rate(rows, ["a", "b"], RECIPE)
    assert [pooled.value, pooled.ci_low, pooled.ci_high] == pytest.approx([-0.35] * 3)
    assert (pooled.runs, pooled.seeds, pooled.unit) == (96, 8, "slope")


def test_excess_is_refused(table):
    rows = table()
    rows.loc[3, "value"] = -0.01
    with pytest.raises(UserError, match="needs values > 0"):
        fit(rows)


def test_malformed_tables_are_refused(table):
    rows = table()
    with pytest.raises(UserError, match="no column 'null'"):
        fit(rows.drop(columns="null"))
    with pytest.raises(UserError, match="more than once"):
        fit(pd.concat([rows, rows.head(1)]))
    rows.loc[0, "protocol"] = "w1[real=16,generated=16]"
    with pytest.raises(UserError, match="more than one protocol"):
        fit(rows)

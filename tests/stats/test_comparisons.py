import numpy as np
import pandas as pd
import pytest
from scipy import stats

from wgpipe.stats.comparisons import failure_difference, log_ratio, slope_difference, slope_difference_across
from wgpipe.stats.rates import fit_rate

DATASET = "cube-3in12"


@pytest.fixture
def paired(table):
    """Two recipes with slopes -0.3 and -0.2 whose errors are nearly the same, as on a shared sample."""
    stream = np.random.default_rng(0)
    shared = 0.3 * stream.normal(size=(8, 6))
    return pd.concat(
        [
            table(slope=-0.3, noise=0.02, shared=shared, stream=stream, recipe="first"),
            table(slope=-0.2, noise=0.02, shared=shared, stream=stream, recipe="second"),
        ]
    )


def test_difference_is_that_of_the_slopes(paired):
    first, second = (fit_rate(paired, DATASET, recipe).slope for recipe in ("first", "second"))
    difference = slope_difference(paired, DATASET, "first", "second")
    assert difference.value == pytest.approx(first - second)
    assert (difference.runs, difference.seeds, difference.status) == (96, 8, "ok")


def test_pairing_narrows_the_interval(paired):
    unpaired = paired.copy()
    second = unpaired["recipe"] == "second"
    unpaired.loc[second, "seed"] = (unpaired.loc[second, "seed"] + 1) % 8
    widths = [
        estimate.ci_high - estimate.ci_low
        for estimate in (slope_difference(rows, DATASET, "first", "second") for rows in (paired, unpaired))
    ]
    assert widths[0] < widths[1] / 5


def test_difference_changes_sign_with_the_order_of_the_recipes(paired):
    there, back = (slope_difference(paired, DATASET, *pair) for pair in (("first", "second"), ("second", "first")))
    assert (there.value, there.ci_low, there.ci_high) == (-back.value, -back.ci_high, -back.ci_low)


def test_difference_uses_the_n_that_both_may_use(table):
    low = table(slope=-0.5, scale=1.0, recipe="first", null=0.03)  # below twice its null from n = 512 on
    high = table(slope=-0.2, scale=5.0, recipe="second", null=0.03)
    difference = slope_difference(pd.concat([low, high]), DATASET, "first", "second")
    assert difference.value == pytest.approx(-0.3)
    assert difference.runs == 2 * 8 * 4


def test_run_that_failed_for_one_recipe_is_left_out_of_both(paired):
    paired = pd.concat([paired, paired.assign(seed=paired["seed"] + 8)]).reset_index(drop=True)
    lost = (paired["recipe"] == "first") & (paired["n"] == 64) & (paired["seed"] == 3)
    paired.loc[lost, ["status", "value"]] = ["diverged", np.nan]
    difference = slope_difference(paired, DATASET, "first", "second")
    assert difference.runs == 2 * (6 * 16 - 1)
    assert "1 of 96 runs of first on cube-3in12 failed" in difference.note


def test_divergence_of_either_recipe_is_a_status(paired):
    paired = paired.reset_index(drop=True)
    paired.loc[(paired["recipe"] == "second") & (paired["seed"] == 0), "status"] = "diverged"
    assert slope_difference(paired, DATASET, "first", "second").status == "diverged"
    assert log_ratio(paired, DATASET, "first", "second", 64).status == "diverged"


def test_pooled_difference_is_the_mean_over_datasets(table):
    slopes = {("a", "x"): -0.2, ("a", "y"): -0.3, ("b", "x"): -0.2, ("b", "y"): -0.6}
    rows = pd.concat([table(slope=slope, dataset=name, recipe=recipe) for (name, recipe), slope in slopes.items()])
    assert slope_difference(rows, ["a", "b"], "x", "y").value == pytest.approx(0.25)
    assert slope_difference(rows, "b", "x", "y").value == pytest.approx(0.4)


def test_difference_across_datasets_uses_the_n_that_both_may_use(table):
    bent = table(slope=-0.3, dataset="a")
    bent.loc[bent["n"] == 1024, "value"] *= 2
    short = table(slope=-0.2, dataset="b")
    short.loc[short["n"] == 1024, "null"] = 1.0
    difference = slope_difference_across(pd.concat([bent, short]), "wgan", "a", "b")
    assert difference.value == pytest.approx(-0.1)
    assert (difference.runs, difference.unit) == (80, "slope difference")


def test_log_ratio_is_the_paired_t_interval(paired):
    at_n = paired[paired["n"] == 256].pivot(index="seed", columns="recipe", values="value")
    ratios = np.log(at_n["first"] / at_n["second"])
    exact = stats.ttest_1samp(ratios, 0).confidence_interval(0.95)
    ratio = log_ratio(paired, DATASET, "first", "second", 256)
    assert ratio.value == pytest.approx(ratios.mean())
    assert [ratio.ci_low, ratio.ci_high] == pytest.approx([exact.low, exact.high], abs=0.04 * (exact.high - exact.low))
    assert (ratio.runs, ratio.seeds, ratio.status) == (16, 8, "ok")


def test_log_ratio_below_twice_the_null_has_the_status_floor(paired):
    ratio = log_ratio(paired.assign(null=10.0), DATASET, "first", "second", 256)
    assert ratio.status == "floor"
    assert ratio.note.startswith("at n = 256 ")


def test_log_ratio_at_an_n_without_runs_is_missing(paired):
    assert log_ratio(paired, DATASET, "first", "second", 4096).status == "missing"
    assert slope_difference(paired, DATASET, "first", "third").status == "missing"


def test_failure_rates_are_compared_over_all_runs(paired):
    paired = paired.reset_index(drop=True)
    paired.loc[(paired["recipe"] == "second") & (paired["seed"] < 2), ["status", "value"]] = ["diverged", np.nan]
    difference = failure_difference(paired, DATASET, "first", "second")
    assert difference.value == pytest.approx(-12 / 48)
    assert difference.ci_low < -12 / 48 < difference.ci_high < 0
    assert difference.note == "0 of 48 runs of first failed, 12 of 48 of second"
    assert (difference.runs, difference.status) == (96, "ok")
    assert failure_difference(paired, DATASET, "first", "third").status == "missing"

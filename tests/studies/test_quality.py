import numpy as np
import pandas as pd
import pytest

from tests.studies.conftest import NULL
from wgpipe.studies.controls import control_table
from wgpipe.studies.quality import RUN, failure_table, floor_table

RECIPES = ("vanilla-lp", "oracle", "empirical", "gaussian")


def falling(recipe, intrinsic, dimension):
    return -1 / 3 if recipe == "empirical" else 0.0 if recipe == "gaussian" else -0.3


@pytest.fixture(scope="module")
def runs(simulated):
    return simulated(["surface-3in12"], RECIPES, slope=falling, ns=(32, 64, 128, 256))


def wanted(runs):
    return runs[RUN].drop_duplicates(ignore_index=True)


def answers(table, control):
    own = table[table["control"] == control]
    return dict(zip(own["unit"], own["as_expected"], strict=True))


def test_failures_are_counted_by_recipe(config, runs):
    broken = runs[~((runs["recipe"] == "vanilla-lp") & (runs["seed"] == 7))].copy()
    run = (broken["recipe"] == "vanilla-lp") & (broken["n"] == 32)
    w1 = broken["metric"] == "w1"
    broken.loc[run & (broken["seed"] == 0), "status"] = "diverged"
    broken.loc[run & (broken["seed"] == 0), "value"] = np.nan
    broken.loc[run & (broken["seed"] == 1), "status"] = "timeout"
    broken.loc[run & w1 & (broken["seed"] == 2), "value"] = np.nan
    broken.loc[run & w1 & (broken["seed"] == 3), "value"] = -0.1
    broken.loc[run & (broken["metric"] == "v") & (broken["seed"] == 4), "value"] = 1.5
    broken.loc[run & (broken["metric"] == "energy") & (broken["seed"] == 5), "value"] = np.inf
    table = failure_table(config, wanted(runs), broken).set_index("recipe")
    found = table.loc["vanilla-lp"].to_dict()
    counts = {"runs": 32, "missing": 4, "diverged": 1, "timeout": 1, "no_value": 1, "out_of_range": 3}
    assert {name: found[name] for name in counts} == counts
    assert found["method"] == "vanilla"
    assert found["failed"] == pytest.approx(2 / 28)
    assert found["ci_low"] < 2 / 28 < found["ci_high"]
    assert table.loc["oracle", ["missing", "diverged", "timeout", "no_value", "out_of_range"]].sum() == 0
    assert list(table.index) == ["vanilla-lp", "oracle", "empirical", "gaussian"]


def test_a_recipe_of_which_every_run_is_missing_is_listed(config, runs):
    table = failure_table(config, wanted(runs), runs[runs["recipe"] != "gaussian"]).set_index("recipe")
    assert (table.loc["gaussian", "missing"], table.loc["gaussian", "runs"]) == (32, 32)
    assert np.isnan(table.loc["gaussian", "failed"])


def test_controls_are_where_they_should_be(runs):
    table = control_table(runs)
    assert set(table["as_expected"]) == {"yes"}
    assert list(table["control"]) == ["gaussian", "oracle", "empirical"]


def test_a_control_that_is_elsewhere_is_named(simulated):
    wrong = simulated(["surface-3in12"], RECIPES, ns=(32, 64, 128, 256), slope=lambda *_: -0.6)
    assert answers(control_table(wrong), "empirical") == {"slope": "no"}
    close = wrong.copy()
    gaussian = (close["recipe"] == "gaussian") & (close["metric"] == "w1")
    close.loc[gaussian, "value"] = 1.05 * NULL
    assert answers(control_table(close), "gaussian") == {"log(w1 / null)": "no"}
    drifting = wrong.copy()
    oracle = (drifting["recipe"] == "oracle") & (drifting["metric"] == "w1")
    drifting.loc[oracle, "value"] *= drifting.loc[oracle, "n"] ** -0.3
    assert answers(control_table(drifting), "oracle") == {"slope": "no"}


def test_few_seeds_leave_a_control_unclear(runs):
    table = control_table(runs[runs["seed"] < 2])
    assert set(table["as_expected"]) == {"unclear"}


def test_curves_that_the_null_hides_say_how_many_points_they_need(config, simulated):
    hidden = simulated(["surface-3in12"], RECIPES, ns=(32, 64, 128, 256), noise=1e-6, slope=lambda *_: 0.0)
    w1 = hidden["metric"] == "w1"
    hidden.loc[w1 & (hidden["recipe"] == "vanilla-lp"), "value"] = 1.6 * NULL
    table = floor_table(config, hidden).set_index("recipe")
    assert (table.loc["vanilla-lp", "usable"], table.loc["vanilla-lp", "status"]) == (0, "floor")
    assert table.loc["vanilla-lp", "points_for_slope"] == pytest.approx((2 / 1.6) ** 3)
    assert table.loc["empirical", ["usable", "points_for_slope", "points_for_all"]].tolist() == [4, 1, 1]
    assert "oracle" not in table.index


def test_a_run_that_cannot_be_fitted_is_a_row_and_no_error(config, runs):
    odd = runs.copy()
    odd.loc[(odd["recipe"] == "vanilla-lp") & (odd["metric"] == "w1") & (odd["seed"] == 0), "value"] = 0.0
    table = floor_table(config, odd).set_index("recipe")
    assert table.loc["vanilla-lp", "status"] == "no fit"
    assert "value of 0" in table.loc["vanilla-lp", "note"]


@pytest.mark.parametrize("empty", [True, False])
def test_without_runs_the_tables_are_empty(config, runs, empty):
    none = runs.iloc[:0] if empty else runs[runs["metric"] == "spread"]
    assert control_table(none).empty
    assert floor_table(config, none).empty
    assert isinstance(failure_table(config, wanted(runs), none), pd.DataFrame)

"""Paired differences of values, for the sign of an effect."""

import numpy as np
import pandas as pd
import pytest

from wgpipe.stats.comparisons import difference

DATASET = "cube-3in12"


@pytest.fixture
def paired(table):
    """`second` is .1 below `first` at n = 64, up to a noise that both share."""
    shared = 0.3 * np.random.default_rng(0).normal(size=(8, 6))
    first = table(slope=0.0, scale=1.0, shared=shared, recipe="first", null=0.9)
    second = first.assign(recipe="second", value=first["value"] - 0.1 - 0.001 * first["seed"])
    return pd.concat([first, second])


def test_it_is_the_mean_over_seeds_with_the_noise_of_the_pair_alone(paired):
    found = difference(paired, DATASET, "first", "second", 64)
    assert found.value == pytest.approx(0.1 + 0.001 * 3.5)
    assert found.ci_high - found.ci_low < 0.006
    assert (found.status, found.seeds, found.runs, found.unit) == ("ok", 8, 16, "difference of w1")


def test_it_may_stand_near_the_null_and_changes_sign_with_the_order(paired):
    there, back = (difference(paired, DATASET, *pair, 64) for pair in (("first", "second"), ("second", "first")))
    assert there.status == "ok"
    assert (there.value, there.ci_low, there.ci_high) == pytest.approx((-back.value, -back.ci_high, -back.ci_low))


def test_of_several_datasets_it_is_the_mean_on_the_seeds_that_all_have(paired):
    other = paired[paired["seed"] < 5].assign(dataset="other")
    other = other.assign(value=np.where(other["recipe"] == "first", 2.0, 1.0))
    found = difference(pd.concat([paired, other]), [DATASET, "other"], "first", "second", 64)
    assert found.seeds == 5
    assert found.value == pytest.approx(((0.1 + 0.001 * 2) + 1.0) / 2)


def test_missing_runs_and_too_many_failures_are_said(paired):
    assert difference(paired, DATASET, "first", "third", 64).status == "missing"
    assert difference(paired, DATASET, "first", "second", 65).status == "missing"
    lost = paired.assign(status=np.where((paired["recipe"] == "first") & (paired["seed"] < 2), "diverged", "ok"))
    assert difference(lost, DATASET, "first", "second", 64).status == "diverged"
    one = lost.assign(status=np.where((paired["recipe"] == "first") & (paired["seed"] < 1), "diverged", "ok"))
    assert difference(one, DATASET, "first", "second", 64).seeds == 7

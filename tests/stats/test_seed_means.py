"""Means over seeds, with their interval and what qualifies them."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from wgpipe.stats.estimates import Caveats
from wgpipe.stats.panels import FitRule
from wgpipe.stats.seed_means import seed_mean

RULE = FitRule()


def test_the_interval_is_students_to_the_error_of_the_bootstrap() -> None:
    values = np.random.default_rng(0).normal(2, 1, size=8)
    found = seed_mean(values, "height", ("a",), Caveats(), RULE, 24)
    reach = stats.t.ppf(0.975, 7) * values.std(ddof=1) / np.sqrt(8)
    assert (found.value, found.unit, found.runs, found.seeds, found.status) == (values.mean(), "height", 24, 8, "ok")
    assert found.ci_high - found.value == pytest.approx(reach, rel=0.1)


def test_no_values_few_values_and_a_given_caveat() -> None:
    assert seed_mean(np.empty(0), "height", ("a",), Caveats(), RULE, 0).note == "no value of the height"
    assert seed_mean(np.ones(2), "height", ("a",), Caveats(), RULE, 2).status == "few seeds"
    missing = seed_mean(np.ones(8), "height", ("a",), Caveats("missing", "no runs"), RULE, 8)
    assert (missing.status, missing.note) == ("missing", "no runs")
    assert np.isnan(missing.value)

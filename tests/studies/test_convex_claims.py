"""Verdicts on runs whose truth is known: inside the prediction, outside, on the edge, missing, diverged, few seeds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.studies.convex_simulated import simulate
from wgpipe.config import Study
from wgpipe.settings import read_yaml, validated
from wgpipe.studies.claims import ClaimRow, judge_claims
from wgpipe.studies.convex_claims import measures

FILE = Path(__file__).parents[2] / "config" / "studies" / "convex_potentials.yaml"

CASES: list[tuple[str, dict[str, Any], str]] = [
    ("w2-gauss", {}, "supported"),
    ("w2-gauss", {"q_uvp": 5.0}, "contradicted"),
    ("w2-gauss", {"q_value": 0.01}, "contradicted"),
    ("w2-gauss", {"slopes": {"q-closed": -0.05}}, "contradicted"),
    ("w2-gauss", {"q_uvp": 0.5}, "inconclusive"),
    ("w2-lower", {}, "supported"),
    ("w2-lower", {"excess": 0.001}, "contradicted"),
    ("w2-moments", {}, "supported"),
    ("w2-moments", {"residual": 0.2}, "contradicted"),
    ("w2-moments", {"residual": 0.056}, "inconclusive"),
    ("w2-maprate", {}, "contradicted"),
    ("w2-maprate", {"slopes": {"icnn": -1.0}}, "supported"),
    ("w2-maprate", {"slopes": {"icnn": -0.75}}, "inconclusive"),
    ("w2-bias", {}, "supported"),
    ("w2-bias", {"slopes": {"icnn": -0.05, "plan-l2": -0.5, "plan-entropy": -0.5}}, "contradicted"),
    ("w2-bias", {"slopes": {"icnn": -0.05}}, "inconclusive"),
    ("w2-time", {}, "supported"),
    ("w2-time", {"error_at_equal_work": 0.01}, "contradicted"),
    ("w2-time", {"error_at_equal_work": 3.0 / 64, "noise": 0.3}, "inconclusive"),
    ("w2-twopoint", {"distance": 1.0}, "supported"),
    ("w2-twopoint", {"distance": 0.4}, "contradicted"),
    ("w2-generalise", {}, "supported"),
    ("w2-generalise", {"value_slope": -1.0}, "contradicted"),
    ("w2-generalise", {"value_slope": -0.6}, "inconclusive"),
    ("w2-homotopy", {"noise": 0.05}, "supported"),
    ("w2-homotopy", {"homotopy": 1.3, "noise": 0.05}, "contradicted"),
    ("w2-homotopy", {"homotopy": 1.0}, "inconclusive"),
    ("w2-homotopy", {"homotopy": 0.1}, "inconclusive"),  # below the threshold at the shortest length
    ("w2-compose", {}, "supported"),
    ("w2-compose", {"composed": 0.6}, "contradicted"),
    ("w2-compose", {"composed": 0.4}, "inconclusive"),
    ("w2-gan", {}, "supported"),
    ("w2-gan", {"w2_icnn": 0.6}, "contradicted"),
    ("w2-gan", {"w2_icnn": 0.4}, "inconclusive"),
]


@pytest.fixture(scope="module")
def settings() -> Study:
    return validated(Study, read_yaml(FILE), FILE.name)


def row(settings: Study, name: str, runs: pd.DataFrame) -> ClaimRow:
    chosen = settings.model_copy(update={"claims": {name: settings.claims[name]}})
    (only,) = judge_claims(chosen, measures(settings), runs)
    return only


@pytest.mark.parametrize(("name", "law", "verdict"), CASES, ids=[f"{name} {verdict}" for name, _, verdict in CASES])
def test_runs_of_a_known_law_get_the_right_verdict(
    settings: Study, name: str, law: dict[str, Any], verdict: str
) -> None:
    found = row(settings, name, simulate(**law))
    assert found.verdict == verdict, found.reason


def test_every_claim_is_measured_and_stands_in_paper_order(settings: Study) -> None:
    assert list(settings.claims) == list(measures(settings))
    assert {name for name, _, _ in CASES} == set(settings.claims)


@pytest.mark.parametrize("name", [name for name, _, _ in dict.fromkeys((case[0], 0, 0) for case in CASES)])
def test_what_is_missing_too_few_or_diverged_is_never_decided(settings: Study, name: str) -> None:
    runs = simulate()
    absent = runs[~runs["recipe"].isin(settings.claims[name].recipes)]
    assert row(settings, name, absent).verdict == "inconclusive"
    assert row(settings, name, absent).reason.startswith("missing")
    assert row(settings, name, runs.iloc[:0]).verdict == "inconclusive"
    few = row(settings, name, simulate(seeds=4))
    assert few.verdict == "inconclusive"
    assert "seeds" in few.reason
    lost = simulate(diverged=lambda recipe, seed: seed < 2)
    found = row(settings, name, lost)
    assert found.verdict == "inconclusive", found.reason


def test_the_reason_of_the_map_rate_says_which_power_fits(settings: Study) -> None:
    reason = row(settings, "w2-maprate", simulate()).reason
    assert "-1 outside and -0.5 inside" in reason
    assert "the squared error has -0.98" in reason
    reason = row(settings, "w2-maprate", simulate(slopes={"icnn": -1.0})).reason
    assert "-1 inside and -0.5 outside" in reason


def test_a_floor_is_no_obstacle_to_the_claim_that_speaks_of_one(settings: Study) -> None:
    runs = simulate(slopes={"plan-l2": 0.0, "plan-entropy": 0.0}, noise=0.02)
    assert row(settings, "w2-bias", runs).verdict == "supported"


def test_the_bound_counts_runs_that_only_an_exact_search_would_lift_above_the_cost(settings: Study) -> None:
    found = row(settings, "w2-lower", simulate(excess=-0.005, gap=0.01))
    assert found.verdict == "supported"
    assert "0 exceed it, and 80 would" in found.reason
    assert found.runs == 80


def test_steps_lie_on_the_line_through_both_lengths(settings: Study) -> None:
    found = row(settings, "w2-homotopy", simulate(homotopy=0.7, noise=0.0))
    assert found.estimate == pytest.approx(np.log(0.7), abs=1e-6)
    assert "70 steps with homotopy, 100 without" in found.reason


def test_two_points_are_compared_below_a_third_alone(settings: Study) -> None:
    found = row(settings, "w2-twopoint", simulate())
    assert found.estimate == pytest.approx(np.sqrt(0.9 / 0.2), rel=1e-6)
    assert "a = 0.4: distance 0.6928, formula 0.6928, bound 0.8" in found.reason


def test_gans_are_reported_with_their_failures(settings: Study) -> None:
    def fallen(recipe: str, seed: int) -> bool:
        return recipe == "gan-q" and seed < 3

    reason = row(settings, "w2-gan", simulate(diverged=fallen)).reason
    assert "3 of 8 runs of gan-q failed, 0 of 8 of gan-wgan-gp" in reason
    assert "0 of 8 runs of gan-icnn failed" in reason

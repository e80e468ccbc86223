"""Runs whose truth is known get the right verdicts."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from tests.studies.capacity_runs import COURSE, CUBIC, NS, RELU, settings, simulate
from wgpipe.config import Study
from wgpipe.studies.capacity_claims import MEASURES
from wgpipe.studies.claims import ClaimRow, judge_claims

CONFIG = settings()
STEPS = {name: int(name.split("-")[1]) for name in COURSE}


def row(name: str, config: Study = CONFIG, **law: Any) -> ClaimRow:
    chosen = config.model_copy(update={"claims": {name: config.claims[name]}})
    (only,) = judge_claims(chosen, MEASURES, simulate(**law))
    return only


def learned_at(steps: dict[int, float]) -> Any:
    """Errors that fall as 1/step, through 1/4 at a degree's step."""
    return lambda recipe, degree: 0.25 * steps[degree] / STEPS.get(recipe, 1000)


def slopes(by_recipe: dict[str, float]) -> Any:
    return lambda recipe: by_recipe.get(recipe, -0.4)


ORDER = {"datasets": [RELU], "recipes": COURSE, "ns": [1024]}
LOW = {"datasets": [CUBIC], "recipes": ["moments-2_cubic"]}
RATE = {"datasets": [RELU], "recipes": ["relu-1", "deep", "empirical"], "scale": lambda recipe: 3.0}
FORM = {"datasets": [RELU, CUBIC], "recipes": CONFIG.claims["cap-relu-form"].recipes}
STRONG = {"datasets": [RELU], "recipes": ["deep_64", "deep", "relu-1_64"], "ns": [16, 1024]}
FOOLED = {"datasets": [RELU, CUBIC], "recipes": ["oracle", "gaussian"]}

CASES: list[tuple[str, dict[str, Any], str]] = [
    ("cap-order", ORDER | {"moment": learned_at({1: 15, 2: 50, 3: 150, 4: 500})}, "supported"),
    ("cap-order", ORDER | {"moment": learned_at({4: 15, 3: 50, 2: 150, 1: 500})}, "contradicted"),
    ("cap-order", ORDER | {"moment": learned_at({1: 50, 2: 50, 3: 50, 4: 50}), "noise": 0.0}, "contradicted"),
    ("cap-order", ORDER | {"moment": learned_at({1: 50, 2: 50, 3: 50, 4: 200})}, "inconclusive"),
    ("cap-lowdeg", LOW | {"slope": slopes({"moments-2_cubic": 0.0})}, "supported"),
    ("cap-lowdeg", LOW | {"slope": slopes({"moments-2_cubic": -0.3})}, "contradicted"),
    ("cap-lowdeg", LOW | {"slope": slopes({"moments-2_cubic": -0.1})}, "inconclusive"),
    ("cap-rate", RATE | {"slope": slopes({"deep": -0.5})}, "supported"),
    ("cap-rate", RATE | {"slope": slopes({"deep": -0.25})}, "contradicted"),
    ("cap-rate", RATE | {"slope": slopes({"deep": -0.4})}, "inconclusive"),
    ("cap-relu", RATE | {"slope": slopes({"relu-1": -0.4, "deep": -0.4})}, "supported"),
    ("cap-relu", RATE | {"slope": slopes({"relu-1": -0.2, "deep": -0.4})}, "contradicted"),
    ("cap-relu", RATE | {"slope": slopes({"relu-1": -0.3, "deep": -0.4})}, "inconclusive"),
    ("cap-relu-form", FORM, "supported"),
    ("cap-relu-form", FORM | {"neuron": lambda recipe, seed: 1.1 if seed < 2 else 0.9}, "contradicted"),
    ("cap-relu-form", FORM | {"datasets": [RELU], "ns": [16], "recipes": ["deep"]}, "inconclusive"),
    ("cap-tradeoff", STRONG | {"scale": lambda recipe: 1.5 if recipe == "deep_64" else 1.0}, "supported"),
    ("cap-tradeoff", STRONG | {"scale": lambda recipe: 1.5 if recipe == "deep" else 1.0}, "contradicted"),
    ("cap-tradeoff", STRONG | {"scale": lambda recipe: 1.5 if recipe == "relu-1_64" else 1.0}, "contradicted"),
    ("cap-tradeoff", STRONG | {"noise": 0.1}, "inconclusive"),
    ("cap-fooled", FOOLED, "supported"),
    ("cap-fooled", FOOLED | {"fooled": (1e-14, 0.04)}, "contradicted"),
    ("cap-fooled", FOOLED | {"fooled": (0.1, 0.3)}, "contradicted"),
    ("cap-fooled", FOOLED | {"fooled": (1e-14, 0.06)}, "inconclusive"),
]


@pytest.mark.parametrize(("name", "law", "verdict"), CASES, ids=[f"{name} {verdict}" for name, _, verdict in CASES])
def test_runs_of_a_known_law_get_the_right_verdict(name: str, law: dict[str, Any], verdict: str) -> None:
    found = row(name, **law)
    assert found.verdict == verdict, found.reason


def test_every_claim_is_measured_and_stands_in_paper_order() -> None:
    assert list(CONFIG.claims) == list(MEASURES)
    assert {name for name, _, _ in CASES} == set(MEASURES)


@pytest.mark.parametrize(
    ("name", "law"),
    [
        ("cap-order", ORDER),
        ("cap-lowdeg", LOW),
        ("cap-rate", RATE),
        ("cap-relu", RATE),
        ("cap-relu-form", FORM),
        ("cap-tradeoff", STRONG),
        ("cap-fooled", FOOLED),
    ],
)
def test_missing_runs_few_seeds_and_many_failures_decide_nothing(name: str, law: dict[str, Any]) -> None:
    absent = row(name, **(law | {"datasets": ["two_layer-relu8-1in4"], "recipes": ["moments-1"]}))
    assert (absent.verdict, absent.reason.split(":")[0]) == ("inconclusive", "missing") or name == "cap-relu-form"
    few = row(name, **(law | {"seeds": 4}))
    assert few.verdict == "inconclusive"
    assert re.match("few seeds", few.reason), few.reason
    lost = row(name, **(law | {"diverged": lambda recipe, n, seed: seed < 3 and recipe != "oracle"}))
    assert lost.verdict == "inconclusive"
    assert re.match("diverged|few seeds", lost.reason), lost.reason


def test_w1_below_twice_the_null_gives_no_slope() -> None:
    for name, law in (("cap-rate", RATE), ("cap-relu", RATE), ("cap-lowdeg", LOW)):
        assert row(name, **(law | {"scale": lambda recipe: 0.05})).reason.startswith("floor")


def test_degrees_1_and_2_are_looked_at_from_64_points_on() -> None:
    steep_below = row(
        "cap-lowdeg",
        datasets=[CUBIC],
        recipes=["moments-2_cubic"],
        ns=[16, *NS],
        seeds=8,
        slope=slopes({"moments-2_cubic": 0.0}),
    )
    assert steep_below.runs == 24
    assert "median errors of moments at n = 1024: 0.1 (null 0.03) for degree 1" in steep_below.reason


def test_the_order_is_kendalls_correlation_and_the_steps_are_told() -> None:
    found = row("cap-order", **(ORDER | {"moment": learned_at({1: 15, 2: 150, 3: 50, 4: 500}), "noise": 0.0}))
    assert found.estimate == pytest.approx(4 / 6)
    assert "median steps: 15 for degree 1, 150 for degree 2, 50 for degree 3, 500 for degree 4" in found.reason


def test_the_tradeoff_is_the_smaller_rise_at_the_smallest_n() -> None:
    law = STRONG | {"scale": lambda recipe: {"deep": 0.5, "relu-1_64": 0.8}.get(recipe, 1.0), "noise": 0.001}
    found = row("cap-tradeoff", **law)
    assert found.estimate == pytest.approx(np.log(1 / 0.8), abs=0.003)
    assert "at n = 16" in found.reason
    assert "held-out minus training W1" in found.reason


def test_pairs_that_degree_2_tells_apart_count_as_equal_to_the_null() -> None:
    assert row("cap-fooled", **(FOOLED | {"fooled": (0.1, 0.3)})).estimate == 0
    assert row("cap-fooled", **(FOOLED | {"noise": 0.0})).estimate == pytest.approx(np.log(10))

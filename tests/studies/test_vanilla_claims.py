import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from wgpipe.config import Study
from wgpipe.errors import UserError
from wgpipe.studies.claims import ClaimRow, judge_claims
from wgpipe.studies.vanilla_claims import MEASURES

Simulate = Callable[..., pd.DataFrame]

PLANTED = ["surface-2in8", "surface-3in12"]
MAIN = ["vanilla-lp", "wgan-lp", "empirical"]
WIDTHS = ["vanilla-lp_32", "vanilla-lp", "wgan-lp_32", "wgan-lp"]
NS = [64, 256, 1024]


def row(config: Study, name: str, runs: pd.DataFrame) -> ClaimRow:
    chosen = config.model_copy(update={"claims": {name: config.claims[name]}})
    (only,) = judge_claims(chosen, MEASURES, runs)
    return only


def slopes(by_recipe: dict[str, float]) -> dict[str, Any]:
    return {"slope": lambda recipe, intrinsic, dimension: by_recipe.get(recipe, -0.3)}


def half_too_large(recipe: str, w1: float) -> float:
    return 0.3 * w1 if int(w1 * 1e6) % 2 else 0.9 * w1


RATES = {"datasets": PLANTED, "recipes": MAIN}
OVERSIZED = {"datasets": ["surface-2in8", "surface-2in32"], "recipes": MAIN}
NETS = {"datasets": PLANTED, "recipes": WIDTHS, "ns": NS}
FREE = {"datasets": PLANTED, "recipes": ["vanilla-none", "vanilla-lp"]}

CASES: list[tuple[str, dict[str, Any], str]] = [
    ("van-rate", RATES | slopes({"vanilla-lp": -0.3}), "supported"),
    ("van-rate", RATES | slopes({"vanilla-lp": -0.05}), "contradicted"),
    ("van-rate", RATES | slopes({"vanilla-lp": -0.1}), "inconclusive"),
    ("van-wgan", RATES | slopes({"wgan-lp": -0.3}), "supported"),
    ("van-wgan", RATES | slopes({"wgan-lp": -0.15}), "contradicted"),
    ("van-wgan", RATES | slopes({"wgan-lp": -0.25}), "inconclusive"),
    ("van-oracle", NETS | {"scale": lambda recipe, n: 1 + recipe.endswith("_32")}, "supported"),
    ("van-oracle", NETS | {"scale": lambda recipe, n: 2 - recipe.endswith("_32")}, "contradicted"),
    ("van-oracle", NETS, "inconclusive"),
    ("van-loose", RATES, "supported"),
    ("van-loose", RATES | slopes({"vanilla-lp": -0.15}), "contradicted"),
    ("van-loose", RATES | slopes({"vanilla-lp": -0.25}), "inconclusive"),
    ("van-intrinsic", OVERSIZED, "supported"),
    ("van-intrinsic", OVERSIZED | {"slope": lambda recipe, k, d: -0.4 if d == 8 else -0.2}, "contradicted"),
    ("van-intrinsic", OVERSIZED | {"slope": lambda recipe, k, d: -0.4 if d == 8 else -0.35}, "inconclusive"),
    ("van-sandwich", RATES, "supported"),
    ("van-sandwich", RATES | {"value": half_too_large}, "contradicted"),
    ("van-sandwich", RATES | {"ns": NS, "seeds": 8}, "inconclusive"),
    ("van-saturate", FREE, "supported"),
    ("van-saturate", FREE | {"separation": lambda recipe, seed: 0.6}, "contradicted"),
    ("van-saturate", FREE | {"separation": lambda recipe, seed: 0.7 + 0.2 * (seed % 2)}, "inconclusive"),
    ("van-saturate", FREE | {"diverged": lambda recipe, n, seed: seed < 4}, "inconclusive"),
    ("van-stable", FREE | {"spread": lambda recipe, seed: 0.1 if recipe == "vanilla-none" else 0.9}, "supported"),
    ("van-stable", FREE | {"diverged": lambda recipe, n, seed: recipe == "vanilla-lp"}, "contradicted"),
    ("van-stable", FREE, "inconclusive"),
]


@pytest.mark.parametrize(("name", "law", "verdict"), CASES, ids=[f"{name} {verdict}" for name, _, verdict in CASES])
def test_runs_of_a_known_law_get_the_right_verdict(
    config: Study, simulated: Simulate, name: str, law: dict[str, Any], verdict: str
) -> None:
    found = row(config, name, simulated(**law))
    assert found.verdict == verdict, found.reason


def test_every_claim_is_measured_and_stands_in_paper_order(config: Study) -> None:
    assert list(config.claims) == list(MEASURES)
    assert {name for name, _, _ in CASES} == set(MEASURES)


def test_the_rate_claims_measure_the_distance_to_the_exponent_on_large_intrinsic_dimensions_only(
    config: Study, simulated: Simulate
) -> None:
    steep_where_it_does_not_count = {"slope": lambda recipe, intrinsic, dimension: -0.35 if intrinsic == 3 else -0.1}
    runs = simulated(PLANTED, MAIN, noise=0.001, **steep_where_it_does_not_count)
    vanilla, wgan = row(config, "van-rate", runs), row(config, "van-wgan", runs)
    assert vanilla.estimate == pytest.approx(-0.35 + 0.15, abs=0.002)
    assert wgan.estimate == pytest.approx(-0.35 + 0.3, abs=0.002)
    assert vanilla.runs == 48
    assert "the empirical measure has -0.35" in vanilla.reason


def test_wider_nets_are_compared_at_the_largest_n_and_the_course_is_told(config: Study, simulated: Simulate) -> None:
    runs = simulated(
        PLANTED, WIDTHS, NS, noise=0.001, scale=lambda recipe, n: 1.5 if recipe.endswith("_32") and n == 1024 else 1.0
    )
    found = row(config, "van-oracle", runs)
    assert found.estimate == pytest.approx(np.log(1.5), abs=0.002)
    assert re.search(r"0\.40\d at n = 1024\)", found.reason)
    assert "at n = 64, " in found.reason


def test_the_dimension_claim_is_the_mean_over_recipes(config: Study, simulated: Simulate) -> None:
    runs = simulated(
        ["surface-2in8", "surface-2in32", "surface-3in12"],
        MAIN,
        noise=0.001,
        slope=lambda recipe, intrinsic, dimension: -0.3 if recipe == "wgan-lp" or dimension == 8 else -0.26,
    )
    assert row(config, "van-intrinsic", runs).estimate == pytest.approx(0.02, abs=0.002)


def test_a_critic_outside_its_bounds_is_counted_on_the_right_side(config: Study, simulated: Simulate) -> None:
    low = row(config, "van-sandwich", simulated(PLANTED, MAIN, value=lambda recipe, w1: 1e-6))
    high = row(config, "van-sandwich", simulated(PLANTED, MAIN, value=lambda recipe, w1: w1))
    assert "of 96 runs 96 lie below the lower bound" in low.reason
    assert "of 96 runs 0 lie below the lower bound" in high.reason
    assert low.estimate == high.estimate == 0


def test_saturation_tells_what_the_missing_constraint_costs(config: Study, simulated: Simulate) -> None:
    runs = simulated(
        PLANTED,
        ["vanilla-none", "vanilla-lp"],
        noise=0.001,
        scale=lambda recipe, n: 2.0 if recipe == "vanilla-none" else 1.0,
        separation=lambda recipe, seed: 0.9 + 0.01 * (seed % 2),
    )
    found = row(config, "van-saturate", runs)
    assert found.estimate == pytest.approx(0.905)
    assert "means: 0.905 at n = 32" in found.reason
    assert "log ratio of W1 against vanilla-lp at n = 1024: 0.69" in found.reason


def test_stability_compares_only_where_both_ran(config: Study, simulated: Simulate) -> None:
    runs = pd.concat(
        [
            simulated(PLANTED[:1], ["vanilla-none"], [64, 256]),
            simulated(PLANTED[:1], ["vanilla-lp"], [64, 256, 1024], diverged=lambda recipe, n, seed: n == 1024),
        ]
    )
    found = row(config, "van-stable", runs)
    assert found.estimate == 0
    assert found.runs == 32


@pytest.mark.parametrize("name", list(MEASURES))
def test_a_claim_with_few_seeds_or_no_runs_is_inconclusive_with_a_reason(
    config: Study, simulated: Simulate, name: str
) -> None:
    everything = [*WIDTHS, "vanilla-none", "empirical"]
    few = simulated(["surface-3in12", "surface-3in48"], everything, NS, seeds=2)
    none = simulated(["digits"], ["empirical", "gaussian"], NS)
    assert row(config, name, few).verdict == "inconclusive"
    assert "few seeds" in row(config, name, few).reason
    assert row(config, name, none).verdict == "inconclusive"
    assert row(config, name, none).reason.startswith("missing: ")


def test_a_claim_that_the_study_does_not_know_is_a_mistake_of_the_user(config: Study, simulated: Simulate) -> None:
    renamed = config.model_copy(update={"claims": {"van-loos": config.claims["van-loose"]}})
    with pytest.raises(UserError, match="'van-loos' is unknown; did you mean 'van-loose'"):
        judge_claims(renamed, MEASURES, simulated(PLANTED, MAIN, NS, seeds=2))

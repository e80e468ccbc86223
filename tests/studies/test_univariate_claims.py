from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.studies.univariate_runs import CUBES, simulate
from wgpipe.config import Study
from wgpipe.settings import read_yaml, validated
from wgpipe.studies.claims import ClaimRow, judge_claims
from wgpipe.studies.univariate_claims import MEASURES

FILE = Path(__file__).parents[2] / "config" / "studies" / "univariate.yaml"
SPEEDS = ["curve-1", "curve-2", "curve-4", "curve-8"]
LENGTHS = (32, 64, 128, 256)


@pytest.fixture(scope="module")
def settings() -> Study:
    return validated(Study, read_yaml(FILE), FILE.name)


def row(settings: Study, name: str, runs: pd.DataFrame) -> ClaimRow:
    chosen = settings.model_copy(update={"claims": {name: settings.claims[name]}})
    (only,) = judge_claims(chosen, MEASURES, runs)
    return only


PLANE: dict[str, Any] = {"datasets": ["cube-2in2"], "recipes": SPEEDS}
TRAINED: dict[str, Any] = {"datasets": ["cube-2in2"], "recipes": ["wgan-gs16", "oracle"]}
WALKS: dict[str, Any] = {"datasets": CUBES, "recipes": ["curve-1"], "ns": LENGTHS}
TOTAL: dict[str, Any] = {"datasets": ["cube-3in3"], "recipes": ["curve-grow", "empirical", "oracle"]}


def one_run_is_off(recipe: str, n: int, seed: int) -> float:
    return 1.05 if recipe == "curve-4" and n == 16 else 1.0


CASES: list[tuple[str, dict[str, Any], str]] = [
    ("uni-optimum", PLANE, "supported"),
    ("uni-optimum", PLANE | {"ratio": one_run_is_off}, "contradicted"),
    ("uni-optimum", PLANE | {"ratio": lambda recipe, n, seed: 1 + 0.0005 * (seed % 4)}, "inconclusive"),
    ("uni-trained", TRAINED, "supported"),
    ("uni-trained", TRAINED | {"ratio": lambda recipe, n, seed: 0.8 if n == 16 else 5.0}, "contradicted"),
    ("uni-trained", TRAINED | {"ratio": lambda recipe, n, seed: 0.9 + 0.05 * (seed % 4)}, "inconclusive"),
    ("uni-K", PLANE, "supported"),
    ("uni-K", PLANE | {"power": -0.9}, "contradicted"),
    ("uni-K", PLANE | {"diverged": lambda recipe, n, seed: recipe == "curve-2" and seed < 4}, "inconclusive"),
    ("uni-length", WALKS, "supported"),
    ("uni-length", WALKS | {"length": lambda d: 1 - 2 / d - 0.2 * (d == 4)}, "contradicted"),
    ("uni-length", WALKS | {"length": lambda d: 1 - 2 / d - 0.08 * (d == 6)}, "inconclusive"),
    ("uni-rate", TOTAL, "supported"),
    ("uni-rate", TOTAL | {"slope": lambda recipe, d: -0.15 if recipe == "curve-grow" else -1 / d}, "contradicted"),
    ("uni-rate", TOTAL | {"slope": lambda recipe, d: -1 / d + 0.04 * (recipe == "curve-grow")}, "inconclusive"),
]


@pytest.mark.parametrize(("name", "law", "verdict"), CASES, ids=[f"{name} {verdict}" for name, _, verdict in CASES])
def test_runs_of_a_known_law_get_the_right_verdict(
    settings: Study, name: str, law: dict[str, Any], verdict: str
) -> None:
    found = row(settings, name, simulate(**law))
    assert found.verdict == verdict, found.reason


def test_every_claim_is_measured_and_stands_in_paper_order(settings: Study) -> None:
    assert list(settings.claims) == list(MEASURES)
    assert {name for name, _, _ in CASES} == set(MEASURES)


def test_the_optimum_is_judged_by_the_worst_curve_of_a_seed(settings: Study) -> None:
    found = row(settings, "uni-optimum", simulate(**PLANE, ratio=one_run_is_off))
    assert found.estimate == pytest.approx(0.05)
    assert "largest 0.05, of 128 curves" in found.reason


def test_trained_curves_slower_than_k0_have_no_ratio_and_are_told_by_their_certificate(settings: Study) -> None:
    runs = simulate(
        **TRAINED,
        times_k0=lambda recipe, n, seed: 0.9 if n >= 32 else 2.0,
        ratio=lambda recipe, n, seed: 0.1 if n >= 32 else 2.0 + n / 8,
    )
    found = row(settings, "uni-trained", runs)
    assert found.estimate == pytest.approx(3.0)
    assert "n = 16: geometric mean ratio 4, 8 of 8 runs with K >= K0" in found.reason
    assert "n = 64: no ratio, 0 of 8 runs with K >= K0" in found.reason
    assert "where K < K0 the certificate is 80% of W1" in found.reason
    assert found.runs == 16


def test_no_curve_fast_enough_is_no_verdict(settings: Study) -> None:
    found = row(settings, "uni-trained", simulate(**TRAINED, times_k0=lambda recipe, n, seed: 0.5))
    assert found.verdict == "inconclusive"
    assert "has a curve of speed K >= K0" in found.reason


def test_diverged_trainings_give_no_verdict(settings: Study) -> None:
    found = row(settings, "uni-trained", simulate(**TRAINED, diverged=lambda recipe, n, seed: seed < 1))
    assert found.verdict == "inconclusive"
    assert found.reason.startswith("diverged: 1 of 8 members of wgan-gs16 on cube-2in2 failed")


def test_the_law_of_the_sum_is_judged_where_it_is_furthest_off_and_all_slopes_are_told(settings: Study) -> None:
    runs = simulate(**WALKS, length=lambda d: 1 - 2 / d - 0.01 * d, noise=1e-6)
    found = row(settings, "uni-length", runs)
    assert found.estimate == pytest.approx(-0.06, abs=0.002)
    assert "0.303 on cube-3in4 (0.333)" in found.reason
    assert found.runs == 4 * len(LENGTHS) * 8


def test_the_interval_of_the_sum_holds_for_all_dimensions_together(settings: Study) -> None:
    """Bonferroni: with four dimensions it is wider than that of one alone, by the ratio of Student's quantiles."""
    four, one = (row(settings, "uni-length", simulate(**WALKS | {"datasets": names})) for names in (CUBES, CUBES[:1]))
    assert four.ci_high - four.ci_low > one.ci_high - one.ci_low


def test_small_samples_do_not_count_for_the_law_of_the_sum(settings: Study) -> None:
    small = simulate(CUBES, ["curve-1"], (8, 16), length=lambda d: 5.0)
    found = row(settings, "uni-length", pd.concat([small, simulate(**WALKS)]))
    assert found.verdict == "supported"


def test_the_rate_is_judged_from_three_dimensions_on_and_tells_how_k_grows(settings: Study) -> None:
    slow_in_the_plane = {"slope": lambda recipe, d: -0.1 if (recipe, d) == ("curve-grow", 2) else -1 / d}
    runs = simulate(**TOTAL | {"datasets": ["cube-2in2", "cube-3in3"]} | slow_in_the_plane, noise=0.001)
    found = row(settings, "uni-rate", runs)
    assert found.estimate == pytest.approx(0, abs=0.005)
    assert "on cube-3in3 slopes -0.333 and -0.333, -1/d* = -0.333" in found.reason
    assert "K grows with slope 0.667 and K0 with 0.667" in found.reason


def test_a_rate_below_its_null_is_no_verdict(settings: Study) -> None:
    runs = simulate(**TOTAL).assign(null=0.5)
    found = row(settings, "uni-rate", runs)
    assert found.verdict == "inconclusive"
    assert found.reason.startswith("floor: a slope needs 3 usable n")


@pytest.mark.parametrize("name", list(MEASURES))
def test_a_claim_with_few_seeds_or_no_runs_is_inconclusive_with_a_reason(settings: Study, name: str) -> None:
    everything = [*SPEEDS, "curve-grow", "wgan-gs16", "empirical", "oracle"]
    few = row(settings, name, simulate(["cube-3in3"], everything, (8, 32, 64, 128), seeds=2))
    none = row(settings, name, simulate(["cube-3in3"], ["oracle"]))
    assert few.verdict == none.verdict == "inconclusive"
    assert "few seeds" in few.reason
    assert none.reason.startswith("missing: ")
    assert np.isnan(none.estimate)

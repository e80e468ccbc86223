"""Tables, figures and claims of `coulomb`, from runs whose numbers are known by construction."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from PIL import Image
from scipy import stats

from tests.studies.coulomb_runs import DIMENSIONS, coulomb_runs
from tests.studies.written import row_of, table
from wgpipe import registry
from wgpipe.citations import known
from wgpipe.config import Config, Study
from wgpipe.resolve import check_study
from wgpipe.settings import read_yaml, validated
from wgpipe.studies import style
from wgpipe.studies.claims import ClaimRow, judge_claims
from wgpipe.studies.coulomb import CoulombGans
from wgpipe.studies.coulomb_claims import MEASURES
from wgpipe.studies.coulomb_runs import published_modes
from wgpipe.studies.coulomb_tables import factor_runs, factor_table

FILE = Path(__file__).parents[2] / "config" / "studies" / "coulomb.yaml"
REPORT = Path(__file__).parents[2] / "workflow" / "report" / "coulomb"
FIGURES = {"scatter", "modes", "factors", "decay", "harmonic", "controls", "critic"}
TABLES = {"modes", "factors", "checks", "flow", "harmonic", "runs", "protocols"}
FILES = {f"{name}.{kind}" for name in FIGURES for kind in ("pdf", "svg", "png")}
FILES |= {f"{name}.csv" for name in TABLES} | {"modes.tex"}


@pytest.fixture(scope="module")
def settings() -> Study:
    return validated(Study, read_yaml(FILE), FILE.name)


@pytest.fixture(scope="module")
def runs() -> pd.DataFrame:
    return coulomb_runs(diverged=lambda recipe, seed: recipe == "began" and seed == 4)


@pytest.fixture(scope="module")
def folder(settings: Study, runs: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("built") / "coulomb"
    rows = CoulombGans().build(settings, runs, out)
    assert [row.id for row in rows] == list(settings.claims)
    return out


def claim(settings: Study, name: str, runs: pd.DataFrame) -> ClaimRow:
    (only,) = judge_claims(settings.model_copy(update={"claims": {name: settings.claims[name]}}), MEASURES, runs)
    return only


def flat(value: float) -> Callable[[str, str], float]:
    return lambda data, recipe: value


def test_every_table_and_figure_is_written_and_nothing_else(settings: Study, folder: Path) -> None:
    assert {path.name for path in folder.iterdir()} == FILES
    assert (set(settings.tables), set(settings.latex), set(settings.figures)) == (TABLES, {"modes"}, FIGURES)
    assert {path.stem for path in REPORT.iterdir()} == FIGURES | {f"{name}_table" for name in TABLES}
    for given in settings.claims.values():
        assert given.figure in FIGURES
        assert given.table in TABLES


def test_a_second_build_gives_the_same_bytes_whatever_the_order_of_rows(
    settings: Study, runs: pd.DataFrame, folder: Path, tmp_path: Path
) -> None:
    with mpl.rc_context({"font.size": 20}):
        CoulombGans().build(settings, runs.sample(frac=1, random_state=np.random.default_rng(5)), tmp_path)
    for name in sorted(FILES):
        assert (tmp_path / name).read_bytes() == (folder / name).read_bytes(), name


def test_figures_have_a_papers_widths(folder: Path) -> None:
    for name in FIGURES:
        with Image.open(folder / f"{name}.png") as image:
            assert image.width == (680 if name == "factors" else 1400), name


def test_modes_have_students_interval_real_data_first_and_published_rows_below(folder: Path) -> None:
    rows = [found for found in table(folder, "modes") if found["dataset"] == "ring-8"]
    assert rows[0]["recipe"] == "real data"
    assert [found["source"] for found in rows][-2:] == ["PacGAN (Lin et al. 2018)"] * 2
    assert [found["modes"] for found in rows][-2:] == ["6.3", "7.9"]
    found = row_of(folder, "modes", dataset="ring-8", recipe="gan", source="our runs")
    values = 7 * (1 + 0.02 * np.cos(3 * np.arange(5) + len("modes_captured")))
    reach = stats.t.ppf(0.975, 4) * values.std(ddof=1) / 5**0.5
    assert float(found["modes"]) == pytest.approx(values.mean(), rel=1e-5)
    assert float(found["modes_high"]) == pytest.approx(values.mean() + reach, rel=1e-5)
    assert row_of(folder, "modes", dataset="ring-8", recipe="began")["failed"] == "1"


def test_published_counts_are_those_of_the_papers() -> None:
    told = published_modes().groupby(["dataset", "method"])["modes"].apply(list)
    assert told["grid-25", "GAN"] == [3.3, 17.3]
    assert told["grid-25", "VEEGAN"] == [24.6]
    assert told["grid-25", "PacGAN4"] == [24.8]


def test_the_latex_table_has_the_best_of_our_methods_in_bold(folder: Path) -> None:
    lines = (folder / "modes.tex").read_text(encoding="utf-8").splitlines()
    assert not any("real data" in line and r"\mathbf" in line for line in lines)
    assert sum("ring-8" in line and r"\mathbf" in line for line in lines) >= 1
    assert any(r"$17.3$ $\pm$ $0.8$" in line for line in lines)
    columns = lines[2].removeprefix(r"\begin{tabular}{").rstrip("}")
    assert all(line.count(" & ") == len(columns) - 1 for line in lines if line.endswith(r"\\"))


def test_factors_are_compared_over_the_levels_of_the_others(settings: Study) -> None:
    effect = {"gan": 10, "gan_short": 7, "gan_maxout": 14, "gan_maxout_short": 11}
    made = coulomb_runs({"modes_captured": lambda data, recipe: effect.get(recipe, 5)}, noise=0)
    made.loc[(made["metric"] == "modes_captured") & (made["n"] == 256), "value"] -= 2
    found = factor_table(factor_runs(settings, made)).set_index("factor")
    assert found["effect"].to_dict() == pytest.approx({"n": 2, "architecture": 4, "steps": 3})
    assert found.loc["steps", ["from", "to"]].tolist() == ["short", "long"]
    assert found.loc["architecture", ["from", "to"]].tolist() == ["mlp", "maxout"]


def test_the_harmonic_table_says_where_theory_and_sign_agree(folder: Path) -> None:
    rows = table(folder, "harmonic")
    assert len(rows) == 3 * len(DIMENSIONS)
    assert all(
        found["superharmonic"] == found["predicted"] == str(float(found["D"]) <= int(found["m"])) for found in rows
    )


def but_flow(value: float) -> Callable[[str, str], float]:
    return lambda data, recipe: 0.05 if recipe in ("oracle", "flow") else value


TOY_SHORT = {"modes_balanced": flat(20.0)}
CASES: list[tuple[str, dict[str, Any], str]] = [
    ("cou-modes", {"noise": 0.001}, "supported"),
    ("cou-modes", {"laws": TOY_SHORT}, "contradicted"),
    ("cou-modes", {"laws": {"modes_balanced": flat(24.0)}, "noise": 0.01}, "inconclusive"),
    ("cou-modes", {"diverged": lambda recipe, seed: recipe == "coulomb-toy" and seed < 2}, "inconclusive"),
    ("cou-flow", {}, "supported"),
    ("cou-flow", {"rates": lambda name: 0.35 if name == "logistic_rate" else 1.0}, "contradicted"),
    ("cou-flow", {"rates": lambda name: 12.57}, "contradicted"),
    ("cou-flow", {"rates": lambda name: 0.9, "noise": 0.05}, "inconclusive"),
    ("cou-harmonic", {}, "supported"),
    ("cou-harmonic", {"laplacian": lambda d, m: d - m - 1.01}, "contradicted"),
    ("cou-selfterm", {}, "supported"),
    ("cou-selfterm", {"laws": {"self_term": flat(1.001)}}, "contradicted"),
    ("cou-field", {}, "supported"),
    ("cou-field", {"laws": {"field_ratio": flat(1.5)}}, "contradicted"),
    ("cou-field", {"laws": {"field_ratio": flat(1.0)}, "noise": 0.1}, "inconclusive"),
    ("cou-support", {}, "supported"),
    ("cou-support", {"laws": {"birthday_support": flat(500.0)}}, "contradicted"),
    ("cou-support", {"laws": {"birthday_support": flat(2000.0)}, "noise": 0.2}, "inconclusive"),
    ("cou-memorise", {}, "supported"),
    ("cou-memorise", {"laws": {"neighbour_ratio": flat(0.3)}}, "contradicted"),
    ("cou-memorise", {"laws": {"neighbour_ratio": flat(0.9)}}, "inconclusive"),
    ("cou-nash", {}, "supported"),
    ("cou-nash", {"laws": {"plummer_mmd": but_flow(0.3)}}, "contradicted"),
    ("cou-nash", {"laws": {"plummer_mmd": but_flow(0.1)}}, "inconclusive"),
]


@pytest.mark.parametrize(("name", "law", "verdict"), CASES, ids=[f"{name} {verdict}" for name, _, verdict in CASES])
def test_runs_of_a_known_law_get_the_right_verdict(
    settings: Study, name: str, law: dict[str, Any], verdict: str
) -> None:
    found = claim(settings, name, coulomb_runs(**law))
    assert found.verdict == verdict, found.reason


@pytest.mark.parametrize(
    ("name", "laws", "why"),
    [
        ("cou-nash", {"plummer_mmd": flat(0.3)}, "flow, the exact flow, has 1.79"),
        ("cou-modes", {"high_quality": flat(0.02), "modes_balanced": flat(20.0)}, "2% of the points lie on modes"),
        ("cou-modes", {"high_quality": flat(0.02)}, "2% of the points lie on modes"),
    ],
)
def test_no_verdict_rests_on_a_protocol_whose_control_fails(
    settings: Study, name: str, laws: dict[str, Any], why: str
) -> None:
    found = claim(settings, name, coulomb_runs(laws=laws, noise=0.001))
    assert found.verdict == "inconclusive"
    assert found.reason.startswith(f"unfit: {why}")
    assert np.isfinite(found.estimate)


def test_every_claim_is_measured_and_stands_in_paper_order(settings: Study) -> None:
    assert list(settings.claims) == list(MEASURES)
    assert {name for name, _, _ in CASES} == set(MEASURES)


@pytest.mark.parametrize("name", list(MEASURES))
def test_a_claim_with_few_seeds_or_no_runs_is_inconclusive_with_a_reason(settings: Study, name: str) -> None:
    few, none = coulomb_runs(seeds=range(2)), coulomb_runs().iloc[:0]
    assert claim(settings, name, few).verdict == "inconclusive"
    assert claim(settings, name, few).reason.startswith("few seeds")
    assert claim(settings, name, none).verdict == "inconclusive"
    assert claim(settings, name, none).reason.startswith("missing: ")


def test_a_member_that_diverged_once_in_many_is_left_out_and_told(settings: Study) -> None:
    made = coulomb_runs(seeds=range(20), diverged=lambda recipe, seed: recipe == "coulomb" and seed == 7)
    found = claim(settings, "cou-memorise", made)
    assert found.verdict == "supported"
    assert "2 of 60 runs failed and are left out" in found.reason
    assert found.seeds == 19


def test_the_worse_of_both_rates_decides_and_both_are_told(settings: Study) -> None:
    found = claim(settings, "cou-flow", coulomb_runs(rates=lambda name: 0.8 if name == "decay_rate" else 1.0, noise=0))
    assert found.estimate == pytest.approx(0.8)
    assert "logistic 1 [1, 1]" in found.reason
    assert "ε = 0.2" in found.reason


@pytest.mark.parametrize("keep", ["nothing", "lost", "flows"])
def test_missing_runs_make_panels_that_say_so(settings: Study, keep: str, tmp_path: Path) -> None:
    made = coulomb_runs()
    flows = made["recipe"] == "flow-space"
    chosen = {"nothing": made.iloc[:0], "flows": made[flows]}.get(keep, made)
    if keep == "lost":
        chosen = made.assign(status="diverged", value=np.nan, excess=np.nan)
    rows = CoulombGans().build(settings, chosen, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == FILES
    assert len(rows) == 8
    if keep in ("nothing", "lost"):
        assert {found.verdict for found in rows} == {"inconclusive"}
        for name, sentence in (
            ("scatter", "no generated points"),
            ("decay", "no flow on a ball"),
            ("harmonic", "no run with a Laplacian"),
            ("controls", "no finished run on a mixture"),
            ("critic", "no history of a critic"),
            ("factors", "no finished run of the original GAN"),
        ):
            assert f"<!-- {sentence}" in (tmp_path / f"{name}.svg").read_text(encoding="utf-8"), name


def test_every_recipe_has_a_look_of_its_own(settings: Study) -> None:
    assert set(style.LOOKS) >= {*settings.recipes, *settings.controls}
    looks = [style.look(name) for name in settings.recipes if name != "flow-space"]
    assert len(set(looks)) == len(looks)


@pytest.mark.parametrize("scale", ["smoke", "quick", "full"])
def test_the_settings_are_valid_at_every_scale(settings: Study, scale: str) -> None:
    check_study(settings, Config(scale=scale, studies=["coulomb"], seeds=["0-7"]), FILE)


def test_the_study_is_registered_under_the_name_of_its_file_and_cites_what_is_known(settings: Study) -> None:
    study = registry.load("study", settings.study)
    assert study.registered_name == FILE.stem == settings.study
    assert {*study.cites, *settings.cites} <= set(known())

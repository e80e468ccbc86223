"""The study's tables and figures, from runs whose scores are known by construction."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest

from tests.studies.convex_simulated import LENGTHS, TRUE_COST, simulate
from tests.studies.written import row_of, table
from wgpipe import registry
from wgpipe.citations import known
from wgpipe.config import Study
from wgpipe.settings import read_yaml, validated
from wgpipe.studies.convex_potentials import ConvexPotentials
from wgpipe.studies.convex_runs import dual_runs, errors
from wgpipe.studies.convex_tables import budgets, steps_to
from wgpipe.theory.two_point import paper_bound, projection

FILE = Path(__file__).parents[2] / "config" / "studies" / "convex_potentials.yaml"
REPORT = Path(__file__).parents[2] / "workflow" / "report" / "convex_potentials"
KINDS = ("pdf", "svg", "png")


@pytest.fixture(scope="module")
def settings() -> Study:
    return validated(Study, read_yaml(FILE), FILE.name)


@pytest.fixture(scope="module")
def runs() -> pd.DataFrame:
    return simulate(diverged=lambda recipe, seed: recipe == "gan-q" and seed == 3)


@pytest.fixture(scope="module")
def folder(settings: Study, runs: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("built") / "convex_potentials"
    rows = ConvexPotentials().build(settings, runs, out)
    assert [row.id for row in rows] == list(settings.claims)
    return out


def files(settings: Study) -> set[str]:
    drawn = {f"{name}.{kind}" for name in settings.figures for kind in KINDS}
    return drawn | {f"{name}.csv" for name in settings.tables} | {f"{name}.tex" for name in settings.latex}


def test_every_table_figure_and_caption_is_there_and_nothing_else(settings: Study, folder: Path) -> None:
    assert {path.name for path in folder.iterdir()} == files(settings)
    captions = {*settings.figures, *(f"{name}_table" for name in settings.tables)}
    assert {path.stem for path in REPORT.iterdir()} == captions
    for claim in settings.claims.values():
        assert claim.figure in settings.figures
        assert claim.table in settings.tables


def test_a_second_build_gives_the_same_bytes_whatever_the_order_of_rows_and_the_users_settings(
    settings: Study, runs: pd.DataFrame, folder: Path, tmp_path: Path
) -> None:
    shuffled = runs.sample(frac=1, random_state=np.random.default_rng(5))
    with mpl.rc_context({"font.size": 20, "axes.grid": True}):
        ConvexPotentials().build(settings, shuffled, tmp_path)
    for name in sorted(files(settings)):
        assert (tmp_path / name).read_bytes() == (folder / name).read_bytes(), name


def test_nothing_but_the_null_makes_every_claim_inconclusive_and_every_panel_says_so(
    settings: Study, runs: pd.DataFrame, tmp_path: Path
) -> None:
    for number, fewer in enumerate((runs[runs["recipe"] == "oracle"], runs.iloc[:0], runs.assign(value=np.nan))):
        rows = ConvexPotentials().build(settings, fewer, tmp_path / str(number))
        assert {row.verdict for row in rows} == {"inconclusive"}
        assert all(row.reason for row in rows)
        assert {path.name for path in (tmp_path / str(number)).iterdir()} == files(settings)
    for name, sentence in (
        ("rates", "no map has finished"),
        ("work", "no two trainings"),
        ("gans", "no generator has"),
    ):
        assert f"<!-- {sentence}" in (tmp_path / "0" / f"{name}.svg").read_text(encoding="utf-8")


def test_errors_vanish_at_the_truth_and_have_a_null_of_0() -> None:
    rows = errors(simulate(noise=0.0))
    assert (rows["null"] == 0).all()
    own = rows[(rows["recipe"] == "icnn") & (rows["n"] == 256) & (rows["seed"] == 0)].set_index("metric")["value"]
    assert own["map_error"] == pytest.approx(3 / 16)
    assert own["squared_map_error"] == pytest.approx((3 / 16) ** 2)
    closed = rows[(rows["recipe"] == "q-closed") & (rows["metric"] == "value_error") & (rows["n"] == 256)]
    assert closed["value"].to_numpy() == pytest.approx(0.5 / 16)


def test_values_are_compared_with_the_cost_of_the_same_points_run_by_run(runs: pd.DataFrame, folder: Path) -> None:
    each = dual_runs(runs)
    known_rows = each[each["excess"].notna()]
    assert known_rows["excess"].to_numpy() == pytest.approx(-0.02)
    assert known_rows["loose"].to_numpy() == pytest.approx(-0.01)
    found = row_of(folder, "values", dataset="gaussian_pair-2", recipe="icnn", n="256")
    assert (float(found["held"]), found["loose"]) == (1, "0")
    assert float(found["w2_true"]) == TRUE_COST


def test_steps_come_from_the_two_lengths_around_the_threshold(settings: Study) -> None:
    names = [f"{kind}_{length}" for kind in ("icnn", "homotopy") for length in LENGTHS]
    own = budgets(settings, names, simulate(noise=0.0, homotopy=0.7))
    assert sorted(set(own["length"])) == list(LENGTHS)
    found = steps_to(own, 7.0)
    assert found.loc[found["homotopy"], "steps"].to_numpy() == pytest.approx(70)
    assert found.loc[~found["homotopy"], "steps"].to_numpy() == pytest.approx(100)
    assert set(steps_to(own, 0.1)["note"]) == {"above at the longest"}
    assert set(steps_to(own, 50.0)["note"]) == {"below at the shortest"}
    assert steps_to(own, 50.0)["steps"].isna().all()


def test_work_is_passes_times_steps(folder: Path) -> None:
    icnn = row_of(folder, "work", dataset="gaussian_pair-2", recipe="icnn")
    longer = row_of(folder, "work", dataset="gaussian_pair-2", recipe="plan-l2_work")
    assert icnn["passes"] == longer["passes"] == "3600"
    assert (icnn["n"], longer["steps"]) == ("4096", "1200")
    assert not [row for row in table(folder, "work") if row["recipe"] == "q-closed"]


def test_the_example_of_two_points_has_both_bounds(folder: Path) -> None:
    rows = table(folder, "two_point")
    assert [float(row["excess"]) for row in rows] == [0.1, 0.4]
    for row in rows:
        excess = float(row["excess"])
        assert float(row["formula"]) == pytest.approx(projection(excess), rel=1e-5)
        assert float(row["bound"]) == pytest.approx(paper_bound(excess), rel=1e-5)
        assert float(row["projection"]) == pytest.approx(projection(excess), rel=1e-5)


def test_generators_that_failed_are_counted_and_modes_stand_where_they_were_measured(folder: Path) -> None:
    found = row_of(folder, "gans", recipe="gan-q")
    assert (found["seeds"], found["failed"], found["collapsed"]) == ("7", "1", "0")
    assert float(found["modes"]) == pytest.approx(24 + 3 / 7, rel=1e-4)
    assert float(found["w2_null"]) == 0.2


def test_the_study_is_registered_under_the_name_of_its_file_and_cites_what_is_known(settings: Study) -> None:
    study = registry.load("study", settings.study)
    assert study.registered_name == FILE.stem == settings.study
    assert {*study.cites, *settings.cites} <= set(known())

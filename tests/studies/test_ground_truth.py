"""The study's tables and figures, from runs whose scores are known by construction."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from PIL import Image
from scipy import stats

from tests.studies.truth_runs import (
    CRITICS,
    FUNNELS,
    GAUSSIANS,
    MAPS,
    MIXTURES,
    SPREAD,
    TRUE_COST,
    TRUE_W1,
    cosine,
    truth_runs,
    uvp,
)
from tests.studies.written import table
from wgpipe import registry
from wgpipe.citations import known
from wgpipe.config import Config, Study
from wgpipe.resolve import check_study
from wgpipe.settings import read_yaml, validated
from wgpipe.studies import style
from wgpipe.studies.ground_truth import GroundTruth
from wgpipe.studies.published_scores import W1_SOLVERS, W2_SOLVERS, published_uvp, published_w1, w1_scores, w2_scores
from wgpipe.studies.truth_tables import summary_table

FILE = Path(__file__).parents[2] / "config" / "studies" / "ground_truth.yaml"
REPORT = Path(__file__).parents[2] / "workflow" / "report" / "ground_truth"
FIGURES = {"dimension", "gradients", "maps"}
TABLES = {"w1", "w2", "gaussian", "line", "summary", "protocols"}
LATEX = {"w1", "w2", "gaussian", "line"}
FILES = {f"{name}.{kind}" for name in FIGURES for kind in ("pdf", "svg", "png")}
FILES |= {f"{name}.csv" for name in TABLES} | {f"{name}.tex" for name in LATEX}
REACH = 0.01 * stats.t.ppf(0.975, 3) * SPREAD.std(ddof=1) / 2  # of every score, relative


@pytest.fixture(scope="module")
def settings() -> Study:
    return validated(Study, read_yaml(FILE), FILE.name)


@pytest.fixture(scope="module")
def runs() -> pd.DataFrame:
    return truth_runs(diverged=lambda recipe, seed: recipe == "critic-spectral" and seed == 3)


@pytest.fixture(scope="module")
def folder(settings: Study, runs: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("built") / "ground_truth"
    assert GroundTruth().build(settings, runs, out) == []
    return out


def row(folder: Path, name: str, dataset: str, recipe: str) -> dict[str, str]:
    (found,) = [row for row in table(folder, name) if (row["dataset"], row["recipe"]) == (dataset, recipe)]
    return found


def test_every_table_and_figure_is_written_and_nothing_else(settings: Study, folder: Path) -> None:
    assert {path.name for path in folder.iterdir()} == FILES
    assert (set(settings.tables), set(settings.latex), set(settings.figures)) == (TABLES, LATEX, FIGURES)
    assert {path.stem for path in REPORT.iterdir()} == FIGURES | {f"{name}_table" for name in TABLES}


def test_a_second_build_gives_the_same_bytes_whatever_the_order_of_rows_and_the_users_settings(
    settings: Study, runs: pd.DataFrame, folder: Path, tmp_path: Path
) -> None:
    shuffled = runs.sample(frac=1, random_state=np.random.default_rng(5))
    with mpl.rc_context({"font.size": 20, "axes.grid": True}):
        GroundTruth().build(settings, shuffled, tmp_path)
    for name in sorted(FILES):
        assert (tmp_path / name).read_bytes() == (folder / name).read_bytes(), name


def test_figures_are_as_wide_as_a_page(folder: Path) -> None:
    for name in FIGURES:
        with Image.open(folder / f"{name}.png") as image:
            assert image.width == 1400


def test_pairs_are_sorted_into_tables_by_what_they_are(folder: Path) -> None:
    datasets = {name: list(dict.fromkeys(row["dataset"] for row in table(folder, name))) for name in LATEX}
    assert datasets["w1"] == list(FUNNELS)
    assert datasets["w2"] == list(MIXTURES)
    assert datasets["gaussian"] == list(GAUSSIANS)
    assert datasets["line"] == ["line_pair-uniform-normal", "two_point-10"]


def test_critics_have_their_scores_with_students_interval_and_the_truth_beside(folder: Path) -> None:
    found = row(folder, "w1", "published_funnels-4in4", "critic-gp")
    score = cosine("published_funnels-4in4", "critic-gp")
    assert float(found["cos"]) == pytest.approx(score, rel=1e-5)
    assert float(found["cos_low"]) == pytest.approx(score * (1 - REACH), rel=1e-5)
    assert float(found["cos_high"]) == pytest.approx(score * (1 + REACH), rel=1e-5)
    assert float(found["cos_formula"]) == pytest.approx(score - 0.02, rel=1e-5)
    assert float(found["ceiling"]) == pytest.approx(0.95)
    assert float(found["w1"]) == pytest.approx(TRUE_W1 * score, rel=1e-5)
    assert float(found["w1_true"]) == TRUE_W1
    assert (found["seeds"], found["failed"]) == ("4", "0")


def test_the_published_score_stands_beside_ours_by_the_same_formula_and_the_difference_has_our_interval(
    folder: Path,
) -> None:
    found = {
        name: float(value or "nan")
        for name, value in row(folder, "w1", "published_funnels-4in8", "critic-lp").items()
        if name not in ("dataset", "recipe")
    }
    assert found["cos_published"] == pytest.approx(0.961211, rel=1e-5)
    assert found["l2_published"] == pytest.approx(0.098038, rel=1e-5)
    assert found["w1_published"] == pytest.approx(1.984283, rel=1e-5)
    for column, ours in (("cos", "cos_formula"), ("l2", "l2_formula"), ("w1", "w1")):
        for end in ("", "_low", "_high"):
            difference = found[f"{ours}{end}"] - found[f"{column}_published"]
            assert found[f"{column}_difference{end}"] == pytest.approx(difference, abs=1e-5)
    assert row(folder, "w1", "published_funnels-4in8", "critic-relu1")["cos_published"] == ""


def test_runs_that_diverged_are_counted_and_left_out(folder: Path) -> None:
    for dataset in FUNNELS:
        found = row(folder, "w1", dataset, "critic-spectral")
        assert (found["seeds"], found["failed"]) == ("3", "1")
        score = cosine(dataset, "critic-spectral") * (1 + 0.01 * SPREAD[:3].mean())
        assert float(found["cos"]) == pytest.approx(score, rel=1e-5)


def test_maps_have_both_directions_where_the_method_has_them(folder: Path) -> None:
    found = row(folder, "w2", "mix3tomix10-4", "map-bures")
    assert float(found["uvp"]) == pytest.approx(uvp("mix3tomix10-4", "map-bures"), rel=1e-5)
    assert float(found["uvp_inverse"]) == pytest.approx(2 * uvp("mix3tomix10-4", "map-bures"), rel=1e-5)
    assert float(found["uvp_published"]) == 14.9
    assert float(found["uvp_difference"]) == pytest.approx(uvp("mix3tomix10-4", "map-bures") - 14.9, rel=1e-4)
    assert float(found["cost_true"]) == TRUE_COST
    assert row(folder, "w2", "mix3tomix10-4", "map-discrete")["uvp_inverse"] == ""


def test_the_summary_ranks_recipes_within_each_family_by_the_mean_over_shared_pairs(folder: Path) -> None:
    rows = table(folder, "summary")
    parts = {(row["family"], row["metric"]): [] for row in rows}
    for found in rows:
        parts[found["family"], found["metric"]].append(found)
    families = {"gradient_cos": ["w1", "line"], "uvp": ["w2", "gaussian", "line"]}
    assert set(parts) == {(family, metric) for metric, names in families.items() for family in names}
    for (_, metric), own in parts.items():
        assert [row["recipe"] for row in own] == (MAPS if metric == "uvp" else CRITICS)
        assert [int(row["rank"]) for row in own] == [1, 2, 3, 4, 5, 6]
    second = parts["w2", "uvp"][1]
    score = np.mean([uvp(name, "map-w2gn") for name in MIXTURES])
    assert float(second["score"]) == pytest.approx(score, rel=1e-5)
    assert float(second["ci_high"]) == pytest.approx(score * (1 + REACH), rel=1e-5)
    assert (second["method"], second["metric"], second["seeds"]) == ("w2gn", "uvp", "4")


def test_a_recipe_that_ran_on_fewer_pairs_is_compared_on_those(settings: Study, runs: pd.DataFrame) -> None:
    fewer = runs[(runs["dataset"] != "mix3tomix10-4") | (runs["recipe"] != "map-w2gn")]
    rows = summary_table(settings, fewer)
    rows = rows[rows["family"] == "w2"]
    assert set(rows["datasets"]) == {"mix3tomix10-2"}
    assert rows["score"].iloc[0] == pytest.approx(uvp("mix3tomix10-2", "map-icnn"))


def test_on_the_line_critics_and_maps_stand_in_one_table(folder: Path) -> None:
    critic = row(folder, "line", "line_pair-uniform-normal", "critic-lp")
    moved = row(folder, "line", "line_pair-uniform-normal", "map-icnn")
    assert (float(critic["w1_true"]), float(moved["cost_true"])) == (TRUE_W1, TRUE_COST)
    assert critic["uvp"] == moved["cos"] == ""
    assert float(critic["w1"]) == pytest.approx(TRUE_W1 * cosine("line_pair-uniform-normal", "critic-lp"), rel=1e-5)


def test_the_many_quantities_of_a_field_are_one_protocol(folder: Path) -> None:
    rows = table(folder, "protocols")
    assert [row["metric"] for row in rows if row["metric"].startswith("field")] == ["field"] * 4
    assert ("mix3tomix10-2", "uvp", "uvp[pairs=4096]") in {tuple(row.values()) for row in rows}


def test_the_latex_tables_have_the_best_of_each_pair_in_bold_and_a_row_of_the_truth(folder: Path) -> None:
    lines = (folder / "w1.tex").read_text(encoding="utf-8").splitlines()
    bold = [line for line in lines if r"\mathbf" in line]
    assert len(bold) == len(FUNNELS)
    assert all("critic-clip" in line and line.count(r"\mathbf") == 4 for line in bold)
    truths = [line for line in lines if "& truth &" in line]
    assert [line.split(" & ")[4] for line in truths] == ["$0.900$", "$0.950$", "$0.975$"]
    for name in LATEX:
        text = (folder / f"{name}.tex").read_text(encoding="utf-8").splitlines()
        columns = text[2].removeprefix(r"\begin{tabular}{").rstrip("}")
        assert all(line.count(" & ") == len(columns) - 1 for line in text if line.endswith(r"\\"))


def test_without_runs_of_a_family_its_table_is_empty_and_figures_say_so(
    settings: Study, runs: pd.DataFrame, tmp_path: Path
) -> None:
    lost = runs[(runs["dataset"] == "published_funnels-4in4") & (runs["recipe"] == "critic-gp")].copy()
    lost["status"], lost["value"] = "diverged", lost["value"].where(lost["metric"] == "w1_true")
    assert GroundTruth().build(settings, lost, tmp_path) == []
    assert {path.name for path in tmp_path.iterdir()} == FILES
    (only,) = table(tmp_path, "w1")
    assert (only["cos"], only["seeds"], only["failed"]) == ("", "0", "4")
    assert table(tmp_path, "w2") == table(tmp_path, "summary") == []
    for name, sentence in (
        ("dimension", "no finished run with a score"),
        ("gradients", "no critic of a two-dimensional pair"),
        ("maps", "no map of a two-dimensional pair"),
    ):
        assert f"<!-- {sentence}" in (tmp_path / f"{name}.svg").read_text(encoding="utf-8")


def test_published_scores_are_read_as_they_were_printed() -> None:
    assert published_w1("published_funnels-256in128", "critic-clip", "l2") == pytest.approx(175.96725463867188)
    assert published_uvp("mix3tomix10-256", "map-bures") == 67.4
    assert [published_uvp(f"mix3tomix10-{2**k}", "map-icnn") for k in range(1, 9)] == [
        *(0.2, 1.0, 1.8, 1.4),
        *(6.9, 8.1, 2.2, 2.6),
    ]
    assert (len(w1_scores()), len(w2_scores())) == (7 * 4 * 12, 8 * 5)


def test_nothing_is_published_about_own_pairs_and_other_recipes() -> None:
    assert np.isnan(published_w1("funnels-4in2", "critic-gp", "cos"))
    assert np.isnan(published_w1("published_funnels-4in2", "critic-relu1", "cos"))
    assert np.isnan(published_uvp("icnn_pair-2", "map-icnn"))
    assert np.isnan(published_uvp("mix3tomix10-2", "map-discrete"))


def test_solvers_and_recipes_go_by_their_names(settings: Study) -> None:
    assert {*W1_SOLVERS, *W2_SOLVERS} <= set(settings.recipes)
    assert set(W1_SOLVERS.values()) <= set(w1_scores().index.get_level_values("solver"))
    assert set(W2_SOLVERS.values()) <= set(w2_scores().index.get_level_values("solver"))


def test_every_recipe_has_its_own_look_among_those_of_its_kind(settings: Study) -> None:
    assert set(style.LOOKS) >= {*settings.recipes, *settings.controls}
    for kind in ("critic", "map"):
        looks = [style.look(name) for name in settings.recipes if name.startswith(kind)]
        assert len(set(looks)) == len(looks)


@pytest.mark.parametrize("scale", ["smoke", "quick", "lab", "full"])
def test_the_settings_are_valid_at_every_scale(settings: Study, scale: str) -> None:
    check_study(settings, Config(scale=scale, studies=["ground_truth"], seeds=["0-7"]), FILE)


def test_the_study_is_registered_under_the_name_of_its_file_and_cites_what_is_known(settings: Study) -> None:
    study = registry.load("study", settings.study)
    assert study.registered_name == FILE.stem == settings.study
    assert {*study.cites, *settings.cites} <= set(known())

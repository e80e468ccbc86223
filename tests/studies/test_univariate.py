import itertools
import warnings
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from tests.studies.univariate_runs import CUBES, simulate
from tests.studies.written import table
from wgpipe import registry
from wgpipe.citations import known
from wgpipe.config import Config, Study
from wgpipe.data import dataset
from wgpipe.resolve import check_study, study_recipes
from wgpipe.settings import read_yaml, validated
from wgpipe.studies.claims import ClaimRow
from wgpipe.studies.univariate import Univariate
from wgpipe.theory.curves import error_exponent, length_exponent

FILE = Path(__file__).parents[2] / "config" / "studies" / "univariate.yaml"
FIGURES = {"curves", "speed", "lengths", "trained", "total"}
TABLES = {"runs", "protocols", "optimal", "trained", "lengths", "rates"}
FILES = {f"{name}.{kind}" for name in FIGURES for kind in ("pdf", "svg", "png")}
FILES |= {f"{name}.csv" for name in TABLES} | {"trained.tex", "lengths.tex"}


@pytest.fixture(scope="module")
def settings() -> Study:
    return validated(Study, read_yaml(FILE), FILE.name)


@pytest.fixture(scope="module")
def runs() -> pd.DataFrame:
    plane = simulate(
        ["cube-2in2"],
        ["curve-1", "curve-2", "curve-4", "curve-8", "wgan-gs16", "wgan-free", "empirical", "oracle"],
        seeds=4,
        times_k0=lambda recipe, n, seed: {"curve-1": 1, "curve-2": 2, "curve-4": 4, "curve-8": 8}.get(recipe, 20 / n),
        diverged=lambda recipe, n, seed: recipe == "wgan-free" and n == 8 and seed == 2,
    )
    walks = simulate(CUBES, ["curve-1", "oracle"], (128, 256, 512), seeds=4)
    total = simulate(["cube-3in3"], ["curve-grow", "empirical", "oracle"], seeds=4)
    return pd.concat([plane, walks, total], ignore_index=True)


@pytest.fixture(scope="module")
def folder(settings: Study, runs: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("built") / "univariate"
    build(settings, runs, out)
    return out


def build(settings: Study, runs: pd.DataFrame, folder: Path) -> list[ClaimRow]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return Univariate().build(settings, runs, folder)


def test_every_table_and_figure_is_written_and_nothing_else(folder: Path, settings: Study) -> None:
    assert {path.name for path in folder.iterdir()} == FILES
    assert (set(settings.figures), set(settings.tables)) == (FIGURES, TABLES)
    assert {f"{name}.tex" for name in settings.latex} == {name for name in FILES if name.endswith(".tex")}


def test_every_figure_and_table_has_a_caption(settings: Study) -> None:
    captions = FILE.parents[2] / "workflow" / "report" / "univariate"
    expected = {*settings.figures, *(f"{name}_table" for name in settings.tables)}
    assert {path.stem for path in captions.glob("*.rst")} == expected


def test_a_second_build_gives_the_same_bytes_whatever_the_order_of_rows_and_the_users_settings(
    settings: Study, runs: pd.DataFrame, folder: Path, tmp_path: Path
) -> None:
    shuffled = runs.sample(frac=1, random_state=np.random.default_rng(5))
    with mpl.rc_context({"font.size": 20, "axes.grid": True}):
        build(settings, shuffled, tmp_path)
    for name in sorted(FILES):
        assert (tmp_path / name).read_bytes() == (folder / name).read_bytes(), name


def test_figures_are_as_wide_as_a_page(folder: Path) -> None:
    for name in FIGURES:
        with Image.open(folder / f"{name}.png") as image:
            assert image.width == 1400, name


def test_the_table_of_constructed_curves_holds_formula_and_measurement(folder: Path) -> None:
    rows = {(row["dataset"], row["recipe"], row["n"]): row for row in table(folder, "optimal")}
    curve = rows["cube-2in2", "curve-4", "16"]
    assert float(curve["times_k0"]) == pytest.approx(4)
    assert float(curve["w1"]) == pytest.approx(float(curve["formula"]))
    assert float(curve["difference"]) == pytest.approx(0, abs=1e-9)
    assert (curve["seeds"], curve["failed"]) == ("4", "0")


def test_the_table_of_trained_curves_has_ratios_where_the_formula_applies_alone(folder: Path) -> None:
    rows = {(row["recipe"], row["n"]): row for row in table(folder, "trained")}
    assert {recipe for recipe, _ in rows} == {"wgan-gs16", "wgan-free"}
    fast, slow, hit = rows["wgan-gs16", "8"], rows["wgan-gs16", "32"], rows["wgan-free", "8"]
    assert (fast["fitting"], slow["fitting"], slow["ratio"]) == ("4", "0", "")
    assert float(fast["ratio"]) == pytest.approx(3 * 1.0, rel=1e-6)
    assert float(slow["certificate"]) == pytest.approx(0.8 * float(slow["w1"]), rel=1e-4)
    assert (hit["failed"], hit["fitting"], hit["seeds"]) == ("1", "3", "4")


def test_the_table_of_lengths_has_slopes_of_both_quantities_beside_their_exponents(folder: Path) -> None:
    rows = {(row["dataset"], row["quantity"]): row for row in table(folder, "lengths")}
    assert {name for name, _ in rows} == set(CUBES)
    for name in CUBES:
        squared = rows[name, "walk_squared"]
        assert float(squared["exponent"]) == pytest.approx(length_exponent(float(squared["intrinsic"])), abs=1e-5)
        assert float(squared["slope"]) == pytest.approx(float(squared["exponent"]), abs=0.06)
        assert (squared["status"], rows[name, "walk_speed"]["status"]) == ("ok", "ok")
    assert rows["cube-2in2", "walk_squared"]["ns_used"] == "32 64 128 256 512"


def test_the_table_of_runs_leaves_out_what_is_only_drawn(folder: Path) -> None:
    columns = table(folder, "runs")[0].keys()
    assert {"curve_w1", "w1", "w1_null", "walk_squared"} <= columns
    assert not any(name.startswith("trace") for name in columns)


def test_latex_tables_are_complete(folder: Path) -> None:
    for name, columns in (("trained", 7), ("lengths", 7)):
        text = (folder / f"{name}.tex").read_text(encoding="utf-8")
        assert text.split("\n", 2)[2].startswith("\\begin{tabular}{llrrrrr}\n\\toprule")
        assert all(line.count(" & ") == columns - 1 for line in text.splitlines() if line.endswith(r"\\"))
    assert "0 of 4" in (folder / "trained.tex").read_text(encoding="utf-8")
    assert "32--512" in (folder / "lengths.tex").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "few",
    [
        simulate(["cube-2in2"], ["wgan-gs16", "oracle"], (16,), seeds=2, diverged=lambda recipe, n, seed: True),
        simulate(["cube-3in3"], ["curve-grow", "curve-1", "empirical", "oracle"], (8, 16), seeds=2),
    ],
    ids=["nothing finished", "two seeds"],
)
def test_few_or_failed_runs_give_all_files_and_no_verdict(settings: Study, few: pd.DataFrame, tmp_path: Path) -> None:
    rows = build(settings, few, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == FILES
    assert [row.id for row in rows] == list(settings.claims)
    assert all(row.verdict == "inconclusive" and row.reason for row in rows)


def test_panels_without_runs_say_so(settings: Study, tmp_path: Path) -> None:
    rows = build(settings, simulate(["cube-2in2"], ["oracle"], (8,), seeds=1), tmp_path)
    assert all(row.verdict == "inconclusive" and row.reason for row in rows)
    assert {path.name for path in tmp_path.iterdir()} == FILES
    for name, sentence in (
        ("curves", "no finished curve in the plane"),
        ("speed", "no finished curve of known speed"),
        ("lengths", "no finished walk through planted data"),
        ("trained", "no finished trained curve"),
        ("total", "no data on which both empirical and a curve ran"),
    ):
        assert f"<!-- {sentence}" in (tmp_path / f"{name}.svg").read_text(encoding="utf-8"), name


@pytest.mark.parametrize("scale", ["smoke", "quick", "full"])
def test_the_settings_are_valid_at_every_scale(settings: Study, scale: str) -> None:
    config = Config(scale=scale, studies=["univariate"], seeds=["0-7"])
    check_study(settings, config, FILE)
    for recipe in study_recipes(settings, config, FILE).values():
        for kind, piece in recipe.pieces():
            piece.build(kind)


def test_the_recipe_empirical_is_the_control_of_that_name_in_other_studies(settings: Study) -> None:
    file = FILE.with_name("vanilla_rates.yaml")
    other = validated(Study, read_yaml(file), file.name)
    for scale in ("smoke", "quick", "full"):
        ours, theirs = (
            study_recipes(study, Config(scale=scale, studies=[study.study], seeds=["0-7"]), FILE)
            for study in (settings, other)
        )
        assert ours["empirical"] == theirs["empirical"]


def test_bands_tell_neighbouring_dimensions_apart(settings: Study) -> None:
    lengths = [length_exponent(d) for d in (2, 3, 4, 6)]
    assert settings.claims["uni-length"].test.band < min(b - a for a, b in itertools.pairwise(lengths)) / 2
    assert settings.claims["uni-rate"].test.band < (error_exponent(4) - error_exponent(3)) / 2


def test_the_quick_grid_holds_what_every_claim_needs(settings: Study) -> None:
    parts = settings.scales["quick"].grid
    used = {name for part in parts for name in part.recipes}
    for name, claim in settings.claims.items():
        assert used & set(claim.recipes), name
        assert claim.test.min_seeds == 8
        assert claim.figure in FIGURES
        assert claim.table in TABLES
    assert used >= {*settings.claims["uni-K"].recipes, *settings.claims["uni-rate"].recipes}
    walked = {name for part in parts if "curve-1" in part.recipes for name in part.dataset_names()}
    assert {dataset(name).card().intrinsic for name in walked} >= {2, 3, 4, 6}


def test_the_study_is_registered_under_the_name_of_its_file_and_cites_what_is_known(settings: Study) -> None:
    study = registry.load("study", settings.study)
    assert study.registered_name == FILE.stem == settings.study
    assert {*study.cites, *settings.cites} <= set(known())

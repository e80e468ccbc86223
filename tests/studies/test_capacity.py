"""Everything that the study writes, from whole, missing and failed runs."""

from __future__ import annotations

import warnings
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from tests.studies.capacity_runs import CONTROLS, COURSE, CUBIC, FILE, RELU, settings, simulate
from tests.studies.written import table
from wgpipe import registry
from wgpipe.config import Config
from wgpipe.data import dataset
from wgpipe.resolve import check_study, study_recipes
from wgpipe.studies.capacity import Capacity
from wgpipe.studies.capacity_runs import agreement, critic, crossing, is_main, width
from wgpipe.studies.claims import ClaimRow

CONFIG = settings()
FILES = {f"{name}.{kind}" for name in CONFIG.figures for kind in ("pdf", "svg", "png")}
FILES |= {f"{name}.csv" for name in CONFIG.tables} | {f"{name}.tex" for name in CONFIG.latex}
GRID = ["moments-2", "relu-1", "deep", "moments-2_64", "deep_64"]


def build(runs: pd.DataFrame, folder: Path) -> list[ClaimRow]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return Capacity().build(CONFIG, runs, folder)


@pytest.fixture(scope="module")
def runs() -> pd.DataFrame:
    lost = lambda recipe, n, seed: recipe == "relu-1" and n == 64 and seed == 2  # noqa: E731
    whole = simulate([RELU], [*GRID, *CONTROLS], ns=[16, 64, 256], seeds=4, diverged=lost)
    falling = lambda recipe, degree: degree * 10 / int(recipe.split("-")[1])  # noqa: E731
    course = simulate([RELU], COURSE, ns=[256], seeds=4, moment=falling, noise=0.0)
    cubic = simulate([CUBIC], ["moments-2_cubic", *CONTROLS], ns=[16, 64, 256], seeds=4)
    return pd.concat([whole, course, cubic], ignore_index=True)


@pytest.fixture(scope="module")
def folder(runs: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("built") / "capacity"
    build(runs, out)
    return out


def test_every_table_and_figure_is_written_and_nothing_else(folder: Path) -> None:
    assert {path.name for path in folder.iterdir()} == FILES


def test_a_second_build_gives_the_same_bytes_whatever_the_order_of_rows_and_the_users_settings(
    runs: pd.DataFrame, folder: Path, tmp_path: Path
) -> None:
    with mpl.rc_context({"font.size": 20, "axes.grid": True}):
        build(runs.sample(frac=1, random_state=np.random.default_rng(5)), tmp_path)
    for name in sorted(FILES):
        assert (tmp_path / name).read_bytes() == (folder / name).read_bytes(), name


def test_figures_are_as_wide_as_a_page(folder: Path) -> None:
    for name in CONFIG.figures:
        with Image.open(folder / f"{name}.png") as image:
            assert image.width == 1400


def test_the_table_of_critics_says_capacity_and_distances(runs: pd.DataFrame, folder: Path) -> None:
    rows = {(row["dataset"], row["recipe"], row["n"]): row for row in table(folder, "critics")}
    wide = rows[RELU, "deep_64", "64"]
    assert (wide["critic"], wide["width"], wide["runs"], wide["failed"]) == ("deep", "64", "4", "0")
    own = runs[(runs["recipe"] == "deep_64") & (runs["n"] == 64)].set_index("metric")["value"]
    for metric in ("w1", "w1_train", "w1_heldout", "w1_gap"):
        assert float(wide[metric]) == pytest.approx(own[metric].median(), rel=1e-5)
        assert float(wide[f"{metric}_low"]) < float(wide[metric]) < float(wide[f"{metric}_high"])
    assert wide["w1_null"] == "0.03"
    assert rows[RELU, "empirical", "16"]["critic"] == rows[RELU, "empirical", "16"]["width"] == ""
    assert rows[RELU, "relu-1", "64"]["failed"] == "1"
    assert rows[CUBIC, "moments-2_cubic", "16"]["critic"] == "moments-2"


def test_rates_are_those_of_generators_of_the_datas_form(folder: Path) -> None:
    recipes = {row["recipe"] for row in table(folder, "rates")}
    assert recipes == {"moments-2", "relu-1", "deep", "moments-2_cubic", "empirical", "gaussian"}
    assert float(next(row["slope"] for row in table(folder, "rates") if row["recipe"] == "deep")) == pytest.approx(
        -0.3, abs=0.03
    )


def test_the_steps_at_which_moments_are_learned(folder: Path) -> None:
    rows = table(folder, "order")
    assert len(rows) == 4
    for row in rows:
        assert [float(row[f"step_degree{degree}"]) for degree in (1, 2, 3, 4)] == pytest.approx([40, 80, 120, 160])


def test_fooled_critics_stand_beside_their_nulls(folder: Path) -> None:
    rows = {(row["dataset"], row["recipe"], row["n"]): row for row in table(folder, "fooled")}
    assert float(rows[RELU, "gaussian", "16"]["fooled_degree2"]) == pytest.approx(1e-14)
    assert float(rows[RELU, "gaussian", "16"]["fooled_w1"]) == pytest.approx(0.3, rel=0.1)
    assert rows[RELU, "deep", "16"]["fooled_w1"] == ""
    assert rows[RELU, "deep", "16"]["relu_over_w1"] == "0.9"


def test_runs_without_widths_courses_or_values_give_all_files_and_no_verdict(tmp_path: Path) -> None:
    lost = simulate([RELU], ["deep", "oracle"], ns=[16, 64], seeds=2, diverged=lambda recipe, n, seed: recipe == "deep")
    rows = build(lost[~lost["metric"].str.startswith("fooled")], tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == FILES
    for name, sentence in (
        ("capacity", "no finished runs"),
        ("rates", "no finished run"),
        ("order", "no finished run that was stopped early"),
        ("fooled", "no measured pair of laws"),
    ):
        assert f"<!-- {sentence}" in (tmp_path / f"{name}.svg").read_text(encoding="utf-8"), name
    assert [row.id for row in rows] == list(CONFIG.claims)
    assert all(row.verdict == "inconclusive" and row.reason for row in rows)


def test_recipes_are_arranged_by_critic_and_width() -> None:
    assert [critic(CONFIG, name) for name in ("deep", "deep_64", "deep_cubic", "relu-1_4")] == [
        *("deep", "deep", "deep", "relu-1")
    ]
    assert [width(CONFIG, name) for name in ("deep", "deep_64", "deep_cubic")] == [8, 64, 4]
    assert [is_main(CONFIG, name) for name in ("deep", "deep_64", "deep_cubic", "order-1000")] == [
        *(True, False, True, False)
    ]


def test_a_crossing_lies_on_the_line_between_two_lengths_in_logarithms() -> None:
    lengths = np.array([10.0, 100.0, 1000.0])
    assert crossing(lengths, np.array([1.0, 0.1, 0.01]), 0.1 * 10**0.5) == pytest.approx(10**1.5)
    assert crossing(lengths, np.array([0.1, 1.0, 0.01]), 0.25) == 10
    assert crossing(lengths, np.array([1.0, 0.9, 0.8]), 0.25) == np.inf
    assert crossing(lengths, np.array([1.0, 0.25, 0.3]), 0.25) == pytest.approx(100)


def test_agreement_is_kendalls_tau_with_ties_as_neither() -> None:
    assert agreement([1, 2, 3, 4]) == 1
    assert agreement([4, 3, 2, 1]) == -1
    assert agreement([1, 1, np.inf, np.inf]) == pytest.approx(4 / 6)


@pytest.mark.parametrize("scale", ["smoke", "quick", "full"])
def test_the_settings_are_valid_at_every_scale(scale: str) -> None:
    config = Config(scale=scale, studies=["capacity"], seeds=["0-7"])
    check_study(CONFIG, config, FILE)
    recipes = study_recipes(CONFIG, config, FILE)
    for name in COURSE:
        if any(name in part.recipes for part in CONFIG.scales[scale].grid):
            assert recipes[name].training.steps == int(name.split("-")[1])
            assert recipes[name].training.average == 0
            assert recipes[name].training.decay == "none"


def test_generators_have_the_form_of_the_data_that_they_are_the_main_recipes_of() -> None:
    for scale in CONFIG.scales.values():
        for part in scale.grid:
            for name in part.dataset_names():
                data = dataset(name)
                for recipe in part.recipes:
                    if is_main(CONFIG, recipe):
                        assert width(CONFIG, recipe) == data.units
                        assert (data.activation == "cubic") == recipe.endswith("_cubic")


def test_claims_ask_for_a_slot_of_seeds_and_name_files_and_recipes_that_are_there() -> None:
    quick = {name for part in CONFIG.scales["quick"].grid for name in part.recipes}
    for claim in CONFIG.claims.values():
        assert claim.test.min_seeds == 8
        assert claim.figure in CONFIG.figures
        assert claim.table in CONFIG.tables
        assert quick.union(CONFIG.controls).issuperset(claim.recipes)


def test_every_table_and_figure_has_a_caption() -> None:
    folder = FILE.parents[2] / "workflow" / "report" / "capacity"
    assert {path.name for path in folder.iterdir()} == {
        *(f"{name}_table.rst" for name in CONFIG.tables),
        *(f"{name}.rst" for name in CONFIG.figures),
    }


def test_the_study_is_registered_under_the_name_of_its_file() -> None:
    assert registry.load("study", CONFIG.study).registered_name == FILE.stem == CONFIG.study

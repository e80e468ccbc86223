import math
import warnings
from collections.abc import Callable
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from tests.studies.written import table
from wgpipe.config import Study
from wgpipe.studies.claims import ClaimRow
from wgpipe.studies.vanilla_rates import VanillaRates

Simulate = Callable[..., pd.DataFrame]

FIGURES = {"rates", "slopes", "variants", "oracle", "sandwich", "stability"}
NARROW = {"saturation"}  # of a column's width
TABLES = {"runs", "protocols", "rates", "variants", "oracle", "critics", "stability"}
FILES = {f"{name}.{kind}" for name in FIGURES | NARROW for kind in ("pdf", "svg", "png")}
FILES |= {f"{name}.csv" for name in TABLES} | {"rates.tex"}


def build(config: Study, runs: pd.DataFrame, folder: Path) -> list[ClaimRow]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return VanillaRates().build(config, runs, folder)


@pytest.fixture(scope="module")
def runs(simulated: Simulate) -> pd.DataFrame:
    recipes = ["vanilla-lp", "wgan-lp", "vanilla-none", "wgan-lp_32", "oracle", "empirical", "gaussian"]
    return simulated(
        ["surface-3in12", "digits"],
        recipes,
        seeds=4,
        slope=lambda recipe, intrinsic, dimension: -0.5 if recipe == "empirical" else -0.25,
        diverged=lambda recipe, n, seed: recipe == "vanilla-none" and n == 64 and seed == 2,
    )


@pytest.fixture(scope="module")
def folder(config: Study, runs: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("built") / "vanilla_rates"
    build(config, runs, out)
    return out


def test_every_table_and_figure_is_written_and_nothing_else(folder: Path) -> None:
    assert {path.name for path in folder.iterdir()} == FILES


def test_a_second_build_gives_the_same_bytes_whatever_the_order_of_rows_and_the_users_settings(
    config: Study, runs: pd.DataFrame, folder: Path, tmp_path: Path
) -> None:
    shuffled = runs.sample(frac=1, random_state=np.random.default_rng(5))
    with mpl.rc_context({"font.size": 20, "axes.grid": True}):
        build(config, shuffled, tmp_path)
    for name in sorted(FILES):
        assert (tmp_path / name).read_bytes() == (folder / name).read_bytes(), name


def test_figures_are_as_wide_as_a_page(folder: Path) -> None:
    for name in FIGURES:
        with Image.open(folder / f"{name}.png") as image:
            assert image.width == 1400


def test_the_table_of_runs_has_one_row_a_run_with_nulls_beside(runs: pd.DataFrame, folder: Path) -> None:
    rows = table(folder, "runs")
    assert len(rows) == len(runs[["dataset", "recipe", "n", "seed"]].drop_duplicates())
    first = rows[0]
    assert (first["dataset"], first["dimension"], first["intrinsic"], first["recipe"]) == (
        "surface-3in12",
        "12",
        "3",
        "vanilla-lp",
    )
    original = runs[(runs["metric"] == "w1") & (runs["dataset"] == "surface-3in12") & (runs["recipe"] == "vanilla-lp")]
    assert float(first["w1"]) == pytest.approx(original["value"].iloc[0], rel=1e-5)
    assert float(first["w1_null"]) == original["null"].iloc[0]
    assert "v_null" not in first
    failed = [row for row in rows if row["status"] == "diverged"]
    assert len(failed) == 2
    assert all(row["w1"] == "" for row in failed)


def test_the_table_of_rates_holds_the_planted_slopes_and_what_was_left_out(folder: Path) -> None:
    rates = {(row["dataset"], row["recipe"]): row for row in table(folder, "rates")}
    assert not any(recipe == "oracle" for _, recipe in rates)
    vanilla, empirical = rates["surface-3in12", "vanilla-lp"], rates["surface-3in12", "empirical"]
    assert float(vanilla["slope"]) == pytest.approx(-0.25, abs=0.02)
    assert float(vanilla["minus_empirical"]) == pytest.approx(0.25, abs=0.03)
    assert float(vanilla["bound"]) == pytest.approx(-0.15)
    assert float(rates["surface-3in12", "wgan-lp"]["bound"]) == pytest.approx(-0.3)
    assert rates["digits", "wgan-lp"]["bound"] == empirical["bound"] == empirical["minus_empirical"] == ""
    assert empirical["ns_used"] == "32 64 128 256"
    assert empirical["ns_dropped"].startswith("512: 0.05")
    assert rates["surface-3in12", "vanilla-none"]["failed"] == "64: 1"
    assert rates["surface-3in12", "vanilla-none"]["status"] == "diverged"


def test_variants_are_compared_with_the_base_of_their_method(folder: Path) -> None:
    pairs = {(row["recipe"], row["base"], row["varies"]) for row in table(folder, "variants")}
    assert pairs == {("vanilla-none", "vanilla-lp", "constraint"), ("wgan-lp_32", "wgan-lp", "width")}


def test_the_table_of_critics_has_v_for_vanilla_recipes_alone_and_the_exact_bounds(folder: Path) -> None:
    for row in table(folder, "critics"):
        if row["recipe"].startswith("wgan"):
            assert row["v"] == row["share_above_upper"] == ""
        else:
            assert float(row["v"]) == pytest.approx(1.2 * float(row["sample_w1"]) / 4, rel=1e-4)
            assert float(row["saturation"]) == pytest.approx(float(row["v"]) / (2 * math.log(2)), rel=1e-4)
            assert float(row["upper"]) == pytest.approx(1.2 * float(row["sample_w1"]) / 2, rel=1e-4)
            assert (row["share_below_lower"], row["share_above_upper"]) == ("0", "0")


def test_failures_are_counted(folder: Path) -> None:
    rows = {(row["dataset"], row["recipe"], row["n"]): row for row in table(folder, "stability")}
    hit = rows["digits", "vanilla-none", "64"]
    assert (hit["runs"], hit["diverged"], hit["collapsed"], hit["share"]) == ("4", "1", "0", "0.25")


def test_the_latex_table_has_the_steepest_trained_slope_in_bold(folder: Path) -> None:
    text = (folder / "rates.tex").read_text(encoding="utf-8")
    assert text.split("\n", 2)[2].startswith("\\begin{tabular}{llrrrrr}\n\\toprule")
    assert text.count(r"\mathbf") == 2
    assert r"wgan-lp\_32" in text
    assert not any(r"\mathbf" in line for line in text.splitlines() if "empirical &" in line)
    assert all(line.count(" & ") == 6 for line in text.splitlines() if line.endswith(r"\\"))


def test_two_seeds_at_two_n_and_a_dataset_where_nothing_finished_give_all_files_and_no_verdict(
    config: Study, simulated: Simulate, tmp_path: Path
) -> None:
    few = simulated(["surface-2in8"], ["wgan-lp", *config.controls], [32, 64], seeds=2)
    lost = simulated(["digits"], ["wgan-lp"], [32, 64], seeds=2, diverged=lambda recipe, n, seed: True)
    rows = build(config, pd.concat([few, lost]), tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == FILES
    for name, sentence in (
        ("rates", "no finished run"),
        ("slopes", "no slope: diverged"),
        ("variants", "no variant of a base recipe"),
        ("oracle", "no method ran with several widths"),
        ("sandwich", "no run with a value of V"),
        ("saturation", "no finished run with an unbound critic"),
    ):
        assert f"<!-- {sentence}" in (tmp_path / f"{name}.svg").read_text(encoding="utf-8")
    assert [row.id for row in rows] == list(config.claims)
    assert all(row.verdict == "inconclusive" and row.reason for row in rows)

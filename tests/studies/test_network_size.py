"""The table of widths on runs whose W1 is known in every cell of the grid."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from wgpipe.config import Study
from wgpipe.studies import arrange, style
from wgpipe.studies.network_size import COLUMNS, size_table
from wgpipe.studies.network_size_figures import draw_sizes

Simulate = Callable[..., pd.DataFrame]

WIDTHS = (16, 32, 64, 128)
NS = (64, 1024)


def grid(config: Study, method: str = "wgan") -> list[str]:
    """The recipes of a method that differ in width alone, its base among them."""
    return [
        name
        for name in config.recipes
        if arrange.method(config, name) == method and arrange.variation(config, name) in ("base", "width")
    ]


def limited_by(config: Study, least: dict[int, int]) -> Callable[[str, int], float]:
    """A factor of W1 that falls with the narrower network until a width that depends on n."""

    def scale(recipe: str, n: int) -> float:
        widths = [arrange.hidden(config, recipe, side) for side in arrange.SIDES if recipe in config.recipes]
        return max(1.0, least[n] / min(width[0] for width in widths)) if widths and all(widths) else 1.0

    return scale


@pytest.fixture
def table(config: Study, simulated: Simulate) -> pd.DataFrame:
    runs = simulated(["surface-2in8"], [*grid(config), "oracle"], NS, scale=limited_by(config, {64: 16, 1024: 64}))
    return size_table(config, runs)


def cell(table: pd.DataFrame, n: int, generator: int, critic: int) -> dict[str, Any]:
    chosen = table[(table["n"] == n) & (table["generator_width"] == generator) & (table["critic_width"] == critic)]
    (row,) = chosen.to_dict("records")
    return row


def test_the_study_crosses_all_widths_for_both_losses(config: Study) -> None:
    for method in ("vanilla", "wgan"):
        sizes = {tuple(arrange.hidden(config, name, side) for side in arrange.SIDES) for name in grid(config, method)}
        assert sizes == {((g, g), (c, c)) for g in WIDTHS for c in WIDTHS}
    assert set(config.scales["full"].grid[2].recipes) | {"vanilla-lp", "wgan-lp", "vanilla-lp_32", "wgan-lp_32"} == {
        *grid(config, "vanilla"),
        *grid(config, "wgan"),
    }


def test_every_cell_has_its_w1_and_its_log_ratio_to_the_best(config: Study, table: pd.DataFrame) -> None:
    assert list(table.columns) == COLUMNS
    assert len(table) == len(NS) * len(WIDTHS) ** 2
    narrow = cell(table, 1024, 16, 128)
    assert narrow["recipe"] == "wgan-lp_g16c128"
    assert narrow["w1"] == pytest.approx(4 * 1.2 * 1024**-0.3, rel=0.05)
    assert narrow["ci_low"] < narrow["w1"] < narrow["ci_high"]
    assert narrow["log_ratio"] == pytest.approx(np.log(4), abs=0.05)
    assert narrow["log_ratio_low"] > 1
    assert (narrow["seeds"], narrow["null"]) == (8, 0.03)
    best = table[(table["n"] == 1024) & (table["recipe"] == table["best"])]
    assert best["w1"].item() == table[table["n"] == 1024]["w1"].min()
    assert best["log_ratio"].item() == 0


def test_the_plateau_begins_at_wider_networks_where_there_is_more_data(table: pd.DataFrame) -> None:
    """A cell of the plateau is missed once in forty, by its interval; cells off it are never on it."""
    for n, least in ((64, 16), (1024, 64)):
        own = table[table["n"] == n]
        true = (own["generator_width"] >= least) & (own["critic_width"] >= least)
        assert not own[~true]["plateau"].any()
        assert own[true]["plateau"].mean() >= 0.7


def test_points_near_the_null_are_marked(config: Study, simulated: Simulate) -> None:
    runs = simulated(["surface-2in8"], [*grid(config), "oracle"], (64, 16384))
    found = size_table(config, runs)
    assert set(found[found["n"] == 64]["above_null"]) == {True}
    assert 1.2 * 16384**-0.3 > 0.06
    runs.loc[runs["n"] == 16384, "null"] = 0.05
    assert set(size_table(config, runs).query("n == 16384")["above_null"]) == {False}


def test_two_widths_are_enough_and_other_variants_are_left_out(config: Study, simulated: Simulate) -> None:
    recipes = ["vanilla-lp", "vanilla-lp_32", "vanilla-lp_2d", "vanilla-none", "wgan-lp", "wgan-relu1", "oracle"]
    found = size_table(config, simulated(["surface-2in8", "digits"], recipes, NS))
    assert set(found["recipe"]) == {"vanilla-lp", "vanilla-lp_32"}
    assert set(found["dataset"]) == {"surface-2in8", "digits"}


def test_runs_that_failed_or_are_missing_leave_cells_without_numbers(
    config: Study, simulated: Simulate, tmp_path: Path
) -> None:
    recipes = ["wgan-lp", "wgan-lp_32", "oracle"]
    all_failed = simulated(["surface-2in8"], recipes, NS, diverged=lambda recipe, n, seed: recipe != "oracle")
    one_failed = simulated(["surface-2in8"], recipes, NS, diverged=lambda recipe, n, seed: recipe == "wgan-lp_32")
    lost = size_table(config, all_failed)
    assert set(lost["status"]) == {"missing"}
    assert lost["w1"].isna().all()
    half = size_table(config, one_failed)
    assert half[half["recipe"] == "wgan-lp"]["plateau"].all()
    assert set(half[half["recipe"] == "wgan-lp_32"]["status"]) == {"diverged"}
    assert half[half["recipe"] == "wgan-lp_32"]["plateau"].isna().all()
    nothing = size_table(config, one_failed[one_failed["recipe"] == "oracle"])
    assert nothing.empty
    with style.paper():
        for sizes in (lost, half, nothing):
            draw_sizes(config, sizes, tmp_path)
    assert "<!-- no method ran with several widths" in (tmp_path / "oracle.svg").read_text(encoding="utf-8")


def test_the_figure_follows_three_lines_through_a_whole_grid(
    config: Study, table: pd.DataFrame, tmp_path: Path
) -> None:
    with style.paper():
        draw_sizes(config, table, tmp_path)
    text = (tmp_path / "oracle.svg").read_text(encoding="utf-8")
    for line in ("both networks", "generator, widest critic", "critic, widest generator"):
        assert f"width of {line}" in text

"""Methods ranked over all studies by W1 to held-out data, cell by cell: tables, figure and a page that says how."""

from __future__ import annotations

import itertools
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from wgpipe.atomic import atomic
from wgpipe.recipe import Piece, Recipe, read_recipe
from wgpipe.stats.rankings import (
    MIN_CELLS,
    MIN_METHODS,
    Pairing,
    Ranking,
    adjusted,
    compare,
    nemenyi,
    rank_methods,
    shared_cells,
)
from wgpipe.studies import style
from wgpipe.studies.inputs import read_measures
from wgpipe.studies.ledger_markdown import markdown_table
from wgpipe.studies.ranking_figure import draw_ranking
from wgpipe.studies.tables import escape, latex_interval, number, write_csv, write_latex

METRIC = "w1"
CELL = ["dataset", "n", "architecture"]
Cell = tuple[Any, ...]  # values of these
TOO_FEW = f"No {MIN_METHODS} methods share {MIN_CELLS} cells, so there is no ranking."
COMMON, OWN = "ranked methods on their cells", "this pair on its cells"

HOW = (
    "A cell is a dataset, a sample size and an architecture (generator, latent space and prior); its score is the mean"
    " over seeds of log W1 to held-out data, on the same training samples for every method. Controls are left out. A"
    " method of which more than a tenth of the runs in a cell failed counts there as ten times as far as the worst."
    " Ranks and pairs have intervals by bootstrap over seeds; p-values take cells for independent, which cells of one"
    " dataset are not. Where two recipes of a method meet in a cell, the first by name counts."
)


def build_ranking(recipe_files: Sequence[Path], measures: Sequence[Path], out: Path) -> None:
    """ranking.csv, pairwise.csv, cells.csv, ranking.tex, ranking.md and the critical-difference diagram."""
    recipes = {file.stem: read_recipe(file) for file in recipe_files}
    runs = read_measures(measures)
    scores = score_table(runs, recipes)
    out.mkdir(parents=True, exist_ok=True)
    cube = ScoreCube.of(scores)
    methods, cells = shared_cells(cube.methods_of())
    array = cube.at(methods, cells)
    ranking = rank_methods(methods, array) if array.size else None
    pairs = pair_table(cube, methods if ranking else [], array)
    table = rank_table(ranking)
    write_csv(table, out, "ranking")
    write_csv(pairs, out, "pairwise")
    write_csv(_cell_table(scores, cells if ranking else []), out, "cells")
    write_ranking_latex(table, out)
    with atomic(out / "ranking.md") as path:
        path.write_text(_page(table, ranking, pairs), encoding="utf-8")
    with style.paper():
        draw_ranking(ranking, nemenyi(methods, array) if ranking else None, TOO_FEW, out)


def score_table(runs: pd.DataFrame, recipes: Mapping[str, Recipe]) -> pd.DataFrame:
    """One row for each cell, method and seed: `log`, the logarithm of W1, and +inf for a run that failed.

    Of a dataset and n that were measured by several protocols, the one with most recipes stays.
    """
    trained = [name for name, recipe in recipes.items() if recipe.trains_generator]
    rows = runs[(runs["metric"] == METRIC) & runs["recipe"].isin(trained)].drop_duplicates()
    if rows.empty:
        return pd.DataFrame(columns=[*CELL, "method", "recipe", "seed", "log"])
    counts = rows.groupby(["dataset", "n", "protocol"])["recipe"].nunique().reset_index(name="count")
    best = counts.sort_values(["count", "protocol"], ascending=[False, True]).drop_duplicates(["dataset", "n"])
    rows = rows.merge(best[["dataset", "n", "protocol"]], on=["dataset", "n", "protocol"])
    rows = rows.assign(
        architecture=rows["recipe"].map({name: architecture(recipes[name]) for name in trained}),
        method=rows["recipe"].map(method_name),
        log=_logs(rows),
    )
    first = rows.groupby([*CELL, "method"])["recipe"].transform("min")
    kept = rows[rows["recipe"] == first].sort_values([*CELL, "method", "seed"], ignore_index=True)
    return kept[[*CELL, "method", "recipe", "seed", "log"]]


def method_name(recipe: str) -> str:
    """`wgan-lp` of `wgan-lp_32`: what stands before the first '_', behind which variants have their names."""
    return recipe.partition("_")[0]


def architecture(recipe: Recipe) -> str:
    """`mlp hidden=64x64, latent d* uniform`: what a method is given and does not choose."""
    return f"{_shown(recipe.generator)}, latent {recipe.latent} {recipe.prior}"


@dataclass(frozen=True)
class ScoreCube:
    """Scores (C, K, S) of methods in cells by seed, NaN where there is no run."""

    cells: list[Cell]
    methods: list[str]
    scores: np.ndarray

    @classmethod
    def of(cls, scores: pd.DataFrame) -> ScoreCube:
        """From the rows of `score_table`."""
        cell = pd.MultiIndex.from_frame(scores[CELL]).factorize(sort=True)
        method, seed = (pd.factorize(scores[name], sort=True) for name in ("method", "seed"))
        array = np.full((len(cell[1]), len(method[1]), len(seed[1])), np.nan)
        array[cell[0], method[0], seed[0]] = scores["log"].to_numpy(dtype=np.float64)
        return cls([tuple(each) for each in cell[1]], list(method[1]), array)

    def methods_of(self) -> dict[Cell, frozenset[str]]:
        """Cell -> methods that have runs there."""
        there = ~np.isnan(self.scores).all(axis=2)
        return {
            cell: frozenset(itertools.compress(self.methods, row)) for cell, row in zip(self.cells, there, strict=True)
        }

    def at(self, methods: Sequence[str], cells: Sequence[Cell]) -> np.ndarray:
        """(C, K, S) scores of some methods in some cells, on the seeds that all of them have."""
        places = {cell: place for place, cell in enumerate(self.cells)}
        rows, columns = [places[cell] for cell in cells], [self.methods.index(name) for name in methods]
        array = self.scores[np.ix_(rows, columns)]
        return array[:, :, ~np.isnan(array).any(axis=(0, 1))]


def rank_table(ranking: Ranking | None) -> pd.DataFrame:
    """One row a method, best first."""
    columns = ["method", "mean_rank", "ci_low", "ci_high", "wins", "cells", "seeds"]
    tests = ["critical_difference", "friedman", "p_friedman"]
    if ranking is None:
        return pd.DataFrame(columns=[*columns, *tests])
    rows = [
        (name, rank.value, rank.low, rank.high, wins, ranking.cells, ranking.seeds)
        for name, rank, wins in zip(ranking.methods, ranking.ranks, ranking.wins, strict=True)
    ]
    table = pd.DataFrame(rows, columns=columns)
    return table.assign(
        critical_difference=ranking.critical_difference, friedman=ranking.statistic, p_friedman=ranking.p_friedman
    )


def pair_table(cube: ScoreCube, ranked: Sequence[str], array: np.ndarray) -> pd.DataFrame:
    """Every pair of ranked methods on the cells of the ranking, then every pair on all cells that it shares.

    Holm's adjustment is over the pairs of each of the two.
    """
    places = itertools.combinations(range(len(ranked)), 2)
    common = [compare(ranked[i], ranked[j], array[:, [i, j]]) for i, j in places]
    own, methods_of = [], cube.methods_of()
    for pair in itertools.combinations(cube.methods, 2):
        scores = cube.at(pair, [cell for cell, there in methods_of.items() if there.issuperset(pair)])
        own += [compare(*pair, scores)] if scores.size else []
    return pd.concat([_pair_rows(COMMON, common), _pair_rows(OWN, own)], ignore_index=True)


def write_ranking_latex(table: pd.DataFrame, out: Path) -> None:
    """ranking.tex: mean ranks with intervals and wins; no rows where there is no ranking."""
    rows = [
        (
            escape(row["method"]),
            latex_interval(row["mean_rank"], row["ci_low"], row["ci_high"], digits=2),
            str(row["wins"]),
        )
        for row in table.to_dict("records")
    ]
    write_latex(("method", r"mean rank [95\,\%]", "cells won"), [rows], out, "ranking")


def _pair_rows(scope: str, pairs: Sequence[Pairing]) -> pd.DataFrame:
    holm = adjusted([pair.p_wilcoxon for pair in pairs])
    rows = [
        {
            "scope": scope,
            "first": pair.first,
            "second": pair.second,
            "cells": pair.cells,
            "seeds": pair.seeds,
            "log_ratio": pair.log_ratio.value,
            "log_ratio_low": pair.log_ratio.low,
            "log_ratio_high": pair.log_ratio.high,
            "improvement": pair.improvement.value,
            "improvement_low": pair.improvement.low,
            "improvement_high": pair.improvement.high,
            "rank_biserial": pair.rank_biserial,
            "p_wilcoxon": pair.p_wilcoxon,
            "p_holm": p_holm,
        }
        for pair, p_holm in zip(pairs, holm, strict=True)
    ]
    names = ["scope", "first", "second", "cells", "seeds"]
    numbers = [f"{name}{end}" for name in ("log_ratio", "improvement") for end in ("", "_low", "_high")]
    return pd.DataFrame(rows, columns=[*names, *numbers, "rank_biserial", "p_wilcoxon", "p_holm"])


def _cell_table(scores: pd.DataFrame, ranked: Sequence[Cell]) -> pd.DataFrame:
    """One row for each cell and method: seeds, failed runs, geometric mean of W1, and whether the ranking uses it."""
    rows = []
    for (*cell, method, recipe), own in scores.groupby([*CELL, "method", "recipe"]):
        finished = own["log"][np.isfinite(own["log"].to_numpy(dtype=np.float64))]
        mean = float(np.exp(finished.mean())) if len(finished) else np.nan
        rows.append((*cell, method, recipe, len(own), len(own) - len(finished), mean, tuple(cell) in set(ranked)))
    return pd.DataFrame(rows, columns=[*CELL, "method", "recipe", "seeds", "failed", METRIC, "ranked"])


def _page(table: pd.DataFrame, ranking: Ranking | None, pairs: pd.DataFrame) -> str:
    lines = ["# Methods ranked over the cells that they share", "", HOW, ""]
    if ranking is None:
        lines += [TOO_FEW, ""]
    else:
        lines += [
            f"{len(ranking.methods)} methods, {ranking.cells} cells, {ranking.seeds} seeds.",
            f"Friedman's test that all are alike: p = {ranking.p_friedman:.2g}.",
            f"Critical difference of two mean ranks (Nemenyi, 5 %): {number(ranking.critical_difference, 2)};",
            "see [the diagram](critical_difference.svg).",
            "",
            *markdown_table(
                ("method", "mean rank [interval]", "cells won"),
                [
                    (row["method"], _interval(row, "mean_rank", "ci_low", "ci_high"), str(row["wins"]))
                    for row in table.to_dict("records")
                ],
            ),
            "",
        ]
    for scope, rows in pairs.groupby("scope", sort=False):
        lines += [
            f"## Pairs: {scope}",
            "",
            *markdown_table(PAIR_HEADER, [_pair_cells(row) for row in rows.to_dict("records")]),
            "",
        ]
    return "\n".join(lines)


PAIR_HEADER = (
    "first",
    "second",
    "cells",
    "mean log ratio of W1",
    "probability that the first is better",
    "rank-biserial correlation",
    "p (Wilcoxon, Holm)",
)


def _pair_cells(row: Mapping[Hashable, Any]) -> tuple[str, ...]:
    p_value = float(row["p_holm"])
    return (
        str(row["first"]),
        str(row["second"]),
        str(row["cells"]),
        _interval(row, "log_ratio", "log_ratio_low", "log_ratio_high"),
        _interval(row, "improvement", "improvement_low", "improvement_high"),
        number(float(row["rank_biserial"]), 2),
        f"fewer than {MIN_CELLS} cells" if np.isnan(p_value) else f"{p_value:.2g}",
    )


def _interval(row: Mapping[Hashable, Any], *names: str) -> str:
    value, low, high = (number(float(row[name]), 2) for name in names)
    return f"{value} [{low}, {high}]"


def _logs(rows: pd.DataFrame) -> np.ndarray:
    values = rows["value"].to_numpy(dtype=np.float64)
    logs = np.full(len(values), np.inf)
    np.log(values, out=logs, where=(rows["status"] == "ok").to_numpy() & np.isfinite(values) & (values > 0))
    return logs


def _shown(net: Piece | None) -> str:
    """`mlp hidden=64x64`."""
    if net is None:
        return "no generator"
    settings = [f"{name}={_text(value)}" for name, value in sorted(net.settings.items())]
    return " ".join([net.name, *settings])


def _text(value: object) -> str:
    return "x".join(map(str, value)) if isinstance(value, list | tuple) else str(value)

"""Curves through samples, run by run, beside the best that a curve of their speed can do."""

from __future__ import annotations

import numpy as np
import pandas as pd

from wgpipe.config import Study as Settings
from wgpipe.studies import arrange

KEYS = ["dataset", "recipe", "n", "seed"]
QUANTITIES = ("curve_speed", "curve_w1", "curve_certificate", "curve_blur", "walk_speed", "walk_squared")
ROUNDING = 1e-6  # by which a speed may lie below K0, where it was meant to be K0


def curve_runs(runs: pd.DataFrame) -> pd.DataFrame:
    """One row a run with a curve, ordered: dimension, intrinsic, status, the quantities, and what follows from them.

    `times_k0` is K/K0; `fits`: the run finished and K >= K0, so that nothing of its speed has a smaller W1 to the
    sample than `best` = S/(4K); `ratio` is W1 over that. NaN where it does not fit.
    """
    rows = runs[runs["metric"].isin(QUANTITIES)]
    index = [*KEYS, "dimension", "intrinsic", "status"]
    known = rows.assign(intrinsic=rows["intrinsic"].fillna(-1.0))  # a pivot leaves out rows without it
    wide = known.pivot(index=index, columns="metric", values="value").reindex(columns=list(QUANTITIES))
    table = wide.astype("float64").reset_index().sort_values(KEYS, ignore_index=True)
    table.columns.name = None
    table["intrinsic"] = table["intrinsic"].where(table["intrinsic"] >= 0)
    finished = (table["status"] == "ok") & table["curve_speed"].abs().lt(np.inf) & table["walk_speed"].gt(0)
    table.loc[~finished, list(QUANTITIES)] = np.nan
    table["times_k0"] = table["curve_speed"] / table["walk_speed"]
    table["fits"] = table["times_k0"] >= 1 - ROUNDING
    table["best"] = (table["walk_squared"] / (4 * table["curve_speed"])).where(table["fits"])
    table["ratio"] = table["curve_w1"] / table["best"]
    return table


def trained(config: Settings) -> list[str]:
    """Recipes whose curve is that of a generator."""
    return [name for name in config.recipes if arrange.method(config, name) not in CONSTRUCTED]


def constructed(config: Settings) -> list[str]:
    """Recipes whose curve is computed from the sample."""
    return [name for name in config.recipes if arrange.method(config, name) == CURVE]


CURVE = "optimal_curve"
CONSTRUCTED = (CURVE, "empirical")


def squared_lengths(runs: pd.DataFrame, recipe: str, min_n: float) -> pd.DataFrame:
    """Rows of `walk_squared` and `walk_speed` of a recipe from `min_n` on. Of samples alone, they have no null."""
    chosen = runs["metric"].isin(("walk_squared", "walk_speed")) & (runs["recipe"] == recipe) & (runs["n"] >= min_n)
    return runs[chosen].assign(null=0.0)

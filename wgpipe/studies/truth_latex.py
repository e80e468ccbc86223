"""The tables of scores against the truth for LaTeX: best of each pair of laws in bold."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from wgpipe.studies.tables import NOTHING, escape, latex_interval, latex_number, write_latex

Row = dict[Hashable, Any]


@dataclass(frozen=True)
class Column:
    """A column of a LaTeX table: `name` in the csv, with its interval or without.

    The best of a pair of laws has the least `rank` of `by`, a column of the csv, `name` itself unless given.
    """

    name: str
    header: str
    rank: Callable[[float], float] | None = None
    interval: bool = True
    digits: int = 3
    by: str = ""
    truth: str | float = np.nan  # what stands in the row of the truth: a number, or the column of the csv that has it


def high(value: float) -> float:
    """More is better."""
    return -value


def low(value: float) -> float:
    """Less is better."""
    return value


W1_COLUMNS = (
    Column("cos", r"$\cos$ [95\,\%]", high, truth=1.0),
    Column("l2", r"$L_2$ [95\,\%]", low, truth=0.0),
    Column("cos_formula", r"$\cos$, published formula", high, truth="ceiling"),
    Column("cos_published", "published", interval=False, truth=1.0),
    Column("cos_difference", r"difference [95\,\%]"),
    Column("w1", r"$W_1$ estimate [95\,\%]", abs, by="w1_error", truth="w1_true"),
    Column("w1_published", "published", interval=False, truth="w1_true"),
)
W2_COLUMNS = (
    Column("uvp", r"UVP, \% [95\,\%]", low, digits=2, truth=0.0),
    Column("uvp_published", "published", interval=False, digits=1),
    Column("uvp_difference", r"difference [95\,\%]", digits=2),
    Column("uvp_inverse", r"inverse UVP, \% [95\,\%]", low, digits=2, truth=0.0),
    Column("cost", r"$\frac{1}{2}W_2^2$ estimate [95\,\%]", abs, by="cost_error", truth="cost_true"),
)
MAP_COLUMNS = tuple(column for column in W2_COLUMNS if column.name not in ("uvp_published", "uvp_difference"))

_OF_W1 = {column.name: column for column in W1_COLUMNS}
LINE_COLUMNS = (_OF_W1["cos"], _OF_W1["w1"], *MAP_COLUMNS)


def write_scores(table: pd.DataFrame, columns: tuple[Column, ...], folder: Path, name: str) -> None:
    """`<name>.tex`: for each pair of laws a row of the truth, then the recipes in their order."""
    groups = []
    for _, rows in table.groupby(["dataset", "n"], sort=False):
        records = rows.to_dict("records")
        first = escape(str(records[0]["dataset"]))
        lines = [[first, "truth", *(_true(records[0], column) for column in columns)]]
        lines += [[first, escape(row["recipe"]), *(_cell(row, rows, column) for column in columns)] for row in records]
        groups.append(lines)
    write_latex(["pair", "recipe", *(column.header for column in columns)], groups, folder, name)


def _true(row: Row, column: Column) -> str:
    value = row[column.truth] if isinstance(column.truth, str) else column.truth
    return latex_number(float(value), column.digits)


def _cell(row: Row, rows: pd.DataFrame, column: Column) -> str:
    value = float(row[column.name])
    if not np.isfinite(value):
        return NOTHING
    by = column.by or column.name
    best = column.rank is not None and column.rank(row[by]) == rows[by].map(column.rank).min()
    if column.interval:
        ends = (float(row[f"{column.name}_low"]), float(row[f"{column.name}_high"]))
        return latex_interval(value, *ends, best=best, digits=column.digits)
    return latex_number(value, column.digits)

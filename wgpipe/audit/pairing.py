"""Which rows and columns of two tables belong together, whatever study they are of."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

LOW, HIGH = "_low", "_high"
INTERVAL = ("ci_low", "ci_high")
SEED = "seed"
SIZE = "n"
# What was found, and no name of a row.
OUTCOMES = ("status", "verdict", "reason", "note", "best", "rank", "seeds", "runs", "failed", "ranked", "obstacle")


def estimates(table: pd.DataFrame) -> dict[str, tuple[str, str]]:
    """Columns with an interval -> the columns of its ends; `ci_low` belongs to the number before it."""
    columns = [str(column) for column in table.columns]
    found = {
        column: (column + LOW, column + HIGH)
        for column in columns
        if column + LOW in columns and column + HIGH in columns
    }
    if set(INTERVAL) <= set(columns):
        before = columns[: columns.index(INTERVAL[0])]
        numeric = [column for column in before if is_number(table[column])]
        if numeric:
            found[numeric[-1]] = INTERVAL
    return found


def keys(first: pd.DataFrame, second: pd.DataFrame) -> list[str]:
    """Few columns that name the rows of both tables: n and seed, texts from the left, then other numbers.

    Rows that even all of them do not tell apart are numbered by the caller.
    """
    common = [str(column) for column in first.columns if column in second.columns]
    measured = estimates(first)
    ends = [min((common.index(name) for name in measured if name in common), default=len(common))]
    leading = [column for column in common[: ends[0]] if column not in OUTCOMES]
    texts = [column for column in leading if not is_number(first[column]) and not is_number(second[column])]
    counted = [column for column in (SIZE, SEED) if column in leading]
    numbers = [column for column in leading if column not in texts and column not in counted]
    chosen: list[str] = [*counted]
    names = _names(first, second, chosen)
    alone = next((column for column in texts if _is_unique(_names(first, second, [column]))), None)
    if not counted and alone:
        return [alone]
    for column in [*texts, *numbers]:
        if _is_unique(names):
            break
        longer = _names(first, second, [*chosen, column])
        if [len(each.drop_duplicates()) for each in longer] != [len(each.drop_duplicates()) for each in names]:
            chosen.append(column)
            names = longer
    return [column for column in common if column in chosen]


def row_name(columns: Sequence[str], values: Sequence[object]) -> str:
    """`recipe=wgan, n=64`."""
    return ", ".join(f"{column}={value}" for column, value in zip(columns, values, strict=True) if value != "")


def is_number(column: pd.Series) -> bool:
    """Whether every entry of a column of texts is a number or nothing, and some are."""
    given = column[column != ""]
    return bool(len(given)) and bool(pd.to_numeric(given, errors="coerce").notna().all())


def _names(first: pd.DataFrame, second: pd.DataFrame, columns: Sequence[str]) -> tuple[pd.DataFrame, pd.DataFrame]:
    return first[list(columns)], second[list(columns)]


def _is_unique(names: tuple[pd.DataFrame, pd.DataFrame]) -> bool:
    return all(not each.duplicated().any() if len(each.columns) else len(each) <= 1 for each in names)

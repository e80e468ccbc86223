"""Two results folders, cell by cell and verdict by verdict: same, within noise, or different.

A cell is `same` if both tables write the same, `within noise` if a test (`noise.py`) does not tell them apart, and
`different` if one does, or if a row is in one table only. Numbers without an interval and texts that follow from
numbers are `untested`: they differ, nothing says by how much they may, and what they were computed from is tested.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from wgpipe.audit import noise
from wgpipe.audit.folder import check_links
from wgpipe.audit.noise import Estimated
from wgpipe.audit.pairing import SEED, estimates, is_number, keys, row_name
from wgpipe.audit.reference import KINDS
from wgpipe.errors import UserError
from wgpipe.stats.rankings import adjusted
from wgpipe.stored import Kind, read_csv

Class = Literal["same", "within noise", "untested", "different"]
LEDGER = "claims.csv"
VERDICTS: dict[str, Kind] = {"id": "name", "verdict": "name"}
REMEDY = "give two folders of results"
UNLIKE = {"supported", "contradicted"}
NOTHING = "nothing"


@dataclass
class Cell:
    """A cell that the two tables do not write alike; `tests` are places in the comparison's list of p-values."""

    table: str
    row: str
    column: str
    first: str
    second: str
    kind: Class = "untested"
    tests: list[int] = field(default_factory=list)
    p: float | None = None  # adjusted, the smallest of its tests


@dataclass(frozen=True)
class VerdictPair:
    """A claim's verdict in both folders."""

    claim: str
    first: str
    second: str
    kind: Class


@dataclass
class Comparison:
    """What two folders have in common, and what not."""

    first: str
    second: str
    counts: dict[str, Counter[str]] = field(default_factory=dict)
    cells: list[Cell] = field(default_factory=list)
    verdicts: list[VerdictPair] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    p_values: list[float] = field(default_factory=list)

    @property
    def agrees(self) -> bool:
        """Nothing differs by more than noise."""
        kinds = [cell.kind for cell in self.cells] + [verdict.kind for verdict in self.verdicts]
        return "different" not in kinds

    def total(self) -> Counter[str]:
        """Cells by kind."""
        return sum(self.counts.values(), Counter())

    def summary(self) -> str:
        """One line."""
        kinds: tuple[Class, ...] = ("same", "within noise", "untested", "different")
        total, verdicts = self.total(), Counter(verdict.kind for verdict in self.verdicts)
        cells = ", ".join(f"{total[kind]} {kind}" for kind in kinds)
        claims = ", ".join(f"{verdicts[kind]} {kind}" for kind in kinds if kind != "untested")
        count = f"{sum(total.values())} cells of {len(self.counts)} tables"
        return f"{count}: {cells}; {len(self.verdicts)} verdicts: {claims}"

    def to_json(self) -> dict[str, Any]:
        """Plain data; cells that are the same are only counted."""
        return {
            "first": self.first,
            "second": self.second,
            "agrees": self.agrees,
            "tests": {"number": len(self.p_values), "level": noise.LEVEL, "method": noise.TESTS},
            "tables": {name: dict(sorted(counts.items())) for name, counts in self.counts.items()},
            "verdicts": [vars(verdict) for verdict in self.verdicts],
            "cells": [{key: value for key, value in vars(cell).items() if key != "tests"} for cell in self.cells],
            "notes": self.notes,
        }


def compare(first: Path, second: Path) -> Comparison:
    """Compare all tables that both folders have; `UserError` if there is none."""
    names = [_tables(folder) for folder in (first, second)]
    common = [name for name in names[0] if name in names[1]]
    if not common:
        raise UserError(f"{first} and {second} have no table in common; give two folders such as results/quick.")
    result = Comparison(str(first), str(second))
    for here, there, folder in ((names[0], names[1], first), (names[1], names[0], second)):
        alone = [name for name in here if name not in there]
        if alone:
            result.notes.append(f"not compared, only in {folder}: {', '.join(alone)}")
    for name in common:
        if Path(name).name == LEDGER and name != LEDGER and LEDGER in common:
            continue  # the ledger has the same rows
        _compare_tables(name, _read(first / name), _read(second / name), result)
    _decide(result)
    if LEDGER in common:
        ledgers = [read_csv(folder / LEDGER, VERDICTS, REMEDY, keep_default_na=False) for folder in (first, second)]
        result.verdicts = list(_verdicts(ledgers[0], ledgers[1], result))
    return result


def _tables(folder: Path) -> list[str]:
    if not folder.is_dir():
        raise UserError(f"{folder} is no folder; give one of results, such as results/quick.")
    check_links(folder)
    found = {path.relative_to(folder).as_posix() for kind in KINDS for path in folder.glob(kind)}
    return sorted(name for name in found if name.endswith(".csv"))


def _read(file: Path) -> pd.DataFrame:
    return read_csv(file, remedy=REMEDY, dtype=str, keep_default_na=False)


def _compare_tables(name: str, first: pd.DataFrame, second: pd.DataFrame, result: Comparison) -> None:
    counts = result.counts[name] = Counter()
    named = keys(first, second)
    rows = [_named_rows(table, named) for table in (first, second)]
    columns = [column for column in first.columns if column in second.columns and column not in named]
    lonely = _test_other_seeds(name, rows, named, columns, result) if SEED in named else set()
    for here, there, shown in ((rows[0], rows[1], ("", NOTHING)), (rows[1], rows[0], (NOTHING, ""))):
        for key in here.index.difference(there.index, sort=False):
            if _without_seed(key, named) not in lonely:
                result.cells.append(Cell(name, row_name(named, key[:-1]), "", *shown, kind="different"))
                counts["different"] += 1
    alone = [str(column) for column in first.columns.symmetric_difference(second.columns)]
    if alone:
        result.notes.append(f"{name}: not compared, columns of one table only: {', '.join(alone)}")
    common = rows[0].index.intersection(rows[1].index, sort=False)
    a, b = rows[0].loc[common, columns], rows[1].loc[common, columns]
    cells: dict[tuple[int, str], Cell] = {}
    names = [row_name(named, key[:-1]) for key in common]
    for column in columns:
        first_texts, second_texts = a[column].tolist(), b[column].tolist()
        unlike = [row for row in range(len(names)) if first_texts[row] != second_texts[row]]
        counts["same"] += len(names) - len(unlike)
        cells |= {(row, column): Cell(name, names[row], column, first_texts[row], second_texts[row]) for row in unlike}
    result.cells += cells.values()
    if SEED in named:
        _test_runs(a, b, named, cells, result)
    else:
        _test_estimates(a, b, cells, result)


def _named_rows(table: pd.DataFrame, named: Sequence[str]) -> pd.DataFrame:
    """Rows by their names and a number among those of the same name."""
    order = table.groupby(list(named)).cumcount() if named else pd.Series(range(len(table)), index=table.index)
    index = pd.MultiIndex.from_arrays([*(table[column] for column in named), order])
    return table.set_axis(index, axis=0)


def _test_estimates(a: pd.DataFrame, b: pd.DataFrame, cells: dict[tuple[int, str], Cell], result: Comparison) -> None:
    """Each number with an interval; its ends, and texts of a row with one such number, follow it."""
    measured = {column: ends for column, ends in estimates(a).items() if column in a and all(end in a for end in ends)}
    followed = {end: column for column, ends in measured.items() for end in ends}
    only = next(iter(measured)) if len(measured) == 1 else None
    numeric = {column for column in a.columns if is_number(a[column]) or is_number(b[column])}
    tests: dict[tuple[int, str], int] = {}
    for (row, column), cell in cells.items():
        estimate = followed.get(column, column if column in measured else None)
        if estimate is None and column not in numeric:
            estimate = only
        if estimate is None:
            continue
        if (row, estimate) not in tests:
            pair = [_estimated(table.iloc[row], estimate, measured[estimate]) for table in (a, b)]
            p = noise.of_estimates(*pair)
            if p is None:
                continue
            tests[row, estimate] = _add(result, p)
        cell.tests.append(tests[row, estimate])


def _estimated(row: pd.Series, column: str, ends: tuple[str, str]) -> Estimated:
    value, low, high = (_number(row[name]) for name in (column, *ends))
    seeds = _number(row["seeds"]) if "seeds" in row.index else 0.0
    return Estimated(value, low, high, int(seeds) if np.isfinite(seeds) else 0)


def _test_runs(
    a: pd.DataFrame, b: pd.DataFrame, named: Sequence[str], cells: dict[tuple[int, str], Cell], result: Comparison
) -> None:
    """Runs that differ in the seed alone, each column by itself, and pooled over all rows of a recipe."""
    columns = [column for column in a.columns if is_number(a[column]) or is_number(b[column])]
    levels = pd.DataFrame(a.index.tolist(), columns=[*named, "#"]) if len(a) else pd.DataFrame(columns=[*named, "#"])
    of_group = [column for column in named if column != SEED]
    groups = levels.groupby(of_group, sort=False).indices if of_group else {(): np.arange(len(levels))}
    by_recipe: dict[tuple[str, str], list[tuple[tuple[str, ...], np.ndarray, list[Cell]]]] = {}
    for key, rows in groups.items():
        recipe = str(levels["recipe"].iloc[rows[0]]) if "recipe" in named else str(key if not of_group else "")
        for column in columns:
            touched = [cells[row, column] for row in rows if (row, column) in cells]
            if not touched:
                continue
            x, y = (table[column].iloc[rows].map(_number).to_numpy(dtype=float) for table in (a, b))
            there = np.isfinite(x) & np.isfinite(y)
            size = float(np.abs(np.concatenate([x[there], y[there]])).max()) if there.any() else 0.0
            p = noise.of_differences((x - y)[there], size)
            if p is not None:
                test = _add(result, p)
                for cell in touched:
                    cell.tests.append(test)
            seeds = tuple(levels[SEED].iloc[rows[there]])
            by_recipe.setdefault((recipe, column), []).append((seeds, (x - y)[there], touched))
    for found in by_recipe.values():
        _test_pooled(found, result)
    _test_failures(a, b, levels, cells, result)


def _test_pooled(found: list[tuple[tuple[str, ...], np.ndarray, list[Cell]]], result: Comparison) -> None:
    seeds = Counter(seeds for seeds, _, _ in found).most_common(1)[0][0]
    groups = [(differences, cells) for own, differences, cells in found if own == seeds]
    if len(groups) < 2:
        return
    p = noise.of_differences(noise.pooled([differences for differences, _ in groups]), 1.0)
    if p is not None:
        test = _add(result, p)
        for _, cells in groups:
            for cell in cells:
                cell.tests.append(test)


def _test_other_seeds(
    name: str, rows: Sequence[pd.DataFrame], named: Sequence[str], columns: Sequence[str], result: Comparison
) -> set[tuple[str, ...]]:
    """Runs that both folders have, of seeds that only one has: named in a note, and tested where no seed is common."""
    groups = [
        pd.Series([_without_seed(key, named) for key in table.index], index=table.index, dtype=object) for table in rows
    ]
    both = set(groups[0]) & set(groups[1])
    alone = [
        group[~table.index.isin(other.index)] for group, table, other in zip(groups, rows, reversed(rows), strict=True)
    ]
    count = sum(key in both for each in alone for key in each)
    if count:
        result.notes.append(f"{name}: {count} runs have seeds that only one folder has")
    paired = set(groups[0][rows[0].index.isin(rows[1].index)])
    others = [column for column in named if column != SEED]
    for key in sorted(both - paired):
        for column in columns:
            x, y = (
                table.loc[(group == key).to_numpy(), column].map(_number).to_numpy(dtype=float)
                for table, group in zip(rows, groups, strict=True)
            )
            x, y = x[np.isfinite(x)], y[np.isfinite(y)]
            p = noise.of_samples(x, y)
            if p is not None:
                cell = Cell(name, row_name(others, key), column, f"mean {x.mean():.6g}", f"mean {y.mean():.6g}")
                cell.tests.append(_add(result, p))
                result.cells.append(cell)
    return both


def _without_seed(key: Sequence[str], named: Sequence[str]) -> tuple[str, ...]:
    return tuple(value for value, column in zip(key[:-1], named, strict=True) if column != SEED)


def _test_failures(
    a: pd.DataFrame,
    b: pd.DataFrame,
    levels: pd.DataFrame,
    cells: dict[tuple[int, str], Cell],
    result: Comparison,
) -> None:
    """Runs of a recipe that failed, on all data together."""
    if "status" not in a.columns:
        return
    groups = levels.groupby("recipe", sort=False).indices if "recipe" in levels else {"": np.arange(len(levels))}
    for rows in groups.values():
        touched = [cells[row, "status"] for row in rows if (row, "status") in cells]
        if touched:
            failed = [int((table["status"].iloc[rows] != "ok").sum()) for table in (a, b)]
            test = _add(result, noise.of_counts(failed[0], len(rows), failed[1], len(rows)))
            for cell in touched:
                cell.tests.append(test)


def _add(result: Comparison, p: float) -> int:
    result.p_values.append(p)
    return len(result.p_values) - 1


def _decide(result: Comparison) -> None:
    """Judge every cell by the adjusted p-values of its tests."""
    family = adjusted(result.p_values) if result.p_values else np.zeros(0)
    for cell in result.cells:
        if cell.kind == "different":
            continue
        if cell.tests:
            cell.p = float(min(family[test] for test in cell.tests))
            cell.kind = "different" if cell.p < noise.LEVEL else "within noise"
        result.counts[cell.table][cell.kind] += 1


def _verdicts(first: pd.DataFrame, second: pd.DataFrame, result: Comparison) -> Iterator[VerdictPair]:
    """Verdicts by claim: a change is noise if the estimates agree within noise and it is not a reversal."""
    verdicts = [dict(zip(table["id"], table["verdict"], strict=True)) for table in (first, second)]
    judged = {cell.row: cell.kind for cell in result.cells if cell.table == LEDGER and cell.column == "estimate"}
    for claim in dict.fromkeys([*verdicts[0], *verdicts[1]]):
        a, b = (found.get(claim, NOTHING) for found in verdicts)
        estimate: Class = judged.get(row_name(["id"], [claim]), "same")
        if a == b:
            kind: Class = estimate if estimate != "untested" else "within noise"
        elif {a, b} == UNLIKE or estimate not in ("same", "within noise") or NOTHING in (a, b) or "not run" in (a, b):
            kind = "different"
        else:
            kind = "within noise"
        yield VerdictPair(claim, a, b, kind)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")

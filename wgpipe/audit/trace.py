"""From a cell of a table, or a claim, back to the runs, data and code behind it, and the commands that repeat them.

A study computes each of its tables from its runs, so what stands behind a row are the runs that agree with it: of the
dataset, recipe, n, seed and metric that it names, whatever its columns are called, with the oracle's runs on the same
data, which are its nulls. A row that names none of them stands for all runs of its study.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from wgpipe import identity, registry
from wgpipe.audit import commands, provenance
from wgpipe.audit.fingerprint import PACKAGE
from wgpipe.audit.pairing import SEED, SIZE
from wgpipe.dag import Dag
from wgpipe.data import family
from wgpipe.data.prepared import CARD, DATA, load_card
from wgpipe.errors import UserError, suggestion
from wgpipe.grid import Block
from wgpipe.stored import Kind, read_csv, read_json, read_table
from wgpipe.studies.build import ORACLE
from wgpipe.train import files

SHOWN = 40  # measured values that are printed
STUDIES = "studies"
VALUES: dict[str, Kind] = {
    **dict.fromkeys(("dataset", "recipe"), "name"),
    **dict.fromkeys(("n", "seed"), "whole"),
    **dict.fromkeys(("status", "metric"), "name"),
    "value": "number",
}


@dataclass(frozen=True)
class Traced:
    """A cell, or a claim, and what is behind it."""

    what: str  # `studies/vanilla_rates/rates.csv, row 3: slope = -0.302`
    row: dict[str, str]
    studies: list[str]
    blocks: list[Block]
    metric: str | None = None
    seed: int | None = None


def find_cell(dag: Dag, table: Path, cell: Sequence[str]) -> Traced:
    """The cell that `ROW,COLUMN` (rows from 1) or `KEY=VALUE ... COLUMN` names; `UserError` unless it is one."""
    try:
        content = pd.read_csv(table, dtype=str, keep_default_na=False)
        name = table.resolve().relative_to(dag.root.resolve()).as_posix()
    except (OSError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise UserError(f"{table} is no table of {dag.root}: {reason}.") from None
    number, column = _row_and_column(content, cell, name)
    row = {str(key): str(value) for key, value in content.iloc[number].items()}
    studies = _studies(dag, name, row)
    metric = next((row[key] for key in ("metric", "quantity") if row.get(key)), None)
    seed = int(row[SEED]) if row.get(SEED, "").isdecimal() else None
    what = f"{name}, row {number + 1}: {column} = {row[column] or 'nothing'}"
    return Traced(what, row, studies, _behind(dag, studies, row, column), metric or _measured_as(column), seed)


def find_claim(dag: Dag, claim: str) -> Traced:
    """What is behind a claim; `UserError` with a suggestion if no study of the folder has it."""
    known = {name: study for study, given in dag.resolved.studies.items() for name in given.claims}
    if claim not in known:
        raise UserError(f"{dag.root} has no claim '{claim}'{suggestion(claim, known)}")
    study = known[claim]
    recipes = dag.resolved.studies[study].claims[claim].recipes
    blocks = [block for block in dag.study_blocks[study] if block.recipe in (*recipes, ORACLE)]
    table = read_csv(dag.study_folder(study) / "claims.csv", {"id": "name"}, dtype=str, keep_default_na=False)
    rows = table[table["id"] == claim].to_dict("records")
    row = {str(key): str(value) for key, value in rows[0].items()} if rows else {}
    return Traced(f"claim {claim}: {row.get('verdict', 'not judged')}", row, [study], blocks)


def lines(dag: Dag, traced: Traced) -> Iterator[str]:
    """Cell, runs, numbers, data, code, commands."""
    yield traced.what
    yield from _section("row", [f"{key}: {value}" for key, value in traced.row.items() if value])
    yield from _section("runs", _runs(dag, traced))
    yield from _section("measured values", _values(dag, traced))
    yield from _section("data", _data(dag, traced))
    yield from _section("code", _code(dag, traced))
    yield from _section("to repeat it", [commands.shown(command) for command in repeated(dag, traced)])


def to_json(dag: Dag, traced: Traced) -> dict[str, Any]:
    """Plain data."""
    return {
        "what": traced.what,
        "row": traced.row,
        "runs": [str(dag.block_folder(block)) for block in traced.blocks],
        "values": _rows(dag, traced).to_dict("records"),
        "data": list(_data(dag, traced)),
        "code": list(_code(dag, traced)),
        "commands": [commands.shown(command) for command in repeated(dag, traced)],
    }


def repeated(dag: Dag, traced: Traced) -> list[commands.Command]:
    """Everything from the download to the table, in order."""
    datasets = sorted({block.dataset for block in traced.blocks})
    bundles = sorted({bundle for block in traced.blocks for bundle in _with_base(dag, block)})
    pairs = sorted({block.pair for block in traced.blocks})
    return [
        *(command for name in datasets for command in commands.fetch(dag, name)),
        *(commands.prepare(dag, name) for name in datasets),
        *(command for name in datasets for command in commands.look(dag, name)),
        *(
            commands.train(dag, bundle)
            for bundle in sorted(bundles, key=lambda each: dag.recipes[each.recipe].on or "")
        ),
        *(commands.measure(dag, *pair) for pair in pairs),
        *(
            commands.pictures(dag, study, *pair)
            for study in traced.studies
            for pair in dag.pictured(study)
            if pair in pairs
        ),
        *(commands.study(dag, study) for study in traced.studies),
        commands.ledger(dag),
        commands.ranking(dag),
    ]


def _with_base(dag: Dag, block: Block) -> Iterator[Any]:
    yield block.bundle
    on = dag.recipes[block.recipe].on
    if on:
        yield type(block.bundle)(block.dataset, on, block.seeds)


def _row_and_column(content: pd.DataFrame, cell: Sequence[str], name: str) -> tuple[int, str]:
    columns = [str(column) for column in content.columns]
    accepted = "accepted: ROW,COLUMN such as 3,slope, or KEY=VALUE ... COLUMN"
    if len(cell) == 1 and "," in cell[0] and cell[0].partition(",")[0].strip().isdecimal():
        given, _, column = cell[0].partition(",")
        number = int(given) - 1
        if not 0 <= number < len(content):
            raise UserError(f"{name} has no row {given.strip()}; accepted: 1 to {len(content)}.")
    elif cell and all("=" in item for item in cell[:-1]) and "=" not in cell[-1]:
        pairs = [item.partition("=")[::2] for item in cell[:-1]]
        for key, _ in pairs:
            if key not in columns:
                raise UserError(f"{name} has no column '{key}'{suggestion(key, columns)}")
        fits = content[[all(row[key] == value for key, value in pairs) for _, row in content.iterrows()]]
        if len(fits) != 1:
            said = " ".join(cell[:-1]) or "no condition"
            raise UserError(f"{name} has {len(fits)} rows with {said}; {accepted}, with as many keys as name one row.")
        number, column = int(fits.index[0]), cell[-1]
    else:
        raise UserError(f"'{' '.join(cell)}' is no cell of {name}; {accepted}.")
    if column.strip() not in columns:
        raise UserError(f"{name} has no column '{column.strip()}'{suggestion(column.strip(), columns)}")
    return number, column.strip()


def _studies(dag: Dag, name: str, row: dict[str, str]) -> list[str]:
    """The study whose table it is, or that the row names; otherwise all."""
    parts = name.split("/")
    named = parts[1] if parts[0] == STUDIES else row.get("study", "")
    return [named] if named in dag.study_blocks else list(dag.study_blocks)


def _behind(dag: Dag, studies: Sequence[str], row: dict[str, str], column: str) -> list[Block]:
    """Blocks of the studies that agree with a row."""
    blocks = sorted({block for study in studies for block in dag.study_blocks[study]})
    claim = row.get("id", "")
    named = [row[key] for key in row] + [column]
    datasets = {block.dataset for block in blocks} & set(named)
    recipes = {block.recipe for block in blocks} & set(named)
    if not recipes:
        methods = {name for name in named if name in {dag.recipes[block.recipe].method.name for block in blocks}}
        recipes = {block.recipe for block in blocks if dag.recipes[block.recipe].method.name in methods}
    for study in studies:
        if claim in dag.resolved.studies[study].claims:
            recipes |= set(dag.resolved.studies[study].claims[claim].recipes)
    size = int(row[SIZE]) if row.get(SIZE, "").isdecimal() else None
    seed = int(row[SEED]) if row.get(SEED, "").isdecimal() else None
    return [
        block
        for block in blocks
        if (not datasets or block.dataset in datasets)
        and (not recipes or block.recipe in recipes or block.recipe == ORACLE)
        and size in (None, block.n)
        and (seed is None or seed in block.seeds)
    ]


def _measured_as(column: str) -> str:
    """A column of a table of runs is named by its quantity."""
    return column.removesuffix("_null")


def _section(title: str, content: Sequence[str] | Iterator[str]) -> Iterator[str]:
    yield from ("", title, *(f"  {line}" for line in content))


def _runs(dag: Dag, traced: Traced) -> Iterator[str]:
    for block in traced.blocks:
        folder = dag.block_folder(block)
        try:
            run = read_json(folder / files.RUN, {"status": dict, "code": str, "settings": str})
        except FileNotFoundError:
            yield f"{folder}: missing"
            continue
        statuses = sorted(set(map(str, run["status"].values())))
        commit = _commit(folder / provenance.FILE)
        yield f"{folder}: {', '.join(statuses)}; code {run['code']}, settings {run['settings'][:16]}{commit}"


def _rows(dag: Dag, traced: Traced) -> pd.DataFrame:
    """Measured values of these runs, of the cell's metric and seed if it names one."""
    tables = []
    sizes = {(block.dataset, block.recipe, block.n, seed) for block in traced.blocks for seed in block.seeds}
    for pair in sorted({block.pair for block in traced.blocks}):
        file = dag.measures_file(*pair)
        if file.is_file():
            tables.append(read_table(file, VALUES)[list(VALUES)])
    if not tables:
        return pd.DataFrame()
    table = pd.concat(tables, ignore_index=True)
    own = [key in sizes for key in zip(table["dataset"], table["recipe"], table["n"], table["seed"], strict=True)]
    table = table[own]
    if traced.seed is not None:
        table = table[table["seed"] == traced.seed]
    named = table[table["metric"] == traced.metric]
    return named if len(named) else table


def _values(dag: Dag, traced: Traced) -> Iterator[str]:
    table = _rows(dag, traced)
    if table.empty:
        yield "none in this folder"
        return
    yield from table.head(SHOWN).to_csv(index=False, lineterminator="\n").splitlines()
    if len(table) > SHOWN:
        yield f"and {len(table) - SHOWN} rows more; --json has all"


def _data(dag: Dag, traced: Traced) -> Iterator[str]:
    for name in sorted({block.dataset for block in traced.blocks}):
        folder = dag.dataset_folder(name)
        if not (folder / CARD).is_file():
            yield f"{name}: not prepared"
            continue
        card = load_card(folder)
        yield f"{name}: {card.title} ({folder / DATA})"
        yield from (f"  {array}: sha256 {digest}" for array, digest in sorted(card.checksums.items()))


def _code(dag: Dag, traced: Traced) -> Iterator[str]:
    """Present fingerprints and the files that the pieces are defined in; what the records say stands with the runs."""
    for name in sorted({block.dataset for block in traced.blocks}):
        yield _piece(
            "data", family(name), identity.preparing_code(family(name)), registry.file_of("dataset", family(name))
        )
    pairs: dict[str, str] = {block.recipe: block.dataset for block in traced.blocks}
    for recipe, dataset in sorted(pairs.items()):
        method = dag.recipes[recipe].method.name
        yield _piece("training", recipe, dag.training_code(dataset, recipe), registry.file_of("method", method))
    metrics = {metric for study in traced.studies for metric in dag.resolved.metrics[study]}
    for metric in sorted(metrics):
        yield _piece("metric", metric, identity.metric_code(metric), registry.file_of("metric", metric))
    for study in traced.studies:
        yield _piece("study", study, identity.study_code(study), registry.file_of("study", study))


def _piece(kind: str, name: str, code: str, file: Path) -> str:
    shown = file.relative_to(PACKAGE.parent) if file.is_relative_to(PACKAGE) else file
    return f"{kind} {name}: {code} ({shown.as_posix()})"


def _commit(file: Path) -> str:
    git = provenance.read(file).get("git")
    git = git if isinstance(git, dict) else {}
    changed = " with changes" if git.get("changed") else ""
    return f", commit {str(git['commit'])[:12]}{changed}" if git.get("commit") else ""

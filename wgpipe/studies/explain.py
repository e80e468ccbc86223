"""`wgpipe claims`: the ledger in a terminal, and for one claim the whole chain from its settings to its verdict."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import pandas as pd

from wgpipe.config import Claim, Study, study_file
from wgpipe.data.prepared import load_card
from wgpipe.errors import UserError, suggestion
from wgpipe.grid import Block, Grid
from wgpipe.settings import read_yaml, validated
from wgpipe.stored import read_csv, read_json
from wgpipe.studies.claims import ClaimRow
from wgpipe.studies.ledger import MARK, MARKED
from wgpipe.train import files

ROWS = 40  # of a table that are printed
SHOWN = (*ClaimRow.__dataclass_fields__, "config", "needs", "caveat")  # columns of the ledger


def listed(grid: Grid) -> str:
    """A line for each claim: verdict, identifier, reason."""
    table = _ledger(grid)
    width = max(map(len, table["id"]), default=0)
    lines = [
        f"{row['verdict']:<12}{MARK if row['caveat'] else ' '} {row['id']:<{width}}  {row['reason']}"
        for row in table.to_dict("records")
    ]
    return "\n".join([*lines, "", MARKED, "The whole chain of one claim: wgpipe claims --explain ID"])


def explained(grid: Grid, name: str, config_folder: Path) -> str:
    """Everything behind one claim; `UserError` with a suggestion if there is no such claim."""
    table = _ledger(grid).set_index("id")
    if name not in table.index:
        raise UserError(f"{grid.root / 'claims.csv'} has no claim '{name}'{suggestion(name, table.index)}")
    row = {str(column): str(value) for column, value in table.loc[name].items()}
    study = _study(grid, row["study"], config_folder)
    if name not in study.claims:
        raise UserError(f"study '{row['study']}' has no claim '{name}'{suggestion(name, study.claims)}")
    claim = study.claims[name]
    lines = [
        f"{name}: {row['verdict']}",
        *_section("statement", [claim.statement, f"{row['grade']}; {row['source']}"]),
        *_section("written in", [row["config"], f"recipes: {', '.join(claim.recipes)}", *_parameters(claim)]),
    ]
    if row["study"] in grid.study_blocks:
        blocks = [block for block in grid.study_blocks[row["study"]] if block.recipe in claim.recipes]
        lines += _section("data", _data(grid, blocks))
        lines += _section("runs", _runs(grid, blocks))
        lines += _section("numbers", _numbers(grid, row, claim))
    lines += _section("test", _test(claim))
    lines += _section("verdict", [f"{row['verdict']}: {row['reason']}", *_needs(row), *_caveat(claim)])
    return "\n".join(lines)


def _ledger(grid: Grid) -> pd.DataFrame:
    file = grid.root / "claims.csv"
    if not file.is_file():
        raise UserError(f"{file} does not exist: the pipeline has not run to its end at scale '{grid.scale}' yet.")
    return read_csv(file, dict.fromkeys(SHOWN, "name"), keep_default_na=False, dtype=str)


def _study(grid: Grid, name: str, config_folder: Path) -> Study:
    if name in grid.resolved.studies:
        return grid.resolved.studies[name]
    file = study_file(config_folder, name)
    return validated(Study, read_yaml(file), str(file))


def _section(title: str, lines: Iterable[str]) -> list[str]:
    return ["", title, *(f"  {line}" for line in lines)]


def _parameters(claim: Claim) -> list[str]:
    return [f"{name} = {value:g}" for name, value in claim.parameters.items()]


def _data(grid: Grid, blocks: Sequence[Block]) -> Iterator[str]:
    for name in sorted({block.dataset for block in blocks}):
        folder = grid.dataset_folder(name)
        if not (folder / "card.json").is_file():
            yield f"{name}: not prepared"
            continue
        card = load_card(folder)
        yield f"{name}: {card.title} ({folder / 'data.npz'})"
        yield from (f"  {array}: sha256 {digest}" for array, digest in sorted(card.checksums.items()))


def _runs(grid: Grid, blocks: Sequence[Block]) -> Iterator[str]:
    for recipe in sorted({block.recipe for block in blocks}):
        yield f"{recipe} ({grid.recipe_file(recipe)})"
        for dataset in sorted({block.dataset for block in blocks if block.recipe == recipe}):
            own = [block for block in blocks if block.pair == (dataset, recipe)]
            yield f"  measured in {grid.measures_file(dataset, recipe)}"
            yield from (f"  {_block(grid.block_folder(block), block)}" for block in own)
    yield "nulls: oracle on the same data, n and seeds"


def _block(folder: Path, block: Block) -> str:
    name = f"{folder}: n = {block.n}, seeds {block.bundle.slot}"
    file = folder / files.RUN
    if not file.is_file():
        return f"{name}: missing"
    run = read_json(file, {"status": dict, "code": str, "settings": str})
    counts = Counter(run["status"].values())
    statuses = ", ".join(f"{count} {status}" for status, count in sorted(counts.items()))
    return f"{name}, {statuses}; code {run['code']}, settings {run['settings'][:16]}"


def _numbers(grid: Grid, row: dict[str, str], claim: Claim) -> Iterator[str]:
    if row["estimate"]:
        yield f"estimate {row['estimate']} [{row['ci_low']}, {row['ci_high']}] {row['unit']}"
    yield f"{row['runs']} runs, {row['seeds']} seeds"
    folder = grid.study_folder(row["study"])
    yield f"figure {folder / row['figure']}.svg"
    file = folder / f"{row['table']}.csv"
    yield f"table {file}"
    if file.is_file():
        table = read_csv(file, keep_default_na=False, dtype=str)
        own = table[table["recipe"].isin(claim.recipes)] if "recipe" in table else table
        shown = own.loc[:, (own != "").any()].head(ROWS)
        yield from (f"  {line}" for line in shown.to_csv(index=False, lineterminator="\n").splitlines())
        if len(own) > ROWS:
            yield f"  and {len(own) - ROWS} rows more"


def _test(claim: Claim) -> list[str]:
    test = claim.test
    where = {"below": "below", "above": "above", "equal": "within"}[test.test]
    return [
        claim.prediction,
        f"supported: the whole {test.level:.0%} interval lies {where} {test.edge()}; contradicted: no part of it does",
        f"at least {test.min_seeds} seeds",
    ]


def _caveat(claim: Claim) -> list[str]:
    return [f"caveat: {claim.caveat}"] if claim.caveat else []


def _needs(row: dict[str, str]) -> list[str]:
    return [f"to decide it: {row['needs']}"] if row["needs"] else []

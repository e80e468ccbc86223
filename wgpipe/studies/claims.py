"""The claims of one study: what was predicted, what was measured, and the verdict."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Literal, get_args

import pandas as pd

from wgpipe.config import Claim
from wgpipe.config import Study as Settings
from wgpipe.errors import UserError, suggestion
from wgpipe.stats.estimates import Estimate
from wgpipe.stats.panels import FitRule
from wgpipe.stats.verdicts import Verdict, judge
from wgpipe.stored import reading
from wgpipe.studies.tables import write_csv

Measure = Callable[[Claim, pd.DataFrame], Estimate]
Standing = Verdict | Literal["not run"]


@dataclass(frozen=True)
class ClaimRow:
    """One row of claims.csv. `figure` and `table` are files of the study's folder, without extension.

    A study gives every claim a verdict; "not run" stands in the ledger alone, for studies that a scale leaves out.
    """

    id: str
    study: str
    statement: str
    prediction: str
    estimate: float
    ci_low: float
    ci_high: float
    unit: str
    runs: int
    seeds: int
    verdict: Standing
    reason: str
    grade: str
    source: str
    figure: str
    table: str


COLUMNS = tuple(field.name for field in fields(ClaimRow))


def rule_of(claim: Claim) -> FitRule:
    """How rates are fitted for a claim: at the level of its test."""
    return FitRule(level=claim.test.level)


def judge_claims(config: Settings, measures: Mapping[str, Measure], runs: pd.DataFrame) -> list[ClaimRow]:
    """Every claim of a study's settings, in their order. `UserError` for a claim that the study cannot measure."""
    rows = []
    for name, claim in config.claims.items():
        if name not in measures:
            raise UserError(f"study '{config.study}': claims: '{name}' is unknown{suggestion(name, measures)}")
        estimate = measures[name](claim, runs)
        rows.append(claim_row(config.study, name, claim, estimate, *judge(claim.test, estimate)))
    return rows


def write_claims(rows: Sequence[ClaimRow], folder: Path) -> None:
    """claims.csv, in the order given."""
    write_csv(pd.DataFrame(rows, columns=list(COLUMNS)), folder, "claims")


def read_claims(file: Path) -> list[ClaimRow]:
    """The rows of a claims.csv; `UserError` if it is none."""
    with reading(file), file.open(encoding="utf-8", newline="") as lines:
        reader = csv.DictReader(lines)
        if tuple(reader.fieldnames or ()) != COLUMNS:
            raise UserError(f"{file} has other columns than a table of claims; accepted: {', '.join(COLUMNS)}.")
        return [_parsed(row) for row in reader]


def claim_row(study: str, name: str, claim: Claim, estimate: Estimate, verdict: Standing, reason: str) -> ClaimRow:
    """A claim of a study's settings beside what was found."""
    return ClaimRow(
        id=name,
        study=study,
        statement=claim.statement,
        prediction=claim.prediction,
        estimate=estimate.value,
        ci_low=estimate.ci_low,
        ci_high=estimate.ci_high,
        unit=estimate.unit,
        runs=estimate.runs,
        seeds=estimate.seeds,
        verdict=verdict,
        reason=reason,
        grade=f"{claim.grade}, CHECKED" if claim.checked else claim.grade,
        source=claim.source,
        figure=claim.figure,
        table=claim.table,
    )


def _parsed(row: dict[str, str]) -> ClaimRow:
    if None in row or None in row.values():
        raise ValueError("a row has other cells than the header")
    if row["verdict"] not in get_args(Verdict):
        raise ValueError(f"'{row['verdict'][:20]}' is no verdict")
    numbers = {name: float(row[name] or "nan") for name in ("estimate", "ci_low", "ci_high")}
    counts = {name: int(row[name]) for name in ("runs", "seeds")}
    return ClaimRow(**{**row, **numbers, **counts})  # type: ignore[arg-type]

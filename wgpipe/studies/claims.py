"""The claims ledger: what was predicted, what was measured, and the verdict."""

from __future__ import annotations

import csv
import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import pandas as pd

from wgpipe.atomic import atomic
from wgpipe.config import Claim
from wgpipe.config import Study as Settings
from wgpipe.errors import UserError, suggestion
from wgpipe.stats.estimates import Estimate
from wgpipe.stats.verdicts import Verdict, judge
from wgpipe.studies.tables import number, write_csv

Measure = Callable[[Claim, pd.DataFrame], Estimate]

LEGEND = """\
How to read this. Each claim was written down with its test, its band and its least number of seeds before anything ran
(config/studies/). The estimate stands with its confidence interval, by cluster bootstrap over seeds where it is a slope
or a ratio, by Wilson's or Newcombe's formula where it is a share.

- **supported**: the whole interval agrees with the prediction.
- **contradicted**: the whole interval disagrees with the prediction. That is a result, and as welcome.
- **inconclusive**: the interval reaches across the edge, or no verdict may rest on the runs: `missing`, `few seeds`,
  `diverged` (more than a tenth of the runs failed) or `floor` (the null, or a floor of the curve, hides the rate).

Grades say how sure the statement itself is. READ: read in the paper. DERIVED: our own mathematics. RECALLED: reported
from memory. CHECKED: a small numeric computation agrees. *To measure*: nobody promises it.
"""


@dataclass(frozen=True)
class ClaimRow:
    """One row of claims.csv. `figure` and `table` are files of the study's folder, without extension."""

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
    verdict: Verdict
    reason: str
    grade: str
    source: str
    figure: str
    table: str


COLUMNS = tuple(field.name for field in fields(ClaimRow))


def judge_claims(config: Settings, measures: Mapping[str, Measure], runs: pd.DataFrame) -> list[ClaimRow]:
    """Every claim of a study's settings, in their order. `UserError` for a claim that the study cannot measure."""
    rows = []
    for name, claim in config.claims.items():
        if name not in measures:
            raise UserError(f"study '{config.study}': claims: '{name}' is unknown{suggestion(name, measures)}")
        rows.append(_row(config.study, name, claim, measures[name](claim, runs)))
    return rows


def write_claims(rows: Sequence[ClaimRow], folder: Path, studies: str = "studies") -> None:
    """claims.csv and claims.md, in the order given; `studies` is the path from there to the folders of the studies."""
    write_csv(pd.DataFrame(rows, columns=list(COLUMNS)), folder, "claims")
    with atomic(folder / "claims.md") as path:
        path.write_text(_markdown(rows, studies), encoding="utf-8")


def read_claims(file: Path) -> list[ClaimRow]:
    """The rows of a claims.csv; `UserError` if it is none."""
    with file.open(encoding="utf-8", newline="") as lines:
        reader = csv.DictReader(lines)
        if tuple(reader.fieldnames or ()) != COLUMNS:
            raise UserError(f"{file} has other columns than a table of claims; accepted: {', '.join(COLUMNS)}.")
        return [_parsed(row) for row in reader]


def _row(study: str, name: str, claim: Claim, estimate: Estimate) -> ClaimRow:
    verdict, reason = judge(claim.test, estimate)
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
    numbers = {name: float(row[name] or "nan") for name in ("estimate", "ci_low", "ci_high")}
    counts = {name: int(row[name]) for name in ("runs", "seeds")}
    return ClaimRow(**{**row, **numbers, **counts})  # type: ignore[arg-type]


def _markdown(rows: Sequence[ClaimRow], studies: str) -> str:
    counts = Counter(row.verdict for row in rows)
    summary = ", ".join(f"{counts[v]} {v}" for v in ("supported", "contradicted", "inconclusive"))
    lines = [
        "# Claims",
        "",
        f"{len(rows)} claims: {summary}.",
        "",
        "| claim | prediction | estimate [interval] | runs | seeds | verdict |",
        "|---|---|---|---|---|---|",
        *(_line(row) for row in rows),
        "",
        LEGEND,
    ]
    for row in rows:
        figure, table = (f"{studies}/{row.study}/{name}" for name in (f"{row.figure}.svg", f"{row.table}.csv"))
        lines += [
            f"## {row.id}: {row.verdict}",
            "",
            f"{row.statement} ({row.grade}; {row.source})",
            "",
            f"- Prediction: {row.prediction}",
            f"- Finding: {row.reason}",
            f"- See [{row.figure}]({figure}) and [{row.table}]({table}).",
            "",
        ]
    return "\n".join(lines)


def _line(row: ClaimRow) -> str:
    estimate = "none"
    if math.isfinite(row.estimate):
        estimate = f"{number(row.estimate)} [{number(row.ci_low)}, {number(row.ci_high)}] {row.unit}"
    cells = (row.id, row.prediction, estimate, str(row.runs), str(row.seeds), f"**{row.verdict}**")
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"

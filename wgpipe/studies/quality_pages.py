"""The quality control of all studies: joined tables, and the page that sums them up in Markdown and HTML."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import pandas as pd

from wgpipe.atomic import atomic
from wgpipe.grid import NEEDS, STUDY_QUALITY
from wgpipe.stored import read_csv
from wgpipe.studies import web_page
from wgpipe.studies.inputs import QUALITY
from wgpipe.studies.ledger import Entry, need_table, paper_order
from wgpipe.studies.ledger_markdown import markdown_table
from wgpipe.studies.tables import NOTHING, number, write_csv


@dataclass(frozen=True)
class Section:
    """A heading, what it says in a sentence, and the rows that a reader must see."""

    title: str
    text: str
    header: tuple[str, ...] = ()
    rows: Sequence[Sequence[str]] = ()


def join(folders: Sequence[Path], entries: Sequence[Entry]) -> dict[str, pd.DataFrame]:
    """Name -> table: those of the studies, with a column that names the study, and what undecided claims need."""
    ordered = sorted(folders, key=lambda folder: paper_order(folder.name))
    tables = {}
    for name in STUDY_QUALITY:
        parts = [read_csv(folder / f"{name}.csv", QUALITY[name]).assign(study=folder.name) for folder in ordered]
        joined = pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)
        tables[name] = joined[["study", *(column for column in joined if column != "study")]]
    return {**tables, NEEDS: need_table(entries)}


def write_quality(tables: Mapping[str, pd.DataFrame], out: Path) -> None:
    """quality.md, quality.html and a csv for each table in quality/."""
    folder = out / "quality"
    folder.mkdir(parents=True, exist_ok=True)
    for name, one in tables.items():
        write_csv(one, folder, name)
    sections = list(_sections(tables))
    for file, text in (("quality.md", _markdown(sections)), ("quality.html", _html(sections))):
        with atomic(out / file) as path:
            path.write_text(text, encoding="utf-8")


def _sections(tables: Mapping[str, pd.DataFrame]) -> Iterator[Section]:
    yield _failures(tables["failures"])
    yield _controls(tables["controls"])
    yield _floors(tables["floors"])
    yield _needs(tables[NEEDS])


def _failures(table: pd.DataFrame) -> Section:
    counts = ["runs", "missing", "diverged", "timeout", "no_value", "out_of_range"]
    grouped = table.groupby(["study", "method"], sort=False)[counts].sum()
    total = grouped.sum()
    shares = ", ".join(f"{_percent(total[name], total['runs'])} {name.replace('_', ' ')}" for name in counts[1:])
    return Section(
        "Runs that failed",
        f"Of {total['runs']} runs that the studies ask for: {shares}. Runs that failed are counted in every result; a"
        " claim with more than a tenth of them is inconclusive.",
        ("study", "method", "runs", "missing", "diverged", "timeout", "no value", "out of range"),
        [
            (*map(str, keys), str(row["runs"]), *(_percent(row[name], row["runs"]) for name in counts[1:]))
            for keys, row in zip(grouped.index, grouped.to_dict("records"), strict=True)
        ],
    )


def _controls(table: pd.DataFrame) -> Section:
    answers = table["as_expected"].value_counts()
    counts = ", ".join(f"{answers.get(answer, 0)} {answer}" for answer in ("yes", "no", "unclear"))
    return Section(
        "Controls",
        f"Numbers that are known before anything is trained; are they where they should be? {counts}.",
        ("study", "control", "data", "expected", "found", "as expected"),
        [
            (row["study"], row["control"], row["dataset"], row["expected"], row["reason"], row["as_expected"])
            for row in table.to_dict("records")
        ],
    )


def _floors(table: pd.DataFrame) -> Section:
    hidden = table[table["status"] != "ok"]
    return Section(
        "Slopes that a floor hides",
        f"{len(hidden)} of {len(table)} curves of W1 against n give no slope: fewer than three n stand above twice the"
        " null, or half of the last value is a fitted floor. The column of points says how many times as many points"
        " would have to be measured.",
        ("study", "recipe", "data", "n used", "points", "why"),
        [
            (
                row["study"],
                row["recipe"],
                row["dataset"],
                f"{row['usable']} of {row['ns']}",
                _factor(row["points_for_slope"]),
                f"{row['status']}: {row['note']}",
            )
            for row in hidden.to_dict("records")
        ],
    )


def _needs(table: pd.DataFrame) -> Section:
    few = int((table["obstacle"] == "few seeds").sum())
    return Section(
        "What the undecided claims need",
        f"{len(table)} claims are inconclusive, {few} of them for want of seeds. Numbers of seeds follow from how much"
        " the seeds varied, if the estimate is the truth: so many that the interval's half-width is below the distance"
        " to the edge of the predicted region, and so many that nine of ten repetitions are decided. If predicted: as"
        " the first, were the prediction's bound the truth.",
        ("claim", "obstacle", "seeds", "seeds needed", "nine in ten", "if predicted", "points", "to decide it"),
        [
            (
                row["id"],
                row["obstacle"],
                str(row["seeds"]),
                _count(row["seeds_needed"]),
                _count(row["seeds_for_power"]),
                _count(row["seeds_if_predicted"]),
                _factor(row["points_factor"]),
                row["advice"],
            )
            for row in table.to_dict("records")
        ],
    )


def _markdown(sections: Sequence[Section]) -> str:
    lines = ["# Quality control", "", "How far the runs behind the [claims](claims.md) may be trusted.", ""]
    for section in sections:
        lines += [f"## {section.title}", "", section.text, ""]
        if section.rows:
            lines += [*markdown_table(section.header, section.rows), ""]
    return "\n".join(lines)


def _html(sections: Sequence[Section]) -> str:
    tables = "".join(web_page.link(f"quality/{name}.csv", f"{name}.csv") for name in (*STUDY_QUALITY, NEEDS))
    claims = web_page.link("claims.html", "claims")
    body = [f"<p>How far the runs behind the claims may be trusted.</p><nav>{claims}{tables}</nav>"]
    for section in sections:
        body += [f"<h2>{escape(section.title)}</h2>", f"<p>{escape(section.text)}</p>"]
        if section.rows:
            body.append(web_page.table(section.header, [[escape(cell) for cell in row] for row in section.rows]))
    return web_page.page("Quality control", body)


def _percent(count: float, total: float) -> str:
    return f"{100 * count / total:.3g} %" if total > 0 else NOTHING


def _count(value: Any) -> str:
    return NOTHING if pd.isna(value) else str(value)


def _factor(value: Any) -> str:
    return NOTHING if pd.isna(value) else f"{number(value, 1)} x"

"""What an audit has found: as lines in a terminal, and as a page that needs nothing beside it."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path

from wgpipe.atomic import atomic
from wgpipe.audit import noise
from wgpipe.audit.compare import Cell, Comparison
from wgpipe.audit.verify import Report
from wgpipe.studies.web_page import page, table

SHOWN = 40  # differing cells that a terminal gets; the page and the JSON have all
COLOURS = {"same": "#767676", "within noise": "#0072B2", "untested": "#B58900", "different": "#D55E00"}
MEANING = {
    "same": "both folders write the same",
    "within noise": "the test does not tell them apart",
    "untested": "a number without an interval, or a text that follows from numbers: it differs, and nothing says by how"
    " much it may; what it was computed from is tested",
    "different": "a test tells them apart, or only one folder has it",
}


def verified_lines(report: Report) -> list[str]:
    """One line for each finding and note, then the summary."""
    return [*map(str, report.findings), *report.notes, report.summary()]


def verified_page(report: Report) -> str:
    """The same as a page."""
    verdict = "passed" if report.passed else f"{len(report.findings)} findings"
    mark = _mark(verdict, "same" if report.passed else "different")
    body = [f"<p>{mark} {report.files} files; digest <code>{escape(report.digest or 'unknown')}</code></p>"]
    body += [table(("check", "findings"), [[escape(check), _found(count)] for check, count in report.checks.items()])]
    if report.findings:
        rows = [[f"<code>{escape(each.file)}</code>", each.what, escape(each.detail)] for each in report.findings]
        body += ["<h2>Findings</h2>", table(("file", "is", "why"), rows)]
    if report.notes:
        body += ["<h2>Notes</h2>", "<ul>", *(f"<li>{escape(note)}</li>" for note in report.notes), "</ul>"]
    return page(f"Audit of {report.folder}", body)


def _found(count: int | None) -> str:
    return "not checked" if count is None else str(count or "none")


def compared_lines(found: Comparison) -> list[str]:
    """Tables with differences, verdicts that are not the same, the cells that are different, the summary."""
    lines = list(found.notes)
    for name, counts in found.counts.items():
        if set(counts) - {"same"}:
            lines.append(f"{name}: " + ", ".join(f"{counts[kind]} {kind}" for kind in MEANING if counts[kind]))
    different = [cell for cell in found.cells if cell.kind == "different"]
    lines += [f"different: {_cell(cell)}" for cell in different[:SHOWN]]
    if len(different) > SHOWN:
        lines.append(f"and {len(different) - SHOWN} cells more that are different: see --html or --json")
    lines += [
        f"verdict {verdict.claim}: {_change(verdict.first, verdict.second)}, {verdict.kind}"
        for verdict in found.verdicts
        if verdict.kind == "different" or verdict.first != verdict.second
    ]
    return [*lines, found.summary()]


def compared_page(found: Comparison) -> str:
    """The same as a page, with every cell that is not the same."""
    mark = _mark("agree", "same") if found.agrees else _mark("different", "different")
    body = [
        f"<p>{mark} {escape(found.summary())}.</p>",
        f"<p>{escape(noise.TESTS)} Here there are {len(found.p_values)} tests.</p>",
        "<dl>",
        *(f"<dt>{_mark(kind, kind)}</dt><dd>{escape(meaning)}</dd>" for kind, meaning in MEANING.items()),
        "</dl>",
        *(f"<p>{escape(note)}</p>" for note in found.notes),
        "<h2>Verdicts</h2>",
        table(
            ("claim", found.first, found.second, ""),
            [[escape(v.claim), escape(v.first), escape(v.second), _mark(v.kind, v.kind)] for v in found.verdicts],
        ),
        "<h2>Tables</h2>",
        table(
            ("table", *MEANING),
            [[escape(name), *(str(counts[kind]) for kind in MEANING)] for name, counts in found.counts.items()],
            numbers=(1, 2, 3, 4),
        ),
    ]
    unlike = sorted(found.cells, key=lambda cell: list(MEANING).index(cell.kind), reverse=True)
    if unlike:
        header = ("table", "row", "column", found.first, found.second, "", "p (Holm)")
        body += ["<h2>Cells that are not the same</h2>", table(header, [_row(cell) for cell in unlike], numbers=(6,))]
    return page("Two folders of results", body)


def write_page(file: Path, text: str) -> None:
    """Atomically."""
    with atomic(file) as path:
        path.write_text(text, encoding="utf-8")


def _cell(cell: Cell) -> str:
    where = f"{cell.table}: {cell.row}"
    if not cell.column:
        return f"{where}: only in the {'second' if cell.first else 'first'} folder"
    p = "" if cell.p is None else f" (p = {cell.p:.2g})"
    return f"{where}: {cell.column}: {_change(cell.first, cell.second)}{p}"


def _change(first: str, second: str) -> str:
    return first if first == second else f"{first or 'nothing'} -> {second or 'nothing'}"


def _row(cell: Cell) -> Sequence[str]:
    texts = (cell.table, cell.row, cell.column, cell.first, cell.second)
    return [*map(escape, texts), _mark(cell.kind, cell.kind), "" if cell.p is None else f"{cell.p:.2g}"]


def _mark(text: str, kind: str) -> str:
    return f'<span class="badge" style="background:{COLOURS[kind]}">{escape(text)}</span>'

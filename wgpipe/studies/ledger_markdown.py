"""claims.md: the ledger as a page of Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from wgpipe.studies.ledger import GRADES, MARK, MARKED, READING, VERDICTS, Entry, counted, interval


def markdown(entries: Sequence[Entry]) -> str:
    """A table of all claims, how to read it, and a section for each claim with links to where it is decided."""
    lines = [
        "# Claims",
        "",
        f"{counted(entries)} [Quality control](quality.md) says how far the runs may be trusted.",
        "",
        *markdown_table(
            ("claim", "grade", "prediction", "estimate [interval]", "runs", "seeds", "verdict"),
            [_cells(entry) for entry in entries],
        ),
        "",
        f"How to read this. {READING}",
        "",
        *(f"- **{verdict}**: {meaning}." for verdict, meaning in VERDICTS.items()),
        "",
        GRADES,
        "",
        MARKED,
        "",
    ]
    for entry in entries:
        lines += _section(entry)
    return "\n".join(lines)


def markdown_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines of a table; a `|` in a cell is escaped."""
    cells = [[cell.replace("|", "\\|") for cell in row] for row in [header, *rows]]
    lines = ["| " + " | ".join(row) + " |" for row in cells]
    return [lines[0], "|" + "---|" * len(header), *lines[1:]]


def _cells(entry: Entry) -> tuple[str, ...]:
    row = entry.row
    verdict = f"**{row.verdict}**{f' {MARK}' if entry.claim.caveat else ''}"
    return row.id, row.grade, row.prediction, interval(row), str(row.runs), str(row.seeds), verdict


def _section(entry: Entry) -> list[str]:
    row = entry.row
    lines = [
        f"## {row.id}: {row.verdict}",
        "",
        f"{row.statement} ({row.grade}; {row.source})",
        "",
        f"- Prediction: {row.prediction}",
        f"- Finding: {row.reason}",
    ]
    if entry.claim.caveat:
        lines.append(f"- Caveat: {entry.claim.caveat}")
    if entry.need:
        lines.append(f"- To decide it: {entry.need.advice}")
    if entry.was_run:
        lines.append(f"- See [{row.figure}]({entry.figure}) and [{row.table}]({entry.table}).")
    if entry.place:
        lines.append(f"- Written in [{entry.place}]({entry.link}).")
    return [*lines, ""]

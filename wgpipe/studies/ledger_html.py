"""claims.html: the ledger as one page, with a picture of each interval."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from itertools import groupby

from wgpipe.studies.ledger import GRADES, MARK, MARKED, READING, VERDICTS, Entry, counted, interval
from wgpipe.studies.web_page import COLOURS, badge, link, page, picture, table

HEADER = ("claim", "prediction", "predicted and measured", "estimate [interval]", "runs", "seeds", "verdict")
NAVIGATION = (("quality.html", "quality control"), ("claims.csv", "claims.csv"), ("claims.tex", "claims.tex"))


def html(entries: Sequence[Entry]) -> str:
    """The page."""
    body = [
        f"<p>{escape(counted(entries))}</p>",
        f"<nav>{''.join(link(*target) for target in NAVIGATION)}</nav>",
        f"<p>{escape(READING)} In the pictures the shaded values agree with the prediction.</p>",
        "<dl>",
        *(f"<dt>{badge(verdict)}</dt><dd>{escape(meaning)}</dd>" for verdict, meaning in VERDICTS.items()),
        "</dl>",
        f"<p>{escape(GRADES)}</p>",
        f"<p>{escape(MARKED)}</p>",
    ]
    for title, group in groupby(entries, key=lambda entry: entry.title):
        claims = list(group)
        body += [
            f"<h2>{escape(title)}</h2>",
            table(HEADER, [_cells(entry) for entry in claims], numbers=(4, 5)),
            *(_article(entry) for entry in claims),
        ]
    return page("Claims", body)


def _cells(entry: Entry) -> tuple[str, ...]:
    row = entry.row
    return (
        link(f"#{row.id}", row.id),
        escape(row.prediction),
        picture(entry.claim.test, row.estimate, row.ci_low, row.ci_high, row.verdict),
        escape(interval(row)),
        str(row.runs),
        str(row.seeds),
        f"{badge(row.verdict)} {MARK}" if entry.claim.caveat else badge(row.verdict),
    )


def _article(entry: Entry) -> str:
    row = entry.row
    facts = [("prediction", escape(row.prediction)), ("finding", escape(row.reason))]
    if entry.claim.caveat:
        facts.append(("caveat", escape(entry.claim.caveat)))
    if entry.need:
        facts.append(("to decide it", escape(entry.need.advice)))
    if entry.was_run:
        facts.append(("see", f"{link(entry.figure, row.figure)} (figure), {link(entry.table, row.table)} (table)"))
    facts.append(("source", f"{escape(row.source)} ({escape(row.grade)})"))
    if entry.place:
        facts.append(("written in", link(entry.link, entry.place)))
    return "\n".join(
        [
            f'<article id="{escape(row.id)}" style="--c:{COLOURS[row.verdict]}">',
            f"<h3>{escape(row.id)} {badge(row.verdict)}</h3>",
            f"<p>{escape(row.statement)}</p>",
            f"<dl>{''.join(f'<dt>{name}</dt><dd>{text}</dd>' for name, text in facts)}</dl>",
            "</article>",
        ]
    )

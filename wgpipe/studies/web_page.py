"""Pages of HTML that need nothing beside them: one style, tables, and the picture of an interval."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

from wgpipe.stats.claim_test import ClaimTest
from wgpipe.studies.claims import Standing

COLOURS: dict[Standing, str] = {
    "supported": "#0072B2",
    "contradicted": "#D55E00",
    "inconclusive": "#767676",
    "not run": "#B5B5B5",
}
REGION = "#CFE6F2"
STYLE = """
:root { color-scheme: light; }
body { font: 15px/1.5 system-ui, sans-serif; color: #1a1a1a; max-width: 72rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.7rem; margin-bottom: .3rem; } h2 { font-size: 1.2rem; margin: 2.2rem 0 .6rem; }
h3 { font-size: 1rem; margin: 0; }
nav a { margin-right: 1rem; } a { color: #005A8D; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .87rem; }
th { text-align: left; border-bottom: 2px solid #444; padding: .35rem .6rem .35rem 0; vertical-align: bottom; }
td { border-bottom: 1px solid #ddd; padding: .35rem .6rem .35rem 0; vertical-align: top; }
td.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
td:first-child { white-space: nowrap; } svg { display: block; }
.badge { color: #fff; border-radius: .6rem; padding: .1rem .55rem; font-size: .8rem; white-space: nowrap; }
article { border-left: 4px solid var(--c); padding: .1rem 0 .1rem .9rem; margin: 1.4rem 0; }
article p { margin: .35rem 0; }
dl { display: grid; grid-template-columns: 7rem 1fr; margin: .4rem 0; gap: .15rem .8rem; }
dt { color: #555; } dd { margin: 0; }
"""


def page(title: str, body: Sequence[str]) -> str:
    """A whole page around pieces of HTML."""
    return "\n".join(
        [
            "<!DOCTYPE html>",
            '<html lang="en">',
            '<head><meta charset="utf-8"><meta name="viewport" content="width=device-width">',
            f"<title>{escape(title)}</title><style>{STYLE}</style></head>",
            "<body>",
            f"<h1>{escape(title)}</h1>",
            *body,
            "</body></html>",
            "",
        ]
    )


def table(header: Sequence[str], rows: Sequence[Sequence[str]], numbers: Sequence[int] = ()) -> str:
    """A table of cells that are HTML already; the columns `numbers` stand on the right."""
    head = "".join(f"<th>{escape(name)}</th>" for name in header)
    body = "\n".join(
        "<tr>"
        + "".join(f'<td class="number">{c}</td>' if i in numbers else f"<td>{c}</td>" for i, c in enumerate(row))
        + "</tr>"
        for row in rows
    )
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>\n{body}\n</tbody></table></div>'


def link(target: str, text: str) -> str:
    """A link."""
    return f'<a href="{escape(target)}">{escape(text)}</a>'


def badge(verdict: Standing) -> str:
    """A verdict on its colour."""
    return f'<span class="badge" style="background:{COLOURS[verdict]}">{verdict}</span>'


def picture(test: ClaimTest, value: float, low: float, high: float, verdict: Standing) -> str:
    """An interval (line and point) beside the values that agree with the prediction (shaded); nothing without one."""
    if not all(map(math.isfinite, (value, low, high))):
        return ""
    width, height, middle = 170.0, 22.0, 11.0
    edges = [edge for edge in test.region() if math.isfinite(edge)]
    first, last = min(low, *edges), max(high, *edges)
    margin = 0.15 * (last - first) or 1.0
    first, last = first - margin, last + margin

    def place(number: float) -> float:
        return round(width * (min(max(number, first), last) - first) / (last - first), 1)

    left, right = (place(edge) for edge in test.region())
    marks = "".join(f'<path d="M{place(edge)} 0V{height:g}" stroke="#7FB3CC"/>' for edge in edges)
    colour = COLOURS[verdict]
    return (
        f'<svg width="{width:g}" height="{height:g}" role="img" aria-label="interval and predicted region">'
        f'<rect x="{left}" width="{round(right - left, 1)}" height="{height:g}" fill="{REGION}"/>{marks}'
        f'<path d="M{place(low)} {middle:g}H{place(high)}" stroke="{colour}" stroke-width="2.5"/>'
        f'<circle cx="{place(value)}" cy="{middle:g}" r="4" fill="{colour}"/></svg>'
    )

"""claims.tex: the ledger as a table of a paper."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from wgpipe.studies.ledger import Entry
from wgpipe.studies.tables import NOTHING, escape, latex_interval

WIDTHS = (r">{\raggedright\arraybackslash}p{0.3\linewidth}", r">{\raggedright\arraybackslash}p{0.19\linewidth}")
HEADER = ("claim", "prediction", r"estimate [95\,\%]", "seeds", "verdict")
CONTINUED = r"\multicolumn{5}{l}{\emph{continued}} \\"


def latex(entries: Sequence[Entry]) -> str:
    r"""A longtable for `\input`, which needs the packages array, booktabs and longtable: a group of rows a study.

    A dagger behind a verdict stands for a caveat; the other forms of the ledger say which.
    """
    titles = " & ".join(HEADER) + r" \\"
    lines = [
        "% needs \\usepackage{array,booktabs,longtable}",
        r"\begingroup\footnotesize\setlength{\tabcolsep}{3pt}",
        rf"\begin{{longtable}}{{@{{}}l{WIDTHS[0]}{WIDTHS[1]}rl@{{}}}}",
        r"\toprule",
        titles,
        r"\midrule",
        r"\endfirsthead",
        CONTINUED,
        r"\midrule",
        titles,
        r"\midrule",
        r"\endhead",
        r"\bottomrule",
        r"\endlastfoot",
    ]
    for place, (title, group) in enumerate(groupby(entries, key=lambda entry: entry.title)):
        lines += [r"\addlinespace"] if place else []
        lines += [rf"\multicolumn{{5}}{{@{{}}l}}{{\emph{{{escape(title)}}}}} \\*"]
        lines += [" & ".join(_cells(entry)) + r" \\" for entry in group]
    return "\n".join([*lines, r"\end{longtable}", r"\endgroup", ""])


def _cells(entry: Entry) -> tuple[str, ...]:
    row = entry.row
    estimate = latex_interval(row.estimate, row.ci_low, row.ci_high)
    unit = f" {escape(row.unit)}" if estimate != NOTHING else ""
    seeds = str(row.seeds) if entry.was_run else NOTHING
    verdict = row.verdict + (r"\textsuperscript{\textdagger}" if entry.claim.caveat else "")
    return rf"\texttt{{{escape(row.id)}}}", escape(row.prediction), f"{estimate}{unit}", seeds, verdict

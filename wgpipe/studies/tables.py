"""Tables as files: csv with a fixed number of digits, and LaTeX with booktabs."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from wgpipe.atomic import atomic

DIGITS = "%.6g"
NOTHING = "--"
GREEK = {
    **{letter: unicodedata.name(letter).split()[-1].lower() for letter in "αβγδζηθκμνξπρστφχψω"},
    "λ": "lambda",  # Unicode spells it lamda
    **{letter: unicodedata.name(letter).split()[-1].title() for letter in "ΓΔΘΞΠΣΦΨΩ"},
}
MATHS = {
    "−": "-",
    "±": r"\pm",
    "×": r"\times",
    "·": r"\cdot",
    "≤": r"\le",
    "≥": r"\ge",
    "≈": r"\approx",
    "→": r"\to",
    "∞": r"\infty",
    "∇": r"\nabla",
    "∘": r"\circ",
    "√": r"\surd",
    "…": r"\ldots",
    "½": r"\frac{1}{2}",
    "²": "^2",
    "³": "^3",
    "ε": r"\varepsilon",
    **{letter: rf"\{name}" for letter, name in GREEK.items()},
}
SPECIAL = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    **{character: f"\\{character}" for character in "&%$#_{}"},
    **{character: f"${character}$" for character in "<>|"},  # other glyphs in LaTeX's default text font
    **{character: f"${command}$" for character, command in MATHS.items()},
}


def write_csv(table: pd.DataFrame, folder: Path, name: str) -> None:
    """`<name>.csv`: six significant digits, nothing where there is no number."""
    with atomic(folder / f"{name}.csv") as path:
        table.to_csv(path, index=False, float_format=DIGITS, lineterminator="\n", encoding="utf-8")


def write_latex(header: Sequence[str], groups: Sequence[Sequence[Sequence[str]]], folder: Path, name: str) -> None:
    r"""`<name>.tex`: a table for `\input`, made smaller where it is wider than a line.

    `groups` are runs of rows with space between them; cells and header are LaTeX already (see `escape`). The first
    two columns are left-aligned, the others right.
    """
    blocks = ["\n".join(" & ".join(row) + r" \\" for row in group) for group in groups if group]
    lines = [
        r"% needs \usepackage{booktabs,graphicx}",
        r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%",
        rf"\begin{{tabular}}{{ll{'r' * (len(header) - 2)}}}",
        r"\toprule",
        " & ".join(header) + r" \\",
        r"\midrule",
        "\n\\addlinespace\n".join(blocks),
        r"\bottomrule",
        r"\end{tabular}}%",
    ]
    with atomic(folder / f"{name}.tex") as path:
        path.write_text("\n".join(line for line in lines if line) + "\n", encoding="utf-8")


def escape(text: str) -> str:
    """Text with the characters that LaTeX gives a meaning to."""
    signs = text.replace("<=", "≤").replace(">=", "≥")
    return "".join(SPECIAL.get(character, character) for character in signs)


def number(value: float, digits: int = 3) -> str:
    """`-0.304`; `--` for NaN. Never a negative zero."""
    if math.isnan(value):
        return NOTHING
    text = f"{value:.{digits}f}"
    return text.removeprefix("-") if float(text) == 0 else text


def latex_number(value: float, digits: int = 3) -> str:
    """`$-0.304$`, with a proper minus sign."""
    return NOTHING if math.isnan(value) else f"${number(value, digits)}$"


def latex_interval(value: float, low: float, high: float, best: bool = False, digits: int = 3) -> str:
    """`$-0.304$ [$-0.331$, $-0.277$]`, the value in bold where it is the best; `--` without a value."""
    if math.isnan(value):
        return NOTHING
    shown = rf"$\mathbf{{{number(value, digits)}}}$" if best else latex_number(value, digits)
    return shown if math.isnan(low) else f"{shown} [{latex_number(low, digits)}, {latex_number(high, digits)}]"

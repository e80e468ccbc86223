from pathlib import Path

import pandas as pd
import pytest

from tests.conftest import ROOT
from wgpipe.studies.tables import escape, latex_interval, number, write_csv, write_latex


def test_numbers_have_fixed_digits_and_no_negative_zero() -> None:
    assert number(-0.30449) == "-0.304"
    assert number(-0.0001) == "0.000"
    assert number(float("nan")) == "--"


@pytest.mark.parametrize(
    ("value", "low", "best", "text"),
    [
        (-0.3, -0.35, False, "$-0.300$ [$-0.350$, $-0.250$]"),
        (-0.3, -0.35, True, r"$\mathbf{-0.300}$ [$-0.350$, $-0.250$]"),
        (-0.3, float("nan"), False, "$-0.300$"),
        (float("nan"), float("nan"), False, "--"),
    ],
)
def test_intervals_are_value_then_brackets(value: float, low: float, best: bool, text: str) -> None:
    assert latex_interval(value, low, -0.25, best) == text


def test_characters_with_a_meaning_in_latex_are_escaped() -> None:
    assert escape(r"a_b & 5% {\x}") == r"a\_b \& 5\% \{\textbackslash{}x\}"


def test_csv_has_six_significant_digits_and_nothing_for_nan(tmp_path: Path) -> None:
    write_csv(pd.DataFrame({"a": [1 / 3, float("nan")], "b": [2, 3]}), tmp_path, "t")
    assert (tmp_path / "t.csv").read_bytes() == b"a,b\n0.333333,2\n,3\n"


def test_groups_of_a_latex_table_are_set_apart(tmp_path: Path) -> None:
    write_latex(["x", "y", "z"], [[["1", "2", "3"], ["4", "5", "6"]], [], [["7", "8", "9"]]], tmp_path, "t")
    assert (tmp_path / "t.tex").read_text(encoding="utf-8").splitlines() == [
        r"% needs \usepackage{booktabs,graphicx}",
        r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%",
        r"\begin{tabular}{llr}",
        r"\toprule",
        r"x & y & z \\",
        r"\midrule",
        r"1 & 2 & 3 \\",
        r"4 & 5 & 6 \\",
        r"\addlinespace",
        r"7 & 8 & 9 \\",
        r"\bottomrule",
        r"\end{tabular}}%",
    ]


def test_latex_knows_every_sign_of_our_studies() -> None:
    """What its default input encoding has are ASCII and Latin-1."""
    texts = [file.read_text(encoding="utf-8") for file in (ROOT / "config" / "studies").glob("*.yaml")]
    assert texts
    assert {sign for text in texts for sign in escape(text) if ord(sign) > 255} == set()
    assert escape("τ, γ, λ, Ω, ∘, 2³") == r"$\tau$, $\gamma$, $\lambda$, $\Omega$, $\circ$, 2$^3$"

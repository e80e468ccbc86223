"""The cost of scores is measured beside that of the pass, whatever it is."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from bench import scores


def test_the_table_has_a_line_an_extractor_and_its_ratio_follows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scores, "QUICK_IMAGES", 600)
    monkeypatch.setattr(scores, "EXTRACTORS", ("efflite0-320@32",))
    scores.main(tmp_path, quick=True)
    (row,) = csv.DictReader((tmp_path / "scores.csv").read_text().splitlines())
    passing, scoring, ratio = (float(row[name]) for name in ("passing", "scoring", "ratio"))
    assert row["images"] == "600"
    assert passing > 0
    assert ratio == pytest.approx((passing + scoring) / passing, rel=1e-2)
    assert float(row["images_a_second"]) == pytest.approx(600 / passing, rel=1e-2)

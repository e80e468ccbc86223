"""Captions of the report are reStructuredText without faults."""

from __future__ import annotations

from pathlib import Path

import pytest
from docutils.core import publish_doctree

from tests.conftest import ROOT

CAPTIONS = sorted((ROOT / "workflow" / "report").rglob("*.rst"))


@pytest.mark.parametrize("file", CAPTIONS, ids=lambda file: f"{file.parent.name}/{file.stem}")
def test_a_caption_can_be_read(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    publish_doctree(text, settings_overrides={"halt_level": 2, "report_level": 5})


def test_there_are_captions() -> None:
    assert CAPTIONS

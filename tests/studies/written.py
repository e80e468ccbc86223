"""Tables that a study has written, as a reader of the csv files sees them."""

from __future__ import annotations

import csv
from pathlib import Path


def table(folder: Path, name: str) -> list[dict[str, str]]:
    """Its rows, as text."""
    with (folder / f"{name}.csv").open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def row_of(folder: Path, name: str, **wanted: str) -> dict[str, str]:
    """The one row with these values."""
    (found,) = [row for row in table(folder, name) if all(row[key] == value for key, value in wanted.items())]
    return found

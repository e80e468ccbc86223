"""Tables of what was measured."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from wgpipe.atomic import atomic


def write(file: Path, rows: Sequence[Any]) -> None:
    """Rows of one dataclass, four digits each."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with atomic(file) as path, path.open("w", newline="", encoding="utf-8") as stream:
        table = csv.writer(stream, lineterminator="\n")
        table.writerow(field.name for field in fields(rows[0]))
        for row in rows:
            table.writerow(f"{float(f'{v:.4g}'):g}" if isinstance(v, float) else v for v in asdict(row).values())

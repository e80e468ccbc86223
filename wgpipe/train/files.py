"""Files of a block's folder, and how they are written: a temporary file in the same folder, then a rename."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

GENERATOR = "generator.safetensors"
CRITIC = "critic.safetensors"
HISTORY = "history.parquet"
RUN = "run.json"
COST = "cost.json"
CHECKPOINT = "checkpoint.safetensors"
OUTPUTS = (GENERATOR, CRITIC, HISTORY, RUN)


@contextmanager
def atomic(file: Path) -> Iterator[Path]:
    """A path to write to; it takes the place of `file` when the block ends, and vanishes if that raises."""
    temporary = file.with_name(f".{file.name}.tmp")
    try:
        yield temporary
        temporary.replace(file)
    finally:
        temporary.unlink(missing_ok=True)


def write_json(file: Path, data: Any) -> None:
    """Indented JSON in the order given."""
    with atomic(file) as path:
        path.write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")

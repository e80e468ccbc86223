"""Names in the folders of bundles and blocks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from wgpipe.atomic import atomic

GENERATOR = "generator.safetensors"
CRITIC = "critic.safetensors"
HISTORY = "history.parquet"
RUN = "run.json"
OUTPUTS = (GENERATOR, CRITIC, HISTORY, RUN)  # of a block

BUNDLE = "bundle.json"
COST = "cost.json"
CHECKPOINT = "checkpoint.safetensors"


def block(n: int) -> str:
    """A block's folder in that of its bundle."""
    return f"n{n}"


def write_json(file: Path, data: Any) -> None:
    """Indented JSON in the order given."""
    with atomic(file) as path:
        path.write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")

"""Names in the folders of bundles and blocks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from wgpipe.atomic import atomic
from wgpipe.errors import UserError
from wgpipe.hashes import sha256
from wgpipe.stored import read_json

GENERATOR = "generator.safetensors"
CRITIC = "critic.safetensors"
HISTORY = "history.parquet"
RUN = "run.json"
TRAINED = (GENERATOR, CRITIC, HISTORY)  # of a block, by their sha256 in run.json
OUTPUTS = (*TRAINED, RUN)

BUNDLE = "bundle.json"
COST = "cost.json"
CHECKPOINT = "checkpoint.safetensors"


def block(n: int) -> str:
    """A block's folder in that of its bundle."""
    return f"n{n}"


def read_run(folder: Path) -> dict[str, Any]:
    """The record of a block; `UserError` if it, or what it speaks of, is not as it was written."""
    kinds = {"n": int, "seeds": list, "status": dict, "code": str, "settings": str, "sha256": dict}
    run = read_json(folder / RUN, kinds)
    if not all(isinstance(seed, int) for seed in run["seeds"]) or run["status"].keys() != set(map(str, run["seeds"])):
        raise UserError(f"{folder / RUN} records no block of seeds; delete it, and run the pipeline again.")
    for name in TRAINED:
        if sha256(folder / name) != run["sha256"].get(name):
            raise UserError(f"{folder / name} is not what {RUN} records; delete it, and run the pipeline again.")
    return run


def write_json(file: Path, data: Any) -> None:
    """Indented JSON in the order given."""
    with atomic(file) as path:
        path.write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")

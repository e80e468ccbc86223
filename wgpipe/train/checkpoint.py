"""Checkpoints of a training: the population's state, and the losses so far."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from wgpipe.atomic import atomic
from wgpipe.train.population import Population

Losses = list[dict[str, float]]


def save(file: Path, population: Population, losses: Losses, identity: dict[str, Any]) -> None:
    """Write a checkpoint in place of the last one."""
    metadata = {"identity": json.dumps(identity), "losses": json.dumps(losses)}
    with atomic(file) as path:
        save_file(population.state(), path, metadata)


def resume(file: Path, population: Population, identity: dict[str, Any]) -> Losses:
    """Put a population where a checkpoint left it and return the losses so far; none if there is no usable one.

    A checkpoint that is damaged, or made by other code, data or settings, is set aside with a line that says so.
    """
    if not file.is_file():
        return []
    try:
        with safe_open(file, "pt") as content:
            metadata = content.metadata() or {}
            state = {name: content.get_tensor(name) for name in content.keys()}  # noqa: SIM118 (not a mapping)
        found = json.loads(metadata["identity"])
        losses: Losses = json.loads(metadata["losses"])
    except (SafetensorError, OSError, ValueError, KeyError) as error:
        return _anew(file, f"it is damaged ({error})")
    different = sorted(key for key in identity if found.get(key) != identity[key])
    if different:
        return _anew(file, f"it was made with other {', '.join(different)}")
    population.load_state(state)
    sys.stderr.write(f"resumed from step {population.step}\n")
    return losses


def _anew(file: Path, reason: str) -> Losses:
    sys.stderr.write(f"{file} is not used: {reason}; training starts anew\n")
    return []

"""Checkpoints of a training: the state of all its runs, and their losses so far."""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save_file

from wgpipe.atomic import atomic
from wgpipe.errors import UserError
from wgpipe.stored import reading
from wgpipe.train.stacks import Stacks


def save(file: Path, stacks: Stacks, identity: dict[str, Any]) -> None:
    """Write a checkpoint in place of the last one."""
    history = [[list(run), losses] for run, losses in stacks.history.items()]
    state = stacks.state()
    metadata = {"identity": json.dumps(identity), "history": json.dumps(history)}
    with atomic(file) as path:
        save_file(state, path, {**metadata, "sha256": _digest(state, metadata)})


def resume(file: Path, stacks: Stacks, identity: dict[str, Any]) -> None:
    """Put runs where a checkpoint left them, if there is one of this identity that has them all.

    One that is damaged, or made by other code, data or settings, is left aside with a line that says so.
    """
    if not file.is_file():
        return
    try:
        with reading(file), safe_open(file, "pt") as content:
            metadata = content.metadata()
            state = {name: content.get_tensor(name) for name in content.keys()}  # noqa: SIM118 (not a mapping)
            if metadata.pop("sha256", "") != _digest(state, metadata):
                raise ValueError("not what was saved")
            found = json.loads(metadata["identity"])
            history = {(n, seed): losses for (n, seed), losses in json.loads(metadata["history"])}
    except UserError as error:
        _refuse(file, str(error).partition(";")[0].replace(str(file), "it", 1))
        return
    different = sorted(key for key in identity if found.get(key) != identity[key])
    if different:
        _refuse(file, f"it was made with other {', '.join(different)}")
        return
    missing = [f"n={n} seed {seed}" for n, seed in stacks.runs if (n, seed) not in history]
    if missing:
        _refuse(file, f"it lacks {', '.join(missing)}")
        return
    rows = [list(history).index(run) for run in stacks.runs]
    if not stacks.fit(state["step"][rows]):
        _refuse(file, "it was made of other stacks, which SIGTERM stopped at different steps")
        return
    stacks.load_state(state, rows)
    stacks.history = {run: history[run] for run in stacks.runs}
    sys.stderr.write(f"resumed from step {stacks.step}\n")


def _digest(state: dict[str, torch.Tensor], metadata: dict[str, str]) -> str:
    """sha256 of all that a checkpoint holds: a flipped bit would train on, unseen."""
    digest = hashlib.sha256(json.dumps(metadata, sort_keys=True).encode())
    for name, value in sorted(state.items()):
        digest.update(f"{name} {value.dtype} {tuple(value.shape)} ".encode())
        digest.update(value.detach().cpu().contiguous().view(torch.uint8).numpy().data)
    return digest.hexdigest()


def _refuse(file: Path, reason: str) -> None:
    sys.stderr.write(f"{file} is not used: {reason}; training starts anew\n")

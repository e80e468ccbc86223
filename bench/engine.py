"""The same training by wgpipe's engine: in this process chunk by chunk, or as a whole `wgpipe train` process."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.cells import BETAS, CLIP, CRITIC_STEPS, DIMENSION, PENALTY, POINTS, RATE, Cell

DATASET = "cube-2in2"


def recipe(cell: Cell, steps: int) -> Any:
    """The cell's training as a `wgpipe.recipe.Recipe`."""
    from wgpipe.recipe import Recipe

    hidden = [cell.width, cell.width]
    mlp = {"name": "mlp", "hidden": hidden}
    constraints: dict[str, dict[str, Any]] = {
        "lp": {"name": "lp", "weight": PENALTY, "lipschitz": 1.0},
        "clip": {"name": "clip", "bound": CLIP},
        "groupsort": {"name": "none"},
    }
    method, kind = cell.method.split("-")
    return Recipe.model_validate(
        {
            "method": {"name": "vanilla", "loss": "non-saturating"} if method == "vanilla" else {"name": method},
            "constraint": constraints[kind],
            "generator": mlp,
            "critic": {"name": "groupsort", "hidden": hidden} if kind == "groupsort" else mlp,
            "latent": DIMENSION,
            "prior": "uniform",
            "training": {
                "steps": steps,
                "batch": cell.batch,
                "critic_steps": CRITIC_STEPS,
                "generator_rate": RATE,
                "critic_rate": RATE,
                "betas": BETAS,
                "decay": "none",
                "average": 0.0,
            },
        }
    )


def stacks(cell: Cell) -> Any:
    """A training as `wgpipe train` makes it, with chunks of `cell.steps()` updates. All that bench knows of it."""
    import torch

    from wgpipe.data import dataset
    from wgpipe.train import draws, population
    from wgpipe.train.job import Job
    from wgpipe.train.stacks import Stacks

    for module in (draws, population):
        vars(module)["CHUNK"] = cell.steps()
    data, seeds = dataset(DATASET), tuple(range(cell.stack))
    job = Job("bench", recipe(cell, steps=10**9), data, data.prepare({}), {}, POINTS, seeds)
    return Stacks([job], torch.device("cpu"), torch.get_num_threads())


def start(cell: Cell) -> Callable[[], None]:
    """A training of `cell.stack` members; each call does `cell.steps()` generator updates of each."""
    train_chunk: Callable[[], None] = stacks(cell).train_chunk
    return train_chunk


def whole_process(
    cell: Cell, steps: int, folder: Path, environment: dict[str, str], prelude: Callable[[], None] | None
) -> tuple[float, float]:
    """Seconds of one `wgpipe train` process from its start to its end, and the most megabytes it held.

    It works in `folder`; `prelude` is run in the new process before anything else.
    """
    file, data, out, seeds = folder / f"{cell.method}.json", folder / "data", folder / "out", f"0-{cell.stack - 1}"
    folder.mkdir()
    file.write_text(recipe(cell, steps).model_dump_json(), encoding="utf-8")
    wgpipe = [sys.executable, "-m", "wgpipe.cli"]
    subprocess.run([*wgpipe, "prepare", DATASET, "--downloads", folder, "--out", data], check=True)
    options = {"--recipe": file, "--data": data, "--n": POINTS, "--seeds": seeds, "--out": out, "--device": "cpu"}
    train = [*wgpipe, "train", *(str(word) for pair in options.items() for word in pair)]
    started = time.perf_counter()
    subprocess.run(train, check=True, stderr=subprocess.DEVNULL, env=environment, preexec_fn=prelude)
    seconds = time.perf_counter() - started
    return seconds, json.loads((out / "cost.json").read_text(encoding="utf-8"))["peak_mb"]

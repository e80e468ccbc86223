"""A block's folder: what was trained, and the record of what it was trained from."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from safetensors.numpy import save_file

from wgpipe.atomic import atomic
from wgpipe.errors import UserError
from wgpipe.hashes import sha256
from wgpipe.identity import TRAINING_VERSIONS
from wgpipe.train import files
from wgpipe.train.job import Job

HISTORY_SCHEMA = pa.schema(
    [("step", pa.int64()), ("seed", pa.int64()), ("critic_loss", pa.float64()), ("generator_loss", pa.float64())]
)


@dataclass(frozen=True)
class Trained:
    """A block after its training, a row or an entry a member."""

    generator: dict[str, np.ndarray]
    critic: dict[str, np.ndarray]
    history: list[dict[str, float]]
    status: list[str]
    stopped_at: list[int]


def write_block(folder: Path, job: Job, trained: Trained, threads: int, device: str, path: str) -> None:
    """Write a block's folder, atomically file by file, run.json last."""
    folder.mkdir(parents=True, exist_ok=True)
    _write_arrays(folder / files.GENERATOR, trained.generator)
    _write_arrays(folder / files.CRITIC, trained.critic)
    with atomic(folder / files.HISTORY) as history:
        pq.write_table(pa.Table.from_pylist(trained.history, HISTORY_SCHEMA), history)
    run = {
        **job.identity(),
        "status": dict(zip(map(str, job.seeds), trained.status, strict=True)),
        "stopped_at": dict(zip(map(str, job.seeds), trained.stopped_at, strict=True)),
        "versions": {name: version(name) for name in TRAINING_VERSIONS},
        "device": device,
        "threads": threads,
        "path": path,
        "sha256": {name: sha256(folder / name) for name in files.TRAINED},
    }
    files.write_json(folder / files.RUN, run)


def is_current(folder: Path, job: Job, threads: int, path: str) -> bool:
    """Whether a folder holds a block as it was written, trained from the same with as many threads, by this path.

    Path auto: by any.
    """
    try:
        run = files.read_run(folder)
    except (OSError, UserError):
        return False
    any_path = path == "auto" or job.recipe.is_control
    expected = {**job.identity(), "threads": threads, **({} if any_path else {"path": path})}
    return all(run.get(key) == value for key, value in expected.items())


def _write_arrays(file: Path, arrays: dict[str, np.ndarray]) -> None:
    """Safetensors stores memory as it lies, whatever the strides: it gets contiguous arrays only."""
    with atomic(file) as path:
        save_file({name: np.ascontiguousarray(array) for name, array in arrays.items()}, path)

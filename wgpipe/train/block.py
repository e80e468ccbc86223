"""Training one block: from a recipe and a dataset to a folder of results."""

from __future__ import annotations

import hashlib
import resource
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from safetensors.numpy import save_file

from wgpipe.atomic import atomic
from wgpipe.data import Dataset, dataset
from wgpipe.data.prepared import load
from wgpipe.errors import UserError
from wgpipe.identity import TRAINING_VERSIONS, training_code
from wgpipe.recipe import Recipe
from wgpipe.rng import sample_stream
from wgpipe.train import files

if TYPE_CHECKING:
    import torch

HISTORY_SCHEMA = pa.schema(
    [("step", pa.int64()), ("seed", pa.int64()), ("critic_loss", pa.float64()), ("generator_loss", pa.float64())]
)
LINES = 20  # progress lines of a training


@dataclass(frozen=True)
class Job:
    """What a block is trained from."""

    recipe_name: str
    recipe: Recipe
    dataset: Dataset
    arrays: dict[str, np.ndarray]
    data_checksums: dict[str, str]
    n: int
    seeds: tuple[int, ...]

    @classmethod
    def read(cls, recipe_file: Path, data_folder: Path, n: int, seeds: tuple[int, ...]) -> Job:
        """From the files that the pipeline prepared; the recipe's and the dataset's names are those of the files."""
        recipe = Recipe.model_validate_json(recipe_file.read_text(encoding="utf-8"))
        card, arrays = load(data_folder)
        return cls(recipe_file.stem, recipe, dataset(card.name), arrays, card.checksums, n, seeds)

    def sample(self) -> np.ndarray:
        """(E, n, d) float64 training samples, the same for every method."""
        draw = self.dataset.training_sample
        return np.stack([draw(self.arrays, sample_stream(self.dataset.name, seed), self.n) for seed in self.seeds])

    def identity(self) -> dict[str, Any]:
        """What decides the bytes of the result, apart from machine, device and threads."""
        return {
            "dataset": self.dataset.name,
            "recipe": self.recipe_name,
            "n": self.n,
            "seeds": list(self.seeds),
            "settings": recipe_digest(self.recipe),
            "data": self.data_checksums,
            "code": training_code(self.recipe, self.dataset.registered_name),
        }


def recipe_digest(recipe: Recipe) -> str:
    """sha256 of all settings of a recipe."""
    return hashlib.sha256(recipe.model_dump_json().encode()).hexdigest()


def train(job: Job, out: Path, threads: int, device: str) -> None:
    """Train a block and write its folder, atomically file by file, run.json last.

    Members that diverge, and blocks that run out of their time budget, are recorded with their status.
    """
    started, cpu = time.monotonic(), time.process_time()
    out.mkdir(parents=True, exist_ok=True)
    result = _fit_control(job) if job.recipe.is_control else _train_population(job, out, threads, device)
    _write_arrays(out / files.GENERATOR, result.generator)
    _write_arrays(out / files.CRITIC, result.critic)
    with atomic(out / files.HISTORY) as path:
        pq.write_table(pa.Table.from_pylist(result.history, HISTORY_SCHEMA), path)
    run = {
        **job.identity(),
        "status": dict(zip(map(str, job.seeds), result.status, strict=True)),
        "stopped_at": dict(zip(map(str, job.seeds), result.stopped_at, strict=True)),
        "versions": {name: version(name) for name in TRAINING_VERSIONS},
        "device": result.device,
        "threads": threads,
        "path": result.path,
    }
    cost = {
        "wall_seconds": round(time.monotonic() - started, 3),
        "cpu_seconds": round(time.process_time() - cpu, 3),
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
    }
    files.write_json(out / files.COST, cost)
    files.write_json(out / files.RUN, run)
    (out / files.CHECKPOINT).unlink(missing_ok=True)


@dataclass(frozen=True)
class _Result:
    generator: dict[str, np.ndarray]
    critic: dict[str, np.ndarray]
    history: list[dict[str, float]]
    status: list[str]
    stopped_at: list[int]
    device: str
    path: str


def _fit_control(job: Job) -> _Result:
    method = job.recipe.method.build("method")
    states = [method.fit(sample) for sample in job.sample()]
    stacked = {name: np.stack([state[name] for state in states]) for name in states[0]}
    return _Result(stacked, {}, [], ["ok"] * len(states), [0] * len(states), "cpu", "control")


def _train_population(job: Job, out: Path, threads: int, device: str) -> _Result:
    import torch

    from wgpipe.train import checkpoint
    from wgpipe.train.draws import Members
    from wgpipe.train.population import Population

    torch.set_num_threads(threads)
    place = choose_device(device)
    card = job.dataset.card()
    latent = job.recipe.latent_dimension(card.intrinsic or card.latent)
    members = Members(job.dataset.name, job.n, job.seeds)
    sample = torch.from_numpy(job.sample().astype(np.float32))
    population = Population(job.recipe, members, sample, latent, place)
    identity = {**job.identity(), "threads": threads, "device": str(place)}
    history = checkpoint.resume(out / files.CHECKPOINT, population, identity)
    training, started, first = job.recipe.training, time.monotonic(), population.step
    timed_out = False
    while population.step < training.steps and not timed_out:
        losses = population.train_chunk()
        history += _rows(population.step, job.seeds, losses)
        elapsed = time.monotonic() - started
        timed_out = population.step < training.steps and 0 < training.max_minutes * 60 < elapsed
        _progress(population.step, first, training.steps, elapsed)
        due = population.step % training.checkpoint_steps == 0
        if due and population.step < training.steps:
            checkpoint.save(out / files.CHECKPOINT, population, history, identity)
    diverged = population.diverged_at.tolist()
    status = ["diverged" if at >= 0 else "timeout" if timed_out else "ok" for at in diverged]
    stopped = [at if at >= 0 else population.step for at in diverged]
    return _Result(
        _arrays(population.measured_generator()),
        _arrays(population.critic),
        history,
        status,
        stopped,
        str(place),
        "eager",
    )


def choose_device(device: str) -> torch.device:
    """`auto`, `cpu` or `cuda` as a device; `UserError` where CUDA is asked for and there is none."""
    import torch

    if device == "cuda" and not torch.cuda.is_available():
        raise UserError("device = 'cuda', and this machine has no CUDA device; accepted: auto, cpu.")
    use_cuda = device == "cuda" or (device == "auto" and torch.cuda.is_available())
    return torch.device("cuda" if use_cuda else "cpu")


def _write_arrays(file: Path, arrays: dict[str, np.ndarray]) -> None:
    """Safetensors stores memory as it lies, whatever the strides: it gets contiguous arrays only."""
    with atomic(file) as path:
        save_file({name: np.ascontiguousarray(array) for name, array in arrays.items()}, path)


def _arrays(params: dict[str, torch.Tensor]) -> dict[str, np.ndarray]:
    return {name: value.detach().cpu().numpy() for name, value in params.items()}


def _rows(step: int, seeds: Iterable[int], losses: dict[str, np.ndarray]) -> list[dict[str, float]]:
    return [
        {"step": step, "seed": seed, **{name: float(loss[member]) for name, loss in losses.items()}}
        for member, seed in enumerate(seeds)
    ]


def _progress(step: int, first: int, steps: int, elapsed: float) -> None:
    if (step * LINES) // steps == ((step - 1) * LINES) // steps and step < steps:
        return
    rate = (step - first) / elapsed if elapsed else 0.0
    left = (steps - step) / rate if rate else 0.0
    sys.stderr.write(f"step {step} of {steps} ({step / steps:.0%}), {rate:.0f} steps/s, {left:.0f} s to go\n")
    sys.stderr.flush()

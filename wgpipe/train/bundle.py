"""Training a bundle: the blocks of one dataset, recipe and slot of seeds, for every sample size, in one process."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from wgpipe.hashes import sha256
from wgpipe.memory import peak_mb
from wgpipe.methods import Control, TransportMap
from wgpipe.train import files
from wgpipe.train.block import Trained, is_current, write_block
from wgpipe.train.interrupt import EXIT_CODE, Interrupted, StopRequest, sigterm_requests_stop
from wgpipe.train.job import Job

if TYPE_CHECKING:
    from wgpipe.train.stacks import Stacks

LINES = 20  # progress lines of a training


def train(bundle: Path, jobs: Sequence[Job], threads: int, device: str, path: str = "auto") -> None:
    """Train the blocks that a bundle's folder lacks, each into its own folder, and record them all.

    Blocks that are there, trained from the same, are kept. Members that diverge, and runs out of their time budget,
    are recorded with their status. SIGTERM stores a checkpoint and exits with code 143.
    """
    started, cpu = time.monotonic(), time.process_time()
    bundle.mkdir(parents=True, exist_ok=True)
    wanted = []
    for job in jobs:
        if is_current(bundle / files.block(job.n), job, threads, path):
            sys.stderr.write(f"{job.label} kept\n")
        else:
            wanted.append(job)
    if wanted and wanted[0].recipe.is_control:
        for job in wanted:
            write_block(bundle / files.block(job.n), job, _fitted(job), threads, "cpu", "control")
    elif wanted:
        _train_together(bundle, wanted, threads, device, path)
    cost = {
        "wall_seconds": round(time.monotonic() - started, 3),
        "cpu_seconds": round(time.process_time() - cpu, 3),
        "peak_mb": round(peak_mb(), 1),
        "trained": [job.n for job in wanted],
    }
    files.write_json(bundle / files.COST, cost)
    runs = {files.block(job.n): sha256(bundle / files.block(job.n) / files.RUN) for job in jobs}
    files.write_json(bundle / files.BUNDLE, {"code": jobs[0].identity()["code"], "runs": runs})
    (bundle / files.CHECKPOINT).unlink(missing_ok=True)


def _fitted(job: Job) -> Trained:
    method: Control | TransportMap = job.recipe.method.build("method")
    if isinstance(method, TransportMap):
        states = [method.fit(source, target) for source, target in zip(job.source_sample(), job.sample(), strict=True)]
    else:
        states = [method.fit_drawn(job.dataset, job.arrays, stream, job.n) for stream in job.streams()]
    stacked = {name: np.stack([state[name] for state in states]) for name in states[0]}
    return Trained(stacked, {}, [], ["ok"] * len(states), [0] * len(states))


def _train_together(bundle: Path, jobs: Sequence[Job], threads: int, device: str, path: str) -> None:
    import torch

    from wgpipe.train.device import reserved_device
    from wgpipe.train.stacks import Stacks

    torch.set_num_threads(threads)
    with reserved_device(device) as place, sigterm_requests_stop() as stop:
        stacks = Stacks(jobs, place, threads, path)
        sys.stderr.write(f"{len(stacks.runs)} runs, {stacks.path} gradients, {place.type}, threads: {threads}\n")
        whole = jobs[0].identity()
        identity = {key: whole[key] for key in whole if key not in ("n", "seeds")}
        identity |= {"threads": threads, "device": place.type, "path": stacks.path}
        timed_out = _train_to_the_end(stacks, bundle / files.CHECKPOINT, identity, stop)
        for job, trained in zip(jobs, _by_block(jobs, stacks, timed_out), strict=True):
            write_block(bundle / files.block(job.n), job, trained, threads, place.type, stacks.path)


def _train_to_the_end(stacks: Stacks, file: Path, identity: dict[str, Any], stop: StopRequest) -> bool:
    """Whether the time budget ended it instead."""
    from wgpipe.train import checkpoint

    training = stacks.recipe.training
    checkpoint.resume(file, stacks, identity)
    progress = _Progress(stacks.step, training.steps)
    timed_out = False
    try:
        while stacks.step < training.steps and not timed_out:
            stacks.train_chunk(stop)
            progress.show(stacks.step)
            timed_out = stacks.step < training.steps and 0 < training.max_minutes * 60 < progress.elapsed()
            if stacks.step % training.checkpoint_steps == 0 or stacks.step == training.steps:
                checkpoint.save(file, stacks, identity)
    except Interrupted:
        checkpoint.save(file, stacks, identity)
        sys.stderr.write(f"stopped by SIGTERM at step {stacks.step}; the next start goes on from there\n")
        raise SystemExit(EXIT_CODE) from None
    return timed_out


def _by_block(jobs: Sequence[Job], stacks: Stacks, timed_out: bool) -> list[Trained]:
    generator, critic, diverged = stacks.results()
    blocks, first = [], 0
    for job in jobs:
        rows = slice(first, first + len(job.seeds))
        at = [int(step) for step in diverged[rows]]
        rows_of = [(row["step"], seed, row) for seed in job.seeds for row in stacks.history[job.n, seed]]
        blocks.append(
            Trained(
                {name: value[rows] for name, value in generator.items()},
                {name: value[rows] for name, value in critic.items()},
                [{"seed": seed, **row} for _, seed, row in sorted(rows_of, key=lambda item: item[:2])],
                ["diverged" if step >= 0 else "timeout" if timed_out else "ok" for step in at],
                [step if step >= 0 else stacks.step for step in at],
            )
        )
        first += len(job.seeds)
    return blocks


class _Progress:
    """A line for every twentieth of the training."""

    def __init__(self, first: int, steps: int) -> None:
        self.first, self.steps, self.started = first, steps, time.monotonic()
        self.shown = first * LINES // steps

    def elapsed(self) -> float:
        return time.monotonic() - self.started

    def show(self, step: int) -> None:
        if step * LINES // self.steps == self.shown:
            return
        self.shown = step * LINES // self.steps
        elapsed = max(self.elapsed(), 1e-9)
        rate = (step - self.first) / elapsed
        left = (self.steps - step) / rate
        sys.stderr.write(
            f"step {step} of {self.steps} ({step / self.steps:.0%}), {rate:.0f} steps/s, {left:.0f} s to go\n"
        )
        sys.stderr.flush()

"""A process that trains one cell with one implementation: a timed slice at each line of its standard input.

`python -m bench.worker engine wgan-lp:32x64:16` trains once, says so, and then is told `train` or `peak`; it answers in
JSON. How many threads its numeric libraries have, the environment says.
"""

from __future__ import annotations

import importlib
import json
import os
import resource
import sys
import time
from collections.abc import Callable

from bench import peak
from bench.cells import Cell
from bench.image_cells import PREFIX, ImageCell

TRAINING_SECONDS, PEAK_SECONDS = 0.5, 0.15


def timed(call: Callable[[], None], seconds: float) -> tuple[int, float, float]:
    """Call until so long has passed, at least once: calls, the seconds that they took, and those of the processor."""
    started, used, calls = time.perf_counter(), time.process_time(), 0
    while True:
        call()
        calls += 1
        elapsed = time.perf_counter() - started
        if elapsed >= seconds:
            return calls, elapsed, time.process_time() - used


def peak_megabytes() -> float:
    """The most memory that this process has held so far."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


def main(implementation: str, name: str) -> None:
    cell = ImageCell.parse(name) if name.startswith(PREFIX) else Cell.parse(name)
    if implementation != "jax_population":
        import torch

        torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    train = importlib.import_module(f"bench.{implementation}").start(cell)
    train()
    say(ready=True)
    for line in sys.stdin:
        if line.strip() == "peak":
            multiply, flops = peak.start(cell)
            multiply()
            calls, seconds, _ = timed(multiply, PEAK_SECONDS)
            say(gflops=calls * flops / seconds / 1e9)
        else:
            calls, seconds, used = timed(train, TRAINING_SECONDS)
            updates = calls * cell.steps()
            say(updates=updates, seconds=seconds, processor_seconds=used, megabytes=peak_megabytes())


def say(**answer: float) -> None:
    print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])

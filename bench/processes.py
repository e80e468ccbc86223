"""The workers, as the process sees them that starts them and cycles over them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from bench.cells import Cell
from bench.image_cells import ImageCell


def cores() -> list[int]:
    """Those that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


def environment(threads: int) -> dict[str, str]:
    """What gives numeric libraries so many threads, if it is set before they are loaded."""
    names = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    one = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
    flags = {"XLA_FLAGS": f"{os.environ.get('XLA_FLAGS', '')} {one}".strip()} if threads == 1 else {}
    return {**os.environ, **dict.fromkeys(names, str(threads)), "JAX_PLATFORMS": "cpu", **flags}


def pin(chosen: list[int]) -> Callable[[], None] | None:
    """What keeps a new process on these cores, where the system can."""
    if not hasattr(os, "sched_setaffinity"):
        return None
    return lambda: os.sched_setaffinity(0, chosen)


class Worker:
    """A running `bench.worker`, ready for its first slice; `startup` is how long that took, the first training too."""

    def __init__(self, implementation: str, cell: Cell | ImageCell, threads: int, chosen: list[int]) -> None:
        command = [sys.executable, "-m", "bench.worker", implementation, str(cell)]
        self.cell, self.name = cell, f"{implementation} {cell}"
        started = time.perf_counter()
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment(threads),
            preexec_fn=pin(chosen),
        )
        self.answer()
        self.startup = time.perf_counter() - started

    def tell(self, order: str) -> None:
        """`train` or `peak`; the answer is to be read before the next order."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{order}\n")
        self.process.stdin.flush()

    def answer(self) -> dict[str, Any]:
        """What the worker says when it has done what it was told; RuntimeError if it died instead."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.name} ended with exit code {self.process.wait()}; its error stands above.")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.process.kill()
        self.process.communicate()

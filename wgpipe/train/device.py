"""Where a training runs: on the CPU, or alone on a CUDA device."""

from __future__ import annotations

import fcntl
import getpass
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

from wgpipe.errors import UserError

POLL_SECONDS = 2.0


@contextmanager
def reserved_device(device: str) -> Iterator[torch.device]:
    """`auto`, `cpu` or `cuda` as a device, which no other job of this user on this machine has at the same time.

    Waits, with a line that says so, until a CUDA device is free. Raises `UserError` where CUDA is asked for and there
    is none.
    """
    if device == "cuda" and not torch.cuda.is_available():
        raise UserError("device = 'cuda', and this machine has no CUDA device; accepted: auto, cpu.")
    if device == "cpu" or not torch.cuda.is_available():
        yield torch.device("cpu")
        return
    _compute_reproducibly()
    with free_slot([_lock_file(index) for index in range(torch.cuda.device_count())]) as index:
        yield torch.device("cuda", index)


@contextmanager
def free_slot(locks: list[Path]) -> Iterator[int]:
    """The index of the first lock file that no other process holds; the kernel frees it when the process ends."""
    waiting = False
    while True:
        for index, file in enumerate(locks):
            with file.open("a") as handle:
                try:
                    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    continue
                yield index
                return
        if not waiting:
            sys.stderr.write(f"all {len(locks)} CUDA devices are taken by other jobs; waiting\n")
            sys.stderr.flush()
            waiting = True
        time.sleep(POLL_SECONDS)


def _lock_file(index: int) -> Path:
    """Devices are named as the driver does, since two jobs may see different ones as their first."""
    name = torch.cuda.get_device_properties(index).uuid
    return Path(tempfile.gettempdir()) / f"wgpipe-{getpass.getuser()}-{name}.lock"


def _compute_reproducibly() -> None:
    """Full float32 products, and kernels that give the same bytes each time."""
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    torch.use_deterministic_algorithms(True)

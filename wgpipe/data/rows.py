"""Rows of bytes, more than memory holds, written to a file one after the other and then mapped."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from tqdm import tqdm

from wgpipe.errors import UserError

SECONDS = 10  # between two lines of progress


def fill(file: Path, count: int, width: int, row: Callable[[int], np.ndarray]) -> np.ndarray:
    """Write row(0), …, row(count - 1), each (width,) uint8, and map them: (count, width), read-only.

    Whole rows that an earlier call left stay, so one that was cut off is continued; a file name must therefore tell
    everything that decides the rows. A `UserError` of `row` takes the file away.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        with file.open("ab") as rows:
            done = min(rows.tell() // width, count)
            rows.truncate(done * width)
            for index in tqdm(range(done, count), desc=file.name, initial=done, total=count, mininterval=SECONDS):
                rows.write(row(index).tobytes())
    except UserError:
        file.unlink()
        raise
    return np.memmap(file, np.uint8, mode="r", shape=(count, width)).view(np.ndarray)

"""Writing so that a killed job never leaves half a file: a temporary file in the same folder, then a rename."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

FULL_BYTES = 100_000  # a disk that a write has left with less is full


@contextmanager
def atomic(file: Path) -> Iterator[Path]:
    """A path to write to; it takes the place of `file` when the block ends, and vanishes if that raises.

    Libraries have errors of their own for a full disk: it is an `OSError` here.
    """
    temporary = file.with_name(f".{file.name}.tmp")
    try:
        yield temporary
        temporary.replace(file)
    except Exception as error:
        if not isinstance(error, OSError) and shutil.disk_usage(file.parent).free < FULL_BYTES:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(file)) from error
        raise
    finally:
        temporary.unlink(missing_ok=True)

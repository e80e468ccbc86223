"""SIGTERM: what a cluster sends before it takes a machine back."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

EXIT_CODE = 128 + signal.SIGTERM


class Interrupted(Exception):  # noqa: N818 (it is no error)
    """Training was asked to stop; populations stand at the end of a whole chunk."""


class StopRequest:
    """Whether SIGTERM has come."""

    def __init__(self) -> None:
        self.received = False

    def __bool__(self) -> bool:
        return self.received


@contextmanager
def sigterm_requests_stop() -> Iterator[StopRequest]:
    """Within the block SIGTERM sets the request, and does nothing else."""
    request = StopRequest()

    def note(_signal: int, _frame: FrameType | None) -> None:
        request.received = True

    before = signal.signal(signal.SIGTERM, note)
    try:
        yield request
    finally:
        signal.signal(signal.SIGTERM, before)

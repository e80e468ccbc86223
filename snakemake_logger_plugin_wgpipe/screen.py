"""Where the lines go: a terminal, whose last line may be replaced, or a file, which only grows."""

from __future__ import annotations

import shutil
from typing import TextIO

ERASE = "\r\x1b[K"


class Screen:
    """Lines on a stream; with `live`, a status line that the next line replaces."""

    def __init__(self, stream: TextIO, live: bool) -> None:
        self.stream = stream
        self.live = live
        self._status = False

    def line(self, text: str) -> None:
        """A line that stays."""
        self.clear()
        self.stream.write(f"{text}\n")
        self.stream.flush()

    def status(self, text: str) -> None:
        """A line that the next one replaces, cut to the width of the terminal; in a file it stays."""
        if not self.live:
            self.line(text)
            return
        width = shutil.get_terminal_size().columns - 1
        self.stream.write(f"{ERASE}{text[:width]}")
        self.stream.flush()
        self._status = True

    def clear(self) -> None:
        """Take the status line away, before anything else is written."""
        if self._status:
            self.stream.write(ERASE)
            self._status = False

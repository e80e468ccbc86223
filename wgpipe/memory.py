"""How much memory this process has needed."""

from __future__ import annotations

import resource
import sys
from pathlib import Path

STATUS = Path("/proc/self/status")
PEAK = "VmHWM:"  # in KiB


def peak_mb() -> float:
    """Peak resident memory in MB.

    Linux tells it of the program that runs; `getrusage` tells the larger of it and of what the process had been before,
    a copy of the one that started it.
    """
    if STATUS.is_file():
        (line,) = [line for line in STATUS.read_text(encoding="utf-8").splitlines() if line.startswith(PEAK)]
        return int(line.split()[1]) / 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 1024

"""Peak memory is that of a process itself, whoever started it."""

from __future__ import annotations

import subprocess
import sys

import numpy as np

SMALL = "from wgpipe.memory import peak_mb; print(peak_mb())"
LARGE = f"import numpy as np; x = np.ones(25 * 2**20); {SMALL}"


def peak(program: str) -> float:
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return float(done.stdout)


def test_a_small_child_of_a_large_process_is_small() -> None:
    held = np.ones(50 * 2**20)  # 400 MB
    small, large = peak(SMALL), peak(LARGE)
    assert held.nbytes == 400 * 2**20
    assert small < 60
    assert 200 < large < 300

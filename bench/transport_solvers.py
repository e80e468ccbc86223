"""`python -m bench.transport_solvers SOLVER N D CLOUD`: one exact W1 in a process of its own, as a line of JSON."""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist

from wgpipe.metrics.multiscale import UNUSED_BACKENDS
from wgpipe.metrics.transport import exact_cost
from wgpipe.rng import stream

for backend in UNUSED_BACKENDS:
    os.environ.setdefault(f"POT_BACKEND_DISABLE_{backend}", "1")

CLOUDS = {"equal": 0.0, "shifted": 1.0}  # how far the second cloud's mean is from the first's, in standard deviations
ITERATIONS = 10**8
WARM_UP = 400  # points of a first problem, which is not timed


def simplex(x: np.ndarray, y: np.ndarray) -> float:
    import ot

    return checked(*ot.emd2([], [], cdist(x, y), numItermax=ITERATIONS, log=True))


def lazy(x: np.ndarray, y: np.ndarray) -> float:
    import ot

    return checked(*ot.lp.emd2_lazy(x, y, metric="euclidean", numItermax=ITERATIONS, log=True))


def checked(cost: float, log: dict[str, object]) -> float:
    if log["warning"] is not None:
        raise RuntimeError(log["warning"])
    return float(cost)


def assignment(x: np.ndarray, y: np.ndarray) -> float:
    costs = cdist(x, y)
    return float(costs[linear_sum_assignment(costs)].mean())


def wgpipe(x: np.ndarray, y: np.ndarray) -> float:
    return exact_cost(x, y, 1)


SOLVERS: dict[str, Callable[[np.ndarray, np.ndarray], float]] = {
    "simplex": simplex,
    "lazy": lazy,
    "assignment": assignment,
    "wgpipe": wgpipe,
}


def clouds(n: int, d: int, cloud: str) -> tuple[np.ndarray, np.ndarray]:
    """(n, d), (n, d) standard normal points; the second cloud is shifted along the diagonal."""
    draw = stream("bench-transport", n, d)
    return draw.standard_normal((n, d)), draw.standard_normal((n, d)) + CLOUDS[cloud] / np.sqrt(d)


def peak_megabytes() -> float:
    """The largest memory that this process has had. On Linux `getrusage` would count the parent's too."""
    status = Path("/proc/self/status")
    if status.exists():
        lines = dict(line.split(":", 1) for line in status.read_text(encoding="ascii").splitlines())
        return float(lines["VmHWM"].split()[0]) / 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)


def main(solver: str, n: int, d: int, cloud: str) -> None:
    solve = SOLVERS[solver]
    solve(*clouds(WARM_UP, d, cloud))
    x, y = clouds(n, d, cloud)
    before, started = peak_megabytes(), time.perf_counter()
    value = solve(x, y)
    seconds = time.perf_counter() - started
    print(json.dumps({"seconds": seconds, "megabytes": peak_megabytes() - before, "value": value}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4])

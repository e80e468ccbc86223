"""Exact optimal transport between two samples.

The network simplex is the one solver above one dimension: it stays fast where a generator has collapsed or drifted
away, which slows assignment solvers tenfold. Repeated points are merged into weights first.
"""

from __future__ import annotations

import os
from typing import Literal

import numpy as np
from scipy.spatial.distance import cdist

COSTS = {1: "euclidean", 2: "sqeuclidean"}
ITERATIONS = 10_000_000
UNUSED_BACKENDS = ("PYTORCH", "JAX", "CUPY", "TENSORFLOW")


def exact_cost(x: np.ndarray, y: np.ndarray, power: Literal[1, 2]) -> float:
    """(m, d), (k, d) -> the least mean of |x - y|^power over couplings of the two uniform empirical measures.

    Float64, exact to rounding. Needs about 40·m·k bytes if d > 1. Raises `RuntimeError` if the solver stops early.
    """
    x, y = x.astype(np.float64), y.astype(np.float64)
    if x.shape[1] == 1:
        return float(line_costs(x, y, power)[0])
    return _network_simplex(*_distinct(x), *_distinct(y), power)


def line_costs(x: np.ndarray, y: np.ndarray, power: Literal[1, 2]) -> np.ndarray:
    """(m, p), (k, p) -> (p,) exact costs of p one-dimensional problems: the gap between quantile functions.

    Both quantile functions are constant between neighbours of the grid {i/m} ∪ {j/k}, which is kept in units of 1/(mk).
    """
    m, k = len(x), len(y)
    edges = np.union1d(np.arange(m + 1) * k, np.arange(k + 1) * m)
    weights = np.diff(edges) / (m * k)
    gaps = np.sort(x, axis=0)[edges[:-1] // k] - np.sort(y, axis=0)[edges[:-1] // m]
    return np.asarray(weights @ np.abs(gaps) ** power)


def _network_simplex(x: np.ndarray, a: np.ndarray, y: np.ndarray, b: np.ndarray, power: Literal[1, 2]) -> float:
    for backend in UNUSED_BACKENDS:  # they cost seconds to import
        os.environ.setdefault(f"POT_BACKEND_DISABLE_{backend}", "1")
    import ot  # takes a second, and only this function needs it

    cost, log = ot.emd2(a, b, cdist(x, y, COSTS[power]), numItermax=ITERATIONS, log=True)
    if log["warning"] is not None:
        raise RuntimeError(f"optimal transport of {len(x)} x {len(y)} points failed: {log['warning']}")
    return float(cost)


def _distinct(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The distinct points in the order of their first appearance, and their shares of the sample."""
    _, first, counts = np.unique(points, axis=0, return_index=True, return_counts=True)
    order = np.argsort(first)
    return points[first[order]], counts[order] / len(points)

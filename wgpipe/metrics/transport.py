"""Exact optimal transport between two samples."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np

from wgpipe.metrics import multiscale
from wgpipe.metrics.multiscale import Measure

COSTS = {1: "euclidean", 2: "sqeuclidean"}


def exact_cost(x: np.ndarray, y: np.ndarray, power: Literal[1, 2]) -> float:
    """(m, d), (k, d) -> the least mean of |x - y|^power over couplings of the two uniform empirical measures.

    Float64, exact to rounding; m and k may differ, and points may be repeated. Memory if d > 1: about 8·m·k bytes while
    m·k is at most `multiscale.STORED`, else linear in m + k. Raises `RuntimeError` if the solver stops early.
    """
    x, y = x.astype(np.float64), y.astype(np.float64)
    if x.shape[1] == 1:
        return float(line_costs(x, y, power)[0])
    total = math.lcm(len(x), len(y))
    return multiscale.solve(_distinct(x, total), _distinct(y, total), COSTS[power])[0] / total


def line_costs(x: np.ndarray, y: np.ndarray, power: Literal[1, 2]) -> np.ndarray:
    """(m, p), (k, p) -> (p,) exact costs of p one-dimensional problems: the gap between quantile functions.

    Both quantile functions are constant between neighbours of the grid {i/m} ∪ {j/k}, which is kept in units of 1/(mk).
    """
    m, k = len(x), len(y)
    edges = np.union1d(np.arange(m + 1) * k, np.arange(k + 1) * m)
    weights = np.diff(edges) / (m * k)
    gaps = np.sort(x, axis=0)[edges[:-1] // k] - np.sort(y, axis=0)[edges[:-1] // m]
    return np.asarray(weights @ np.abs(gaps) ** power)


def _distinct(points: np.ndarray, total: int) -> Measure:
    """The distinct points in the order of their first appearance, with masses in units of 1/total."""
    _, first, counts = np.unique(points, axis=0, return_index=True, return_counts=True)
    order = np.argsort(first)
    return Measure(points[first[order]], counts[order] * (total / len(points)))

"""The Gabriel graph of a sample, and the least sums of squared steps between its points.

A and B are neighbours if no point lies inside the ball with diameter AB, that is, if no C has |AC|² + |CB|² < |AB|².
The nearest sample point to any point of such an edge is one of its ends; a detour replaces every other edge.
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import shortest_path
from scipy.spatial.distance import cdist

KILLERS = 10
CHUNK = 1 << 22


def squared_distances(points: np.ndarray) -> np.ndarray:
    """(n, d) -> (n, n) float64."""
    return np.asarray(cdist(points, points, "sqeuclidean"))


def gabriel_edges(squared: np.ndarray) -> np.ndarray:
    """(n, n) squared distances of distinct points -> (m, 2) edges a < b of the Gabriel graph, sorted.

    The graph is connected. Of four corners of a square, all six pairs are edges: the ball's boundary may hold points.
    Time n·m after most pairs have been ruled out by their ends' nearest neighbours.
    """
    n = len(squared)
    left, right = np.triu_indices(n, 1)
    nearest = np.argsort(squared, axis=1, kind="stable")[:, 1 : 1 + KILLERS]
    for rank in range(nearest.shape[1]):
        for end in (0, 1):
            between = nearest[(left, right)[end], rank]
            empty = squared[left, between] + squared[between, right] >= squared[left, right]
            left, right = left[empty], right[empty]
    rows = max(1, CHUNK // n)
    kept = [
        (squared[a] + squared[b]).min(axis=1) >= squared[a, b]
        for a, b in ((left[i : i + rows], right[i : i + rows]) for i in range(0, len(left), rows))
    ]
    empty = np.concatenate([*kept, np.zeros(0, dtype=bool)])
    return np.stack([left[empty], right[empty]], axis=1)


def closure(squared: np.ndarray, edges: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Least sums of squared steps, (n, n), and the point before b on the best way from a to b, (n, n).

    `predecessors[a, b]` is negative where a = b. The sums are a metric, and those of the complete graph too.
    """
    weights = squared[edges[:, 0], edges[:, 1]]
    graph = csr_array((weights, (edges[:, 0], edges[:, 1])), shape=squared.shape)
    sums, predecessors = shortest_path(graph, directed=False, return_predecessors=True)
    return np.minimum(sums, sums.T), predecessors


def way(predecessors: np.ndarray, start: int, end: int) -> list[int]:
    """The points of the best way from `start` to `end`, both included."""
    backwards = [end]
    while backwards[-1] != start:
        backwards.append(int(predecessors[start, backwards[-1]]))
    return backwards[::-1]

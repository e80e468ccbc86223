"""Nearest neighbours, exactly, in few dimensions or in many."""

from __future__ import annotations

import numpy as np
from scipy.spatial import KDTree

TREE = 16  # dimensions up to which a tree is faster than all products
ROWS = 256  # points whose distances to all others are in memory at once


def nearest(points: np.ndarray, others: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(m, d), (k, d) -> (m,) Euclidean distances to the nearest of the others, and (m,) which ones these are.

    A copy has distance 0: in many dimensions the nearest is found by |x|² - 2xy + |y|², and its distance computed anew.
    """
    if points.shape[1] <= TREE:
        distances, found = KDTree(others).query(points)
        return distances, found
    lengths = np.einsum("kd,kd->k", others, others)
    parts = [lengths - 2 * (points[i : i + ROWS] @ others.T) for i in range(0, len(points), ROWS)]
    found = np.concatenate([part.argmin(axis=1) for part in parts])
    return np.linalg.norm(points - others[found], axis=1), found


def to_others(points: np.ndarray) -> np.ndarray:
    """(m, d) -> (m,) distances of points to the nearest of the others among themselves."""
    if points.shape[1] <= TREE:
        return np.asarray(KDTree(points).query(points, k=2)[0][:, 1])
    lengths = np.einsum("kd,kd->k", points, points)
    found = np.empty(len(points), dtype=np.intp)
    for start in range(0, len(points), ROWS):
        rows = np.arange(start, min(start + ROWS, len(points)))
        squares = lengths - 2 * (points[rows] @ points.T)
        squares[rows - start, rows] = np.inf
        found[rows] = squares.argmin(axis=1)
    return np.asarray(np.linalg.norm(points - points[found], axis=1))


def close_pairs(points: np.ndarray, radius: float) -> np.ndarray:
    """(m, d) -> (p, 2) numbers of points within a radius of each other, the smaller first."""
    if points.shape[1] <= TREE:
        return np.asarray(KDTree(points).query_pairs(radius, output_type="ndarray"))
    lengths = np.einsum("kd,kd->k", points, points)
    pairs = []
    for start in range(0, len(points), ROWS):
        rows = points[start : start + ROWS]
        squares = lengths[start : start + ROWS, None] + lengths[None, start:] - 2 * (rows @ points[start:].T)
        near = np.argwhere(np.triu(squares <= radius**2, k=1))
        pairs.append(near + start)
    return np.concatenate(pairs)

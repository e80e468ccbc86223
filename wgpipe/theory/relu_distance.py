"""The integral probability metric of single ReLU neurons, exact on the line and by search over directions.

sup over unit w and b of |E relu(w·X - b) - E relu(w·Y - b)|: what the one-layer ReLU critic of Li & Dou 2020 (arXiv
2003.04033, version 1) converges to. It is at most W1, and 0 only for equal laws; on the line it is at least
W1 / (2 (s + 1)), with s the number of sign changes of the difference of the distribution functions.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize_scalar


def relu_distance_line(x: np.ndarray, y: np.ndarray) -> float:
    """(m,), (k,) -> the supremum over b and both signs of w, exactly.

    g(b) = E (X - b)+ - E (Y - b)+ is linear between data, so its extremes lie at data. For w = -1 it is g minus the
    difference of means.
    """
    points = np.concatenate([x, y]).astype(np.float64)
    weights = np.concatenate([np.full(len(x), 1 / len(x)), np.full(len(y), -1 / len(y))])
    order = np.argsort(points, kind="stable")
    points, weights = points[order] - points[order[0]], weights[order]
    above = np.cumsum((weights * points)[::-1])[::-1] - points * np.cumsum(weights[::-1])[::-1]
    return float(max(np.abs(above).max(), np.abs(above - above[0]).max()))


def sign_changes(x: np.ndarray, y: np.ndarray) -> int:
    """(m,), (k,) -> how often the difference of the two empirical distribution functions changes its sign."""
    points = np.concatenate([x, y])
    order = np.argsort(points, kind="stable")
    steps = np.concatenate([np.full(len(x), len(y)), np.full(len(y), -len(x))])[order]  # in units of 1/(mk), exactly
    last_of_equals = np.append(np.diff(points[order]) > 0, True)
    signs = np.sign(np.cumsum(steps)[last_of_equals])
    signs = signs[signs != 0]
    return int((signs[1:] != signs[:-1]).sum())


def relu_distance_plane(x: np.ndarray, y: np.ndarray, directions: int = 180, best: int = 5) -> float:
    """(m, 2), (k, 2) -> the supremum over all directions of the plane.

    `directions` angles cover the half circle; around the `best` of them the angle is refined to 1e-10.
    """

    def negative(angle: float) -> float:
        normal = np.array([np.cos(angle), np.sin(angle)])
        return -relu_distance_line(x @ normal, y @ normal)

    step = np.pi / directions
    angles = step * np.arange(directions)
    values = np.array([negative(angle) for angle in angles])
    refined = [
        minimize_scalar(negative, bounds=(angle - step, angle + step), method="bounded", options={"xatol": 1e-10}).fun
        for angle in angles[np.argsort(values, kind="stable")[:best]]
    ]
    return float(-min(values.min(), *refined))

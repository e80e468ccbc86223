"""How far two points of unequal masses are from the nearest law that even convex potentials can reach.

From μ = ½δ_{-u} + ½δ_u, gradients of even convex functions reach the laws ½δ_{-z} + ½δ_z, and no others. The law to be
reached is ν = (½-a)δ_{-v} + (½+a)δ_v. The plan moves a mass 1-a between v and z (up to sign) and a from v to -z.
"""

from __future__ import annotations

import math

import numpy as np

LARGER_BELOW = 1 / 3  # excess a below which `projection` is larger than `paper_bound`


def projection(excess: float, norm: float = 1.0) -> float:
    """|v| sqrt(2a(1-a)): least W2 by the cost ½|x - y|², attained at z = (1-2a)v: (1-a)4a² + a·4(1-a)² = 4a(1-a)."""
    return norm * math.sqrt(2 * excess * (1 - excess))


def paper_bound(excess: float, norm: float = 1.0) -> float:
    """2a|v|: what Taghvaei & Jalali 2019 give as an upper bound. It is the least W1, attained at z = v."""
    return 2 * excess * norm


def nearest_even(points: np.ndarray) -> float:
    """(m, d) points of ν, m even -> its least W2, by the cost ½|x - y|², to a law ½δ_{-z} + ½δ_z.

    The best plan to z and -z gives z the half of the points that reach furthest in its direction, and the best z for a
    plan is the mean of the points with their signs. Both in turn, from every distinct point, until nothing changes.
    """
    return min(_descended(points, start) for start in np.unique(points, axis=0))


def nearest_even_w1(points: np.ndarray) -> float:
    """The same for W1, over z among the distinct points: on a line one of them is the best."""
    return min(float(_moved(points, z, 1).mean()) for z in np.unique(points, axis=0))


def _descended(points: np.ndarray, z: np.ndarray) -> float:
    cost = math.inf
    while True:
        signs = _signs(np.square(points + z).sum(axis=1) - np.square(points - z).sum(axis=1))
        z = (signs[:, None] * points).mean(axis=0)
        new = float(np.square(points - signs[:, None] * z).sum(axis=1).mean() / 2)
        if not new < cost:
            return math.sqrt(cost)
        cost = new


def _moved(points: np.ndarray, z: np.ndarray, power: int) -> np.ndarray:
    """(m,) cost |x - y|^power of each point under the best plan to z and -z."""
    there, back = (np.linalg.norm(points - sign * z, axis=1) ** power for sign in (1, -1))
    return np.asarray(np.where(_signs(back - there) > 0, there, back))


def _signs(advantage: np.ndarray) -> np.ndarray:
    """(m,) -> (m,): 1 for the half with the largest, -1 for the rest."""
    order = np.argsort(-advantage, kind="stable")
    signs = np.full(len(advantage), -1.0)
    signs[order[: len(order) // 2]] = 1.0
    return signs

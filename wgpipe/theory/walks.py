"""Optimal curves through a sample: what a generator with one latent dimension and Lipschitz constant K can reach.

For U uniform on [0, 1], the law of G(U) that is nearest to the empirical measure of n points among K-Lipschitz G
follows a walk through them with the least sum of squared steps (Stéphanovitch et al. 2022, arXiv 2201.02824). A walk
may come back to a point: through a centre and three leaves around it the best path without a return costs 5, and the
best walk 4. With steps d_i, taken at speed K with rests at the points, W1 = (1/4K) Σ d_i².
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial import KDTree

from wgpipe.rng import stream
from wgpipe.theory.gabriel import closure, gabriel_edges, squared_distances, way
from wgpipe.theory.held_karp import held_karp
from wgpipe.theory.local_search import PathSearch, nearest_neighbour_path
from wgpipe.theory.traversal import without_cycles

EXACT = 14  # points up to which the shortest walk is found exactly
ROUNDING = 1e-9


@dataclass(frozen=True)
class Walk:
    """A walk over the distinct points (k, d) of a sample with masses (k,): their numbers in the order of the visits."""

    points: np.ndarray
    masses: np.ndarray
    visits: np.ndarray

    @property
    def steps(self) -> np.ndarray:
        """(len(visits) - 1,) lengths."""
        return np.asarray(np.linalg.norm(np.diff(self.points[self.visits], axis=0), axis=1))

    @property
    def squared_length(self) -> float:
        """Σ d_i²."""
        return float((self.steps**2).sum())

    @property
    def half_steps(self) -> np.ndarray:
        """(k,) sum of the half steps at each point, over all its visits: the length that is nearest to it."""
        halves = np.pad(self.steps / 2, 1)
        return np.bincount(self.visits, halves[:-1] + halves[1:], len(self.points))

    @property
    def least_speed(self) -> float:
        """K0 = max_i half_steps_i / mass_i, with masses 1/n for distinct points: below, no rests give these masses."""
        return float((self.half_steps / self.masses).max())

    def w1(self, speed: float) -> float:
        """W1 between the curve and the sample, (1/4K) Σ d_i²; needs a speed of at least `least_speed`."""
        self._refuse_below_least(speed)
        return self.squared_length / (4 * speed) if speed else 0.0

    def curve(self, speed: float) -> tuple[np.ndarray, np.ndarray]:
        """Knots (m,) from 0 to 1 and positions (m, d) of the piecewise linear curve, m = len(visits) + k.

        It moves at this speed and rests at a point's first visit, such that half of each step and the rest make up the
        point's mass. Raises `ValueError` below `least_speed`.
        """
        self._refuse_below_least(speed)
        if len(self.points) == 1:
            return np.array([0.0, 1.0]), self.points[[0, 0]]
        _, first = np.unique(self.visits, return_index=True)
        rests = np.zeros(len(self.visits))
        rests[first] = (self.masses - self.half_steps / speed).clip(0)
        durations = np.zeros(2 * len(self.visits))
        durations[1::2] = rests
        durations[2::2] = self.steps / speed
        stays = np.ones(len(durations), dtype=bool)
        stays[1::2] = False
        stays[1::2][first] = True
        knots = np.cumsum(durations)[stays]
        return knots / knots[-1], np.repeat(self.points[self.visits], 2, axis=0)[stays]

    def _refuse_below_least(self, speed: float) -> None:
        if speed < self.least_speed * (1 - ROUNDING):
            raise ValueError(
                f"speed {speed:g} is below {self.least_speed:g}, the least at which a curve along this walk can give "
                "every point of the sample its mass"
            )


def shortest_walk(sample: np.ndarray, kicks: float = 1.0) -> Walk:
    """(n, d) -> a walk through all points with a small Σ d_i²; the least one for up to `EXACT` distinct points.

    Above, a local optimum under 2-opt, Or-opt and n·`kicks` kicks, never worse than the path without returns that the
    same moves find. It makes at most 2(k-1) steps for k distinct points. Memory 12 n²; n = 2000 takes seconds.
    """
    points, counts = np.unique(sample.astype(np.float64), axis=0, return_counts=True)
    squared = squared_distances(points)
    sums, predecessors = closure(squared, gabriel_edges(squared))
    order = held_karp(sums) if len(points) <= EXACT else _search(squared, sums, round(kicks * len(points)))
    visits = [int(order[0])]
    for a, b in zip(order[:-1].tolist(), order[1:].tolist(), strict=True):
        visits += way(predecessors, a, b)[1:]
    return Walk(points, counts / len(sample), np.array(without_cycles(visits)))


def certificate(curve: np.ndarray, sample: np.ndarray, masses: np.ndarray | None = None) -> float:
    """(m, d) points of any curve or law, (n, d) -> E min_i |G(t) - X_i|, which is at most W1 to the sample.

    The points have equal masses, or those given, (m,).
    """
    return float(np.average(KDTree(sample).query(curve)[0], weights=masses))


def _search(squared: np.ndarray, sums: np.ndarray, kicks: int) -> np.ndarray:
    path = PathSearch(squared, nearest_neighbour_path(squared))
    path.improve(path.order.tolist())
    walk = PathSearch(sums, path.order)
    walk.improve(path.order.tolist())
    walk.kick(stream("walk", len(squared)), kicks)
    return walk.order

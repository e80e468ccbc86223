"""Exact optimal transport of large discrete measures: column generation on a hierarchy of cells.

Of all m·k arcs the network simplex is given few: those whose reduced cost c(x, y) - u(x) - v(y) is small in the
potentials of a coarser problem. The potentials of its solution are then compared with all m·k costs, which either
proves that the plan is optimal or shows which arcs were missing. What is minimised is the reduced cost; over all plans
it differs from the cost by a constant, and the simplex starts close to its end.

Coarser problems: Schmitzer, "A sparse multiscale algorithm for dense optimal transport" (2016); Gerber and Maggioni,
"Multiscale strategies for computing optimal transport" (2017). Here a cell is a box of a few points, halved at medians.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array
from scipy.spatial.distance import cdist

DIRECT = 2**17  # arcs up to which the simplex is given them all
SMALL = 128  # points on a side up to which it is left as it is in a coarser problem
CELL = 4  # points that make one of the coarser problem, about
ARCS = 24  # arcs a point to start with, on average
STORED = 12_000**2  # costs up to which they are stored and not computed again in every round
CHUNK = 2**16  # costs that are looked at together: they fit a core's cache
GAP = 1e-11  # relative difference between the cost of a plan and its proven lower bound that ends the search
ROUNDING = 2e-15  # of a reduced cost, relative to the potentials
UNPROVEN = 1e-12  # largest such difference, relative to the potentials, if no arc is missing
ROUNDS = 200
LARGE = 20  # binary logarithm of the largest cost that the simplex is given
ITERATIONS = 10_000_000
UNUSED_BACKENDS = ("PYTORCH", "JAX", "CUPY", "TENSORFLOW")


@dataclass(frozen=True)
class Measure:
    """Points (m, d) and their masses (m,); whole numbers as masses make every sum of them exact."""

    points: np.ndarray
    masses: np.ndarray

    def __len__(self) -> int:
        return len(self.points)


@dataclass(frozen=True)
class Plan:
    """What mass goes where: (a,) places of the two points of an arc, and what it carries."""

    sources: np.ndarray
    targets: np.ndarray
    masses: np.ndarray


class Costs:
    """The (m, k) costs between two sets of points, stored or computed again whenever they are asked for."""

    def __init__(self, x: np.ndarray, y: np.ndarray, metric: str, stored: bool) -> None:
        self.x, self.y, self.metric = x, y, metric
        self.stored: np.ndarray | None = cdist(x, y, metric) if stored else None

    def of(self, rows: slice) -> np.ndarray:
        """All costs of some rows."""
        return np.asarray(cdist(self.x[rows], self.y, self.metric) if self.stored is None else self.stored[rows])

    def at(self, sources: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """(a,) costs of a arcs."""
        if self.stored is not None:
            return np.asarray(self.stored[sources, targets])
        squares = np.square(self.x[sources] - self.y[targets]).sum(axis=1)
        return np.asarray(squares if self.metric == "sqeuclidean" else np.sqrt(squares))

    def chunks(self) -> Iterator[tuple[slice, np.ndarray]]:
        """Consecutive rows and their costs."""
        step = max(1, CHUNK // len(self.y))
        for first in range(0, len(self.x), step):
            rows = slice(first, min(first + step, len(self.x)))
            yield rows, self.of(rows)

    def transform(self, v: np.ndarray) -> np.ndarray:
        """(k,) -> (m,) c-transform: the largest u with u(x) + v(y) <= c(x, y)."""
        return np.concatenate([(costs - v).min(axis=1) for _, costs in self.chunks()])


def solve(x: Measure, y: Measure, metric: str) -> tuple[float, Plan, np.ndarray, np.ndarray]:
    """Least cost between measures of equal mass, an optimal plan, and potentials u (m,) and v (k,) that prove it.

    `metric` is "euclidean" or "sqeuclidean". The cost is the least one up to a factor 1 + `GAP`, or up to rounding.
    Memory: 8 bytes an arc if they are at most `STORED`, else linear in the points. Raises `RuntimeError` if the simplex
    or the rounds end at their limit.
    """
    costs = Costs(x.points, y.points, metric, stored=len(x) * len(y) <= STORED)
    if len(x) * len(y) <= DIRECT:
        plan, u, v = _simplex(x, y, costs.of(slice(None)), None)
        return float(plan.masses @ costs.at(plan.sources, plan.targets)), plan, u, v
    v, joined = _coarse(x, y, metric)
    u = costs.transform(v)
    arcs = _union(joined, _short(costs, u, v))
    for _ in range(ROUNDS):
        sources, targets = np.divmod(arcs, len(y))
        reduced = costs.at(sources, targets) - u[sources] - v[targets]
        plan, du, dv = _simplex(x, y, reduced, (sources, targets))
        u, v = u + du, v + dv
        cost = float(plan.masses @ costs.at(plan.sources, plan.targets))
        u, violated = _violated(costs, u, v)
        gap = cost - x.masses @ u - y.masses @ v
        known, arcs = len(arcs), _union(arcs, violated)
        rounded = len(arcs) == known and gap <= UNPROVEN * x.masses.sum() * (abs(u).max() + np.ptp(v))
        if gap <= GAP * cost or rounded:
            return cost, plan, u, v
    raise RuntimeError(f"exact transport of {len(x)} x {len(y)} points failed: no proof after {ROUNDS} round(s)")


def _violated(costs: Costs, u: np.ndarray, v: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The c-transform of v, and the arcs whose reduced cost is below half of the least, negative one of their row."""
    rounding = ROUNDING * max(np.ptp(v), abs(u).max())
    feasible = np.empty_like(u)
    found = [np.empty(0, dtype=np.int64)]
    for rows, chunk in costs.chunks():
        rest = chunk - v
        least = rest.min(axis=1)
        feasible[rows] = least
        (low,) = np.nonzero(least < u[rows] - rounding)
        row, column = np.nonzero(rest[low] <= ((u[rows] + least) / 2)[low, None])
        found.append((rows.start + low[row]) * len(v) + column)
    return feasible, np.concatenate(found)


def _coarse(x: Measure, y: Measure, metric: str) -> tuple[np.ndarray, np.ndarray]:
    """Potentials v of a coarser problem at all points y, and all arcs between cells that its plan joins."""
    cells = [_cells(side.points) if len(side) > SMALL else _singles(side) for side in (x, y)]
    coarse = [_centres(side, *cell) for side, cell in zip((x, y), cells, strict=True)]
    _, plan, u, _ = solve(coarse[0], coarse[1], metric)
    v = Costs(y.points, coarse[0].points, metric, stored=False).transform(u)
    (x_order, x_starts), (y_order, y_starts) = cells
    x_sizes, y_sizes = (np.diff(starts) for starts in (x_starts, y_starts))
    counts = x_sizes[plan.sources] * y_sizes[plan.targets]
    place = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    joined = np.repeat(np.arange(len(counts)), counts)
    i, j = plan.sources[joined], plan.targets[joined]
    sources, targets = x_order[x_starts[i] + place // y_sizes[j]], y_order[y_starts[j] + place % y_sizes[j]]
    return v, sources * len(y) + targets


def _short(costs: Costs, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """About `ARCS` arcs a point of small reduced cost: those below a quantile of an evenly spread sample."""
    rows, columns = (slice(None, None, max(8, len(side) // 512)) for side in (costs.x, costs.y))
    sample = cdist(costs.x[rows], costs.y[columns], costs.metric) - u[rows, None] - v[columns]
    place = min(sample.size * ARCS // min(len(u), len(v)), sample.size - 1)
    limit = u + np.partition(sample, place, axis=None)[place]
    found = [rows.start * len(v) + np.flatnonzero(chunk - v < limit[rows, None]) for rows, chunk in costs.chunks()]
    return np.concatenate(found)


def _union(*arcs: np.ndarray) -> np.ndarray:
    """The sorted union; `np.union1d` takes five times as long."""
    merged = np.sort(np.concatenate(arcs))
    return np.asarray(merged[np.append(True, merged[1:] != merged[:-1])])


def _cells(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(m, d) -> an order of the points in which cells lie together, and the cells' starts and the end.

    Every cell is halved at the median of its longest side until it has about `CELL` points.
    """
    order, starts = np.arange(len(points)), np.array([0, len(points)])
    for _ in range(round(np.log2(len(points) / CELL))):
        inside = points[order]
        sides = np.maximum.reduceat(inside, starts[:-1]) - np.minimum.reduceat(inside, starts[:-1])
        sizes = np.diff(starts)
        cell = np.repeat(np.arange(len(sizes)), sizes)
        order = order[np.lexsort((inside[np.arange(len(inside)), sides.argmax(axis=1)[cell]], cell))]
        starts = np.union1d(starts, starts[:-1] + sizes // 2)
    return order, starts


def _singles(measure: Measure) -> tuple[np.ndarray, np.ndarray]:
    """Every point is a cell."""
    return np.arange(len(measure)), np.arange(len(measure) + 1)


def _centres(measure: Measure, order: np.ndarray, starts: np.ndarray) -> Measure:
    """The cells' centres of mass and masses."""
    masses = measure.masses[order]
    sums = np.add.reduceat(masses, starts[:-1])
    return Measure(np.add.reduceat(measure.points[order] * masses[:, None], starts[:-1]) / sums[:, None], sums)


def _simplex(
    x: Measure, y: Measure, costs: np.ndarray, arcs: tuple[np.ndarray, np.ndarray] | None
) -> tuple[Plan, np.ndarray, np.ndarray]:
    """The network simplex on all arcs, costs (m, k), or on some, costs (a,): a plan and potentials.

    It takes 1 for a cost of normal size, so it is given large ones, in a unit that is a power of two.
    """
    for backend in UNUSED_BACKENDS:  # they cost seconds to import
        os.environ.setdefault(f"POT_BACKEND_DISABLE_{backend}", "1")
    import ot  # takes a second

    unit = 2.0 ** (np.frexp(np.abs(costs).max())[1] - LARGE)
    scaled = costs / unit if arcs is None else coo_array((costs / unit, arcs), shape=(len(x), len(y)))
    with warnings.catch_warnings(action="ignore"):  # the log says it too
        plan, log = ot.emd(x.masses, y.masses, scaled, numItermax=ITERATIONS, log=True, center_dual=False)
    if log["warning"] is not None:
        raise RuntimeError(f"exact transport of {len(x)} x {len(y)} points failed: {log['warning']}")
    moved = coo_array(plan)
    return Plan(moved.row.astype(int), moved.col.astype(int), moved.data), unit * log["u"], unit * log["v"]

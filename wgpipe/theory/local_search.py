"""A short path through all points by 2-opt and Or-opt moves, and kicks out of local optima.

Sources: Croes, Oper. Res. 6, 1958 (2-opt); Or, 1976 (moves of up to 3 points); Bentley, ORSA J. Comput. 4, 1992
(neighbour lists and a queue of points to look at); Martin, Otto & Felten, Complex Systems 5, 1991 (double bridges),
which are kept local here.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

import numpy as np

NEIGHBOURS = 8
SEGMENT = 3
KICK_SPAN = 50
TOLERANCE = 1e-12  # of the mean step: no move may gain less, or rounding could go round in circles


def nearest_neighbour_path(lengths: np.ndarray) -> np.ndarray:
    """(n, n) lengths -> (n,) order: from point 0, always to the nearest point not yet visited."""
    order = [0]
    unvisited = np.ones(len(lengths), dtype=bool)
    for _ in range(len(lengths) - 1):
        unvisited[order[-1]] = False
        order.append(int(np.where(unvisited, lengths[order[-1]], np.inf).argmin()))
    return np.array(order)


def path_length(lengths: np.ndarray, order: np.ndarray) -> float:
    """The sum of steps."""
    return float(lengths[order[:-1], order[1:]].sum())


class PathSearch:
    """A path that only gets shorter; its ends are free.

    Every move is a sequence of reversals of consecutive points, so the last ones can be taken back. The path stands
    between two copies of a point at distance 0 from all others.
    """

    def __init__(self, lengths: np.ndarray, order: np.ndarray) -> None:
        self.n = n = len(lengths)
        self._padded = np.pad(lengths, (0, 1))
        self.rows = [memoryview(row) for row in self._padded]
        nearest = np.argsort(lengths, axis=1, kind="stable")[:, : NEIGHBOURS + 1]
        self.near = [[point for point in row if point != own] for own, row in enumerate(nearest.tolist())]
        self.path = [n, *order.tolist(), n]
        self.place = [0] * (n + 1)
        for place in range(1, n + 1):
            self.place[self.path[place]] = place
        self.least_gain = TOLERANCE * path_length(lengths, order) / n
        self.reversals: list[tuple[int, int]] = []

    @property
    def order(self) -> np.ndarray:
        """(n,)."""
        return np.array(self.path[1:-1])

    def improve(self, points: Iterable[int]) -> float:
        """Make moves at these points and where moves were made, until none shortens the path; the length gained."""
        waiting = deque(points)
        queued = set(waiting)
        gained = 0.0
        while waiting:
            point = waiting.popleft()
            queued.discard(point)
            while (move := self._two_opt(point) or self._or_opt(point)) is not None:
                gain, touched = move
                gained += gain
                fresh = [p for p in touched if p != self.n and p not in queued]
                waiting.extend(fresh)
                queued.update(fresh)
        return gained

    def kick(self, stream: np.random.Generator, count: int) -> None:
        """Swap two neighbouring stretches and improve, `count` times; what made the path longer is taken back."""
        if self.n < 4:
            return
        span = min(KICK_SPAN, self.n // 2)
        sizes = stream.integers(1, span, size=(count, 2), endpoint=True)
        starts = stream.integers(1, self.n + 2 - sizes.sum(axis=1))
        for start, (first, second) in zip(starts.tolist(), sizes.tolist(), strict=True):
            self.reversals.clear()
            middle, end = start + first, start + first + second - 1
            a, b, c, d, e, f = (self.path[i] for i in (start - 1, start, middle - 1, middle, end, end + 1))
            rows = self.rows
            lost = rows[a][d] + rows[e][b] + rows[c][f] - rows[a][b] - rows[c][d] - rows[e][f]
            self._swap(start, middle, end)
            if self.improve(point for point in (a, b, c, d, e, f) if point != self.n) < lost:
                self._take_back()

    def _two_opt(self, a: int) -> tuple[float, tuple[int, ...]] | None:
        """Replace the step from a to its neighbour s, and that from c to its neighbour t, by a-c and s-t."""
        rows, path, place = self.rows, self.path, self.place
        row, i = rows[a], place[a]
        for side in (1, -1):
            s = path[i + side]
            step = row[s]
            for c in self.near[a]:
                gain = step - row[c]
                if gain <= self.least_gain:
                    break
                j = place[c]
                t = path[j + side]
                gain += rows[c][t] - rows[s][t]
                if gain > self.least_gain:
                    low, high = (i, j) if i < j else (j, i)
                    self._reverse(low + (side == 1), high - (side == -1))
                    return gain, (a, s, c, t)
        return None

    def _or_opt(self, a: int) -> tuple[float, tuple[int, ...]] | None:
        """Take out up to 3 consecutive points from a to b, and put them between c and its neighbour e, a beside c."""
        rows, path, place = self.rows, self.path, self.place
        row, i = rows[a], place[a]
        for size in range(1, SEGMENT + 1):
            for low in (i, i - size + 1) if size > 1 else (i,):
                high = low + size - 1
                if low < 1 or high > self.n:
                    continue
                p, q = path[low - 1], path[high + 1]
                b = path[high] if low == i else path[low]
                removed = rows[p][path[low]] + rows[path[high]][q] - rows[p][q]
                for c in self.near[a]:
                    if removed - row[c] <= self.least_gain:
                        break
                    j = place[c]
                    if low <= j <= high:
                        continue
                    for side in (1, -1):
                        e = path[j + side]
                        if low <= j + side <= high:
                            continue
                        gain = removed - row[c] - rows[b][e] + rows[c][e]
                        if gain > self.least_gain:
                            self._move(low, high, j if side == 1 else j - 1)
                            if abs(place[a] - place[c]) != 1:
                                self._reverse(min(place[a], place[b]), max(place[a], place[b]))
                            return gain, (p, q, a, b, c, e)
        return None

    def _move(self, low: int, high: int, gap: int) -> None:
        """Move the points at low..high to between the places gap and gap + 1."""
        if gap > high:
            self._swap(low, high + 1, gap)
        else:
            self._swap(gap + 1, low, high)

    def _swap(self, start: int, middle: int, end: int) -> None:
        """Exchange the stretches start..middle-1 and middle..end."""
        self._reverse(start, end)
        self._reverse(start, start + end - middle)
        self._reverse(start + end - middle + 1, end)

    def _reverse(self, low: int, high: int) -> None:
        if low >= high:
            return
        self.reversals.append((low, high))
        path, place = self.path, self.place
        path[low : high + 1] = path[low : high + 1][::-1]
        for i in range(low, high + 1):
            place[path[i]] = i

    def _take_back(self) -> None:
        for low, high in self.reversals[::-1]:
            self._reverse(low, high)

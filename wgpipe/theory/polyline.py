"""Piecewise linear curves, and the law of such a curve at a uniform time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Polyline:
    """A curve that is at positions (m, d) at times (m,), which rise from 0 to 1, and moves evenly between them.

    Times may be repeated where the position is.
    """

    times: np.ndarray
    positions: np.ndarray

    @property
    def durations(self) -> np.ndarray:
        """(m - 1,) of the pieces."""
        return np.diff(self.times)

    @property
    def lengths(self) -> np.ndarray:
        """(m - 1,) of the pieces; 0 where the curve rests."""
        return np.asarray(np.linalg.norm(np.diff(self.positions, axis=0), axis=1))

    @property
    def speed(self) -> float:
        """The Lipschitz constant: the largest length over duration, in units of the data per unit of time."""
        lasts = self.durations > 0
        return float((self.lengths[lasts] / self.durations[lasts]).max())

    def atoms(self, cells: int) -> tuple[np.ndarray, np.ndarray]:
        """(k, d) points and their masses (k,): the midpoints of `cells` equal parts of each piece; of a rest, one.

        W1 between this law and that of the curve is at most `blur(cells)`.
        """
        lasts, moves = self.durations > 0, self.lengths > 0
        points, masses = [], []
        for of, parts in ((lasts & moves, cells), (lasts & ~moves, 1)):
            shares = ((np.arange(parts) + 0.5) / parts)[None, :, None]
            start, end = self.positions[:-1][of][:, None], self.positions[1:][of][:, None]
            points.append((start + shares * (end - start)).reshape(-1, self.positions.shape[1]))
            masses.append(np.repeat(self.durations[of] / parts, parts))
        return np.concatenate(points), np.concatenate(masses)

    def blur(self, cells: int) -> float:
        """The mean distance of a point of the curve to the midpoint of its part."""
        return float(self.durations @ self.lengths) / (4 * cells)

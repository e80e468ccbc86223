"""The exact optimal plan between two samples, as a map."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from pydantic import Field, PositiveInt
from scipy.optimize import linear_sum_assignment
from scipy.spatial import KDTree
from scipy.spatial.distance import cdist

from wgpipe.methods import TransportMap
from wgpipe.registry import register


@register("discrete-plan", cites=("ferradans2014",))
class DiscretePlan(TransportMap):
    """T(x_i) = Σ_j P_ij y_j / Σ_j P_ij with P the plan of least Σ P_ij ½|x_i - y_j|² between the first points.

    Between samples of one size an optimal plan is a permutation, so that its barycentric projection is the partner.
    A new point x moves as the nearest x_i does: T(x) = x + T(x_i) - x_i (Ferradans et al. 2014).
    """

    points: PositiveInt = Field(1024, description="points of each sample, at most; the cost grows with their cube")

    def fit(self, source: np.ndarray, target: np.ndarray) -> dict[str, np.ndarray]:
        source, target = source[: self.points].astype(np.float64), target[: self.points].astype(np.float64)
        _, partner = linear_sum_assignment(cdist(source, target, "sqeuclidean"))
        return {"source": source, "target": target[partner]}

    def transport(self, state: Mapping[str, np.ndarray], points: np.ndarray) -> np.ndarray:
        return _moved(points, state["source"], state["target"])

    def inverse(self, state: Mapping[str, np.ndarray], points: np.ndarray) -> np.ndarray:
        return _moved(points, state["target"], state["source"])


def _moved(points: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """(m, d), (n, d), (n, d) -> (m, d): each point with the displacement of the nearest start."""
    nearest = KDTree(start).query(points)[1]
    return np.asarray(points + (end - start)[nearest])

"""The linear map between two samples' moments."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from wgpipe.methods import TransportMap
from wgpipe.registry import register
from wgpipe.theory.gaussian import bures_map


@register("bures", cites=("taghvaei2019",))
class Bures(TransportMap):
    """T(x) = m_Y + A (x - m_X), A = S_X^-½ (S_X^½ S_Y S_X^½)^½ S_X^-½: the optimum of the quadratic class Q.

    Optimal between Gaussians (Olkin & Pukelsheim 1982); between other laws it matches the first two moments.
    """

    def fit(self, source: np.ndarray, target: np.ndarray) -> dict[str, np.ndarray]:
        covariances = [np.atleast_2d(np.cov(sample.T, bias=True)) for sample in (source, target)]
        return {
            "source_mean": source.mean(axis=0),
            "target_mean": target.mean(axis=0),
            "matrix": bures_map(*covariances),
            "inverse_matrix": bures_map(*reversed(covariances)),
        }

    def transport(self, state: Mapping[str, np.ndarray], points: np.ndarray) -> np.ndarray:
        return np.asarray(state["target_mean"] + (points - state["source_mean"]) @ state["matrix"])

    def inverse(self, state: Mapping[str, np.ndarray], points: np.ndarray) -> np.ndarray:
        return np.asarray(state["source_mean"] + (points - state["target_mean"]) @ state["inverse_matrix"])

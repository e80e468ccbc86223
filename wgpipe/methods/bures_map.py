"""The linear map between two samples' moments."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch

from wgpipe.methods import TransportMap
from wgpipe.methods.moments import linear_map, mean_and_covariance
from wgpipe.registry import register


@register("bures", cites=("taghvaei2019",))
class Bures(TransportMap):
    """T(x) = m_Y + A (x - m_X), A = S_X^-½ (S_X^½ S_Y S_X^½)^½ S_X^-½: the optimum of the quadratic class Q.

    Optimal between Gaussians (Olkin & Pukelsheim 1982); between other laws it matches the first two moments.
    """

    def fit(self, source: np.ndarray, target: np.ndarray) -> dict[str, np.ndarray]:
        (mean, covariance), (other_mean, other_covariance) = (
            mean_and_covariance(torch.from_numpy(sample)[None]) for sample in (source, target)
        )
        return {
            "source_mean": mean[0].numpy(),
            "target_mean": other_mean[0].numpy(),
            "matrix": linear_map(covariance, other_covariance)[0][0].numpy(),
            "inverse_matrix": linear_map(other_covariance, covariance)[0][0].numpy(),
        }

    def transport(self, state: Mapping[str, np.ndarray], points: np.ndarray) -> np.ndarray:
        return np.asarray(state["target_mean"] + (points - state["source_mean"]) @ state["matrix"])

    def inverse(self, state: Mapping[str, np.ndarray], points: np.ndarray) -> np.ndarray:
        return np.asarray(state["source_mean"] + (points - state["target_mean"]) @ state["inverse_matrix"])

"""Control: a Gaussian with the sample's mean and covariance."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from wgpipe.data import Arrays, Dataset
from wgpipe.methods import Control
from wgpipe.registry import register


@register("gaussian")
class Gaussian(Control):
    """N(mean, covariance) of the training sample: what matching two moments is worth."""

    def fit(self, sample: np.ndarray) -> dict[str, np.ndarray]:
        values, vectors = np.linalg.eigh(np.cov(sample.T, bias=True).reshape(sample.shape[1], -1))
        return {"mean": sample.mean(axis=0), "root": vectors * np.sqrt(values.clip(0))}

    def draw(
        self,
        state: Mapping[str, np.ndarray],
        dataset: Dataset,
        arrays: Arrays,
        stream: np.random.Generator,
        count: int,
    ) -> np.ndarray:
        normal = stream.standard_normal((count, len(state["mean"])))
        return np.asarray(state["mean"] + normal @ state["root"].T)

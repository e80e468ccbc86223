"""Control: the training sample itself."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from wgpipe.data import Arrays, Dataset
from wgpipe.methods import Control
from wgpipe.registry import register


@register("empirical", cites=("dudley1969",))
class Empirical(Control):
    """The empirical measure of the n training points, resampled: the rate that learning nothing beyond them gives."""

    def fit(self, sample: np.ndarray) -> dict[str, np.ndarray]:
        return {"sample": sample}

    def draw(
        self,
        state: Mapping[str, np.ndarray],
        dataset: Dataset,
        arrays: Arrays,
        stream: np.random.Generator,
        count: int,
    ) -> np.ndarray:
        sample = state["sample"]
        return np.asarray(sample[stream.integers(len(sample), size=count)])

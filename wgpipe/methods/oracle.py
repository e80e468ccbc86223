"""Positive control: fresh real data."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from wgpipe.data import Arrays, Dataset
from wgpipe.methods import Control
from wgpipe.registry import register


@register("oracle")
class Oracle(Control):
    """The true distribution. Its score is the null of every other method: the metric between two real samples."""

    def fit(self, sample: np.ndarray) -> dict[str, np.ndarray]:
        return {}

    def fit_drawn(self, dataset: Dataset, arrays: Arrays, stream: np.random.Generator, n: int) -> dict[str, np.ndarray]:
        return {}

    def needs_points(self, dataset: Dataset) -> bool:
        return False

    def draw(
        self,
        state: Mapping[str, np.ndarray],
        dataset: Dataset,
        arrays: Arrays,
        stream: np.random.Generator,
        count: int,
    ) -> np.ndarray:
        return dataset.oracle_sample(arrays, stream, count)

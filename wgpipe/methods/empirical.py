"""Control: the training sample itself."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from wgpipe.data import Arrays, Dataset, FiniteDataset
from wgpipe.methods import Control
from wgpipe.registry import register


@register("empirical", cites=("dudley1969",))
class Empirical(Control):
    """The empirical measure of the n training points, resampled: the rate that learning nothing beyond them gives.

    Of finite data, the numbers of the rows are kept: 3 million images would be copied otherwise.
    """

    def fit(self, sample: np.ndarray) -> dict[str, np.ndarray]:
        return {"sample": sample}

    def fit_drawn(self, dataset: Dataset, arrays: Arrays, stream: np.random.Generator, n: int) -> dict[str, np.ndarray]:
        if isinstance(dataset, FiniteDataset):
            return {"rows": dataset.chosen(arrays["train"], stream, n)}
        return super().fit_drawn(dataset, arrays, stream, n)

    def needs_points(self, dataset: Dataset) -> bool:
        return not isinstance(dataset, FiniteDataset)

    def draw(
        self,
        state: Mapping[str, np.ndarray],
        dataset: Dataset,
        arrays: Arrays,
        stream: np.random.Generator,
        count: int,
    ) -> np.ndarray:
        kept = state["rows" if "rows" in state else "sample"]
        drawn: np.ndarray = kept[stream.integers(len(kept), size=count)]
        if "rows" in state:
            assert isinstance(dataset, FiniteDataset)
            return dataset.points(arrays["train"][drawn])
        return drawn

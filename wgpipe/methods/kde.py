"""Control: a kernel density estimate."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np
from pydantic import Field

from wgpipe.data import Arrays, Dataset
from wgpipe.errors import UserError
from wgpipe.methods import Control
from wgpipe.registry import register


@register("kde", cites=("scott1992", "silverman1986"))
class Kde(Control):
    """(1/n) sum_i N(x_i, h² S), S the sample's covariance: what smoothing the sample is worth.

    h = n^(-1 / (d + 4)) by Scott's rule (1992), (n (d + 2) / 4)^(-1 / (d + 4)) by Silverman's (1986), which is the
    best for a normal law, too wide where there are several modes.
    """

    bandwidth: Literal["scott", "silverman"] = Field("scott", description="rule that gives h")

    def fit(self, sample: np.ndarray) -> dict[str, np.ndarray]:
        n, d = sample.shape
        if n < 2:
            raise UserError(f"method 'kde' needs at least 2 training points for a covariance, and has {n}.")
        count = n if self.bandwidth == "scott" else n * (d + 2) / 4
        values, vectors = np.linalg.eigh(np.cov(sample.T).reshape(d, d))
        return {"sample": sample, "root": count ** (-1 / (d + 4)) * vectors * np.sqrt(values.clip(0))}

    def draw(
        self,
        state: Mapping[str, np.ndarray],
        dataset: Dataset,
        arrays: Arrays,
        stream: np.random.Generator,
        count: int,
    ) -> np.ndarray:
        sample = state["sample"]
        centres = sample[stream.integers(len(sample), size=count)]
        return np.asarray(centres + stream.standard_normal(centres.shape) @ state["root"].T)

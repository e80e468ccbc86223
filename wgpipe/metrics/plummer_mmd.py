"""The distance that the potential of charges defines."""

from __future__ import annotations

import numpy as np
from pydantic import Field, PositiveFloat
from scipy.spatial.distance import cdist

from wgpipe.methods.kernels import Plummer
from wgpipe.metrics import Evaluation, SampleMetric
from wgpipe.registry import register

ROWS = 512


@register("plummer_mmd", cites=("unterthiner2018", "gretton2012"))
class PlummerMmd(SampleMetric):
    """Root of mean k(x, x') + mean k(y, y') - 2 mean k(x, y), with the Plummer kernel k, all pairs counted.

    So it is never negative, and biased upwards by the pairs of a point with itself, which its null shows. `dimension`
    and `epsilon` are those of the Coulomb GAN's kernel, ε in units of the data; `kernels` has others for some datasets.
    """

    dimension: float = Field(3.0, gt=2, description="D of the kernel")
    epsilon: PositiveFloat = Field(1.0, description="ε of the kernel, in units of the data")
    kernels: dict[str, Plummer] = Field({}, description="dataset -> dimension and epsilon, where they differ")

    def compare(self, real: np.ndarray, generated: np.ndarray) -> float:
        kernel = Plummer(dimension=self.dimension, epsilon=self.epsilon)
        squared = mean_kernel(kernel, real, real) + mean_kernel(kernel, generated, generated)
        return float(np.sqrt(max(squared - 2 * mean_kernel(kernel, real, generated), 0.0)))

    def measure(self, block: Evaluation) -> dict[str, tuple[np.ndarray, str]]:
        own = self.kernels.get(block.dataset_name, Plummer(dimension=self.dimension, epsilon=self.epsilon))
        chosen = self.model_copy(update={**own.model_dump(), "kernels": {}})
        return {
            name: (values, protocol.replace(",kernels={}", ""))
            for name, (values, protocol) in super(PlummerMmd, chosen).measure(block).items()
        }


def mean_kernel(kernel: Plummer, x: np.ndarray, y: np.ndarray) -> float:
    """(m, d), (k, d) -> mean of k(x_i, y_j) over all m·k pairs, in blocks of rows so that memory stays O(k)."""
    blocks = (kernel.kernel(cdist(x[i : i + ROWS], y, "sqeuclidean")).sum() for i in range(0, len(x), ROWS))
    return float(sum(blocks) / (len(x) * len(y)))

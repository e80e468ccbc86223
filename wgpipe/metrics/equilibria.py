"""Where the flow of charges comes to rest, by the dimension of its kernel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import numpy as np
from pydantic import Field, PositiveFloat, PositiveInt
from scipy.optimize import minimize
from scipy.spatial.distance import cdist

from wgpipe.data.ball import Ball
from wgpipe.methods.kernels import Plummer
from wgpipe.methods.particle_flow import ParticleFlow
from wgpipe.metrics import Metric
from wgpipe.metrics.field import SEPARATOR
from wgpipe.registry import register

if TYPE_CHECKING:
    from wgpipe.train.evaluate import TrainedBlock

RADII = np.geomspace(0.01, 100, 400)  # in units of ε
STENCIL = 1e-3  # of the differences of the kernel, in units of r


@register("equilibria", cites=("unterthiner2018",))
class Equilibria(Metric):
    """Is the kernel superharmonic, and does its flow end at the sample? For each D of `dimensions`.

    For `particle-flow` on a ball:

    - `laplacian:D`, the largest Δk(r) / |Δk(0)| over distances r from ε/100 to 100 ε, by differences of the kernel: not
      positive where it is superharmonic;
    - `stuck:D`, the share of the first `charges` points of the training sample that have no particle within ε, where as
      many particles, started as the method's own, come to rest: at a minimum of their kernel distance to these points,
      which the flow descends, and L-BFGS finds sooner;
    - `residual:D`, their root mean square velocity there, over that at the start: it tells whether they rest.

    ε is `epsilon` times the largest distance of these points to their mean.
    """

    dimensions: tuple[Annotated[float, Field(gt=2)], ...] = Field(
        (2.5, 3.0, 4.0, 5.0, 6.0), min_length=1, description="D of the kernels"
    )
    epsilon: PositiveFloat = Field(0.1, description="ε over the largest distance of the points to their mean")
    charges: PositiveInt = Field(24, description="points of the sample, and particles")
    iterations: PositiveInt = Field(3000, description="at most so many of L-BFGS")

    def measure(self, block: TrainedBlock) -> dict[str, tuple[np.ndarray, str]]:  # type: ignore[override]
        """Quantity -> ((E,) float64, protocol)."""
        method = block.method
        if not isinstance(method, ParticleFlow) or not isinstance(block.job.dataset, Ball):
            return {}
        samples = block.training_sample()[:, : self.charges]
        protocol = f"equilibria[charges={samples.shape[1]},epsilon={self.epsilon},iterations={self.iterations}]"
        columns: dict[str, np.ndarray] = {}
        for dimension in self.dimensions:
            ends = np.asarray([self._end(method, dimension, sample) for sample in samples])
            name = f"{SEPARATOR}{dimension:g}"
            columns[f"stuck{name}"], columns[f"residual{name}"] = ends.T
            columns[f"laplacian{name}"] = np.full(
                len(samples), largest_laplacian(Plummer(dimension=dimension), samples.shape[2])
            )
        return {name: (column, protocol) for name, column in columns.items()}

    def _end(self, method: ParticleFlow, dimension: float, sample: np.ndarray) -> tuple[float, float]:
        """Share of the sample without a particle, and how fast particles are compared with their start."""
        sample = sample - sample.mean(axis=0)
        epsilon = self.epsilon * float(np.linalg.norm(sample, axis=1).max())
        flow = method.model_copy(update={"dimension": dimension, "epsilon": epsilon, "particles": len(sample)})
        start = flow.start(sample)
        end = rest(flow, start, sample, self.iterations)
        speeds = [np.sqrt(np.square(flow.field(points, sample)[0]).mean()) for points in (start, end)]
        return float((cdist(sample, end).min(axis=1) > epsilon).mean()), float(speeds[1] / speeds[0])


def rest(flow: ParticleFlow, start: np.ndarray, sample: np.ndarray, iterations: int) -> np.ndarray:
    """(m, d), (n, d) -> (m, d) a minimum of the kernel distance between particles and sample, below the start."""
    unit = float(np.sqrt(np.square(flow.field(start, sample)[0]).mean()))

    def distance(flat: np.ndarray) -> tuple[float, np.ndarray]:
        particles = flat.reshape(start.shape)
        own, across = (flow.kernel(cdist(particles, other, "sqeuclidean")).mean() for other in (particles, sample))
        slope = -flow.field(particles, sample)[0].ravel() / len(start)
        return float(own / 2 - across) / unit, slope / unit

    options = {"maxiter": iterations, "maxfun": 2 * iterations, "gtol": 1e-10, "ftol": 0.0}
    return np.asarray(minimize(distance, start.ravel(), jac=True, method="L-BFGS-B", options=options).x).reshape(
        start.shape
    )


def largest_laplacian(kernel: Plummer, m: int) -> float:
    """Largest Δk / |Δk(0)| in R^m at distances between ε/100 and 100 ε, by five-point differences."""
    r = kernel.epsilon * RADII
    offsets = np.arange(-2, 3) * STENCIL
    values = np.stack([kernel.kernel(np.square(r * (1 + offset))) for offset in offsets])
    first = np.array([1, -8, 0, 8, -1]) @ values / (12 * STENCIL * r)
    second = np.array([-1, 16, -30, 16, -1]) @ values / (12 * (STENCIL * r) ** 2)
    laplacian = second + (m - 1) * first / r
    return float(laplacian.max() / np.abs(laplacian[0]))

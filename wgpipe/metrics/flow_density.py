"""How the density of particles changes along the exact flow of the Coulomb GAN's charges."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field, PositiveFloat, PositiveInt
from scipy.spatial import KDTree
from scipy.stats.qmc import Sobol

from wgpipe.data.ball import Ball
from wgpipe.data.planted import RADIUS
from wgpipe.data.sphere import Sphere
from wgpipe.methods.particle_flow import ParticleFlow
from wgpipe.metrics import Metric
from wgpipe.metrics.field import SEPARATOR
from wgpipe.registry import register
from wgpipe.theory.coulomb import NORMALISED, ball_density, decay_rate, logistic_rate

if TYPE_CHECKING:
    from wgpipe.train.evaluate import TrainedBlock


@register("flow_density", cites=("unterthiner2018",))
class FlowDensity(Metric):
    """Density p of a particle flow in R^3 along its trajectories, against dp/dt = p (q - p), q the data's density.

    For `particle-flow` on data in R^3 that are uniform on a ball, where q is constant, or on a sphere, which the flow
    does not feel inside, where q = 0. Particles, as many as the method has, start uniform on a concentric ball whose
    radius is `start` times the data's. They flow under the kernel (r² + ε²)^(-1/2), ε the least of `epsilons`, in units
    of that ball's radius; time is that of the normalised kernel. A particle's density over that at its start is
    1 / |det A|, A the affine map that fits best how its `neighbours` nearest particles have moved. Medians over the
    `core` particles nearest the centre:

    - `logistic_rate`, the rate of the logistic curve over q, on the ball, at the time `until_ball` / q;
      `decay_rate`, (1/p - 1/p(0)) / t, on the sphere, at the time `until_sphere` / p(0). Both are 1 as ε goes to 0;
    - `flow_time:k` and `flow_density:k`, at the start, k = 0, and at `snapshots` equidistant times up to then, in units
      of 1/q and q or, on the sphere, of 1/p(0) and p(0);
    - on the sphere `first_rate:ε`, (1/p - 1/p(0)) / t after one step, for each ε, at the `neighbours` particles nearest
      the centre.
    """

    epsilons: tuple[PositiveFloat, ...] = Field(
        (0.2, 0.5, 1.0, 2.0), min_length=1, description="ε of the kernels, in units of the radius at the start"
    )
    start: float = Field(0.5, gt=0, lt=1, description="radius at the start over that of the data")
    neighbours: PositiveInt = Field(24, description="particles by whose motion the density of one is told")
    core: PositiveInt = Field(256, description="particles whose density is told")
    snapshots: PositiveInt = Field(8, description="times at which it is told")
    until_ball: PositiveFloat = Field(0.5, description="last time on a ball, in units of 1/q")
    until_sphere: PositiveFloat = Field(3.0, description="last time inside a sphere, in units of 1/p(0)")

    def measure(self, block: TrainedBlock) -> dict[str, tuple[np.ndarray, str]]:  # type: ignore[override]
        """Quantity -> ((E,) float64, protocol)."""
        data, method = block.job.dataset, block.method
        solid = isinstance(data, Ball) and data.dimension == data.intrinsic == 3
        hollow = isinstance(data, Sphere) and data.dimension == data.intrinsic + 1 == 3
        if not isinstance(method, ParticleFlow) or not (solid or hollow):
            return {}
        q = ball_density(RADIUS) if solid else 0.0
        members = zip(block.training_sample(), block.streams("eval-flow"), strict=True)
        rows = [self._of_member(method, sample, q, stream) for sample, stream in members]
        settings = self.model_dump(exclude={"epsilons", "snapshots"}) | {"epsilon": min(self.epsilons)}
        told = ",".join(f"{name}={value}" for name, value in settings.items())
        protocol = f"flow_density[particles={method.particles},rate={method.rate},{told}]"
        return {name: (np.asarray([row[name] for row in rows]), protocol) for name in rows[0]}

    def _of_member(
        self, method: ParticleFlow, sample: np.ndarray, q: float, stream: np.random.Generator
    ) -> dict[str, float]:
        radius = self.start * RADIUS
        start = _ball(stream, method.particles, radius)
        core = np.argsort(np.square(start).sum(axis=1), kind="stable")[: self.core]
        nearest, p = KDTree(start).query(start[core], k=self.neighbours + 1)[1], ball_density(radius)
        flows = {
            epsilon: method.model_copy(update={"dimension": 3.0, "epsilon": epsilon * radius})
            for epsilon in self.epsilons
        }
        row: dict[str, float] = {}
        for epsilon, flow in flows.items() if not q else ():
            time, now = next(flow.flow(start, sample))
            rates = decay_rate(p, p / expansion(start, now, nearest[: self.neighbours]), NORMALISED * time)
            row[f"first_rate{SEPARATOR}{epsilon:g}"] = float(np.median(rates))
        unit = q or p
        row |= {f"flow_time{SEPARATOR}0": 0.0, f"flow_density{SEPARATOR}0": p / unit}
        wanted = np.arange(1, self.snapshots + 1) / self.snapshots * (self.until_ball if q else self.until_sphere)
        for place, (time, now) in enumerate(snapshots(flows[min(flows)], start, sample, wanted / unit), 1):
            density = p / expansion(start, now, nearest)
            row[f"flow_time{SEPARATOR}{place}"] = time * unit
            row[f"flow_density{SEPARATOR}{place}"] = float(np.median(density)) / unit
        rate = logistic_rate(p, density, q, time) if q else decay_rate(p, density, time)
        row["logistic_rate" if q else "decay_rate"] = float(np.median(rate))
        return row


def snapshots(
    flow: ParticleFlow, start: np.ndarray, sample: np.ndarray, times: np.ndarray
) -> list[tuple[float, np.ndarray]]:
    """Time of the normalised kernel and positions, after the first steps that reach each of these times."""
    steps = ((NORMALISED * time, particles) for time, particles in flow.flow(start, sample))
    found: list[tuple[float, np.ndarray]] = []
    while len(found) < len(times):
        now = next(steps)
        found += islice([now] * len(times), int((times <= now[0]).sum()) - len(found))
    return found


def expansion(start: np.ndarray, now: np.ndarray, nearest: np.ndarray) -> np.ndarray:
    """(m, d), (m, d), (c, k) -> (c,) |det A| of the affine maps that fit best how k particles have moved."""
    before, after = (each[nearest] - each[nearest].mean(axis=1, keepdims=True) for each in (start, now))
    maps = np.linalg.solve(before.mT @ before, before.mT @ after)
    return np.asarray(np.abs(np.linalg.det(maps)))


def _ball(stream: np.random.Generator, count: int, radius: float) -> np.ndarray:
    """(count, 3) evenly spread on a ball about the origin, by a scrambled Sobol sequence, so that p(0) has no grain."""
    share, height, turn = Sobol(3, rng=stream).random_base2(int(np.ceil(np.log2(count))))[:count].T
    z = 2 * height - 1
    flat, angle = np.sqrt(1 - z**2), 2 * np.pi * turn
    points = np.stack([flat * np.cos(angle), flat * np.sin(angle), z], axis=1)
    return np.asarray(radius * share[:, None] ** (1 / 3) * points)

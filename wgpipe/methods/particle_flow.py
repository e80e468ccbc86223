"""Control: particles that follow the exact field of the Coulomb GAN's charges."""

from __future__ import annotations

import hashlib
import itertools
from collections import deque
from collections.abc import Iterator, Mapping

import numpy as np
from pydantic import Field, PositiveFloat, PositiveInt

from wgpipe.data import Arrays, Dataset
from wgpipe.methods import Control
from wgpipe.methods.kernels import Plummer
from wgpipe.registry import register
from wgpipe.rng import stream as random_stream

ROWS = 64  # particles whose distances are held at once: they fit a core's cache


@register("particle-flow", cites=("unterthiner2018",))
class ParticleFlow(Plummer, Control):
    """dx/dt = -grad pot(x), pot(a) = mean_j k(x_j, a) - mean_j k(y_j, a), of particles x and the sample y.

    What a Coulomb GAN would be with a generator that can move its points at will and a critic that has learned the
    potential exactly (Unterthiner et al. 2018): its ceiling. Particles start as a normal cloud about the
    sample's mean, `spread` times as wide as the sample is, root mean square over coordinates. Each of `steps` explicit
    Euler steps lasts `rate` times the shortest relaxation time among the particles: the reciprocal of the largest
    (D - 2) mean_j (|x - z_j|² + ε²)^(-D/2), over particles and sample as z, which bounds the stiffness of the field.
    """

    particles: PositiveInt = Field(1024, description="how many there are")
    spread: PositiveFloat = Field(1.0, description="width of their start over that of the sample")
    steps: PositiveInt = Field(500, description="of Euler's method")
    rate: PositiveFloat = Field(1.0, description="length of a step in shortest relaxation times")

    def fit(self, sample: np.ndarray) -> dict[str, np.ndarray]:
        """`particles` (particles, d) at the end, and `time`, how long they have moved; a function of the sample."""
        sample = np.ascontiguousarray(sample, dtype=np.float64)
        centre = sample.mean(axis=0)
        points = sample - centre
        ((time, particles),) = deque(itertools.islice(self.flow(self.start(sample), points), self.steps), maxlen=1)
        return {"particles": particles + centre, "time": np.asarray(time)}

    def start(self, sample: np.ndarray) -> np.ndarray:
        """(n, d) -> (particles, d) where particles start, relative to the sample's mean."""
        stream = random_stream("particle-flow", hashlib.sha256(sample.tobytes()).hexdigest())
        width = float(self.spread * np.sqrt(np.square(sample - sample.mean(axis=0)).mean()))
        return width * stream.standard_normal((self.particles, sample.shape[1]))

    def flow(self, particles: np.ndarray, sample: np.ndarray) -> Iterator[tuple[float, np.ndarray]]:
        """(m, d), (n, d) -> time and (m, d) positions after each Euler step, without end."""
        time = 0.0
        while True:
            velocity, stiffness = self.field(particles, sample)
            step = self.rate / stiffness
            particles = particles + step * velocity
            time += step
            yield time, particles

    def field(self, particles: np.ndarray, sample: np.ndarray) -> tuple[np.ndarray, float]:
        """(m, d), (n, d) -> (m, d) velocities of the particles, and the largest stiffness, in 1 / time."""
        charges = np.concatenate([particles, sample])
        shares = np.repeat([1 / len(particles), 1 / len(sample)], [len(particles), len(sample)])
        signs = np.repeat([1.0, -1.0], [len(particles), len(sample)])
        weighted = shares[:, None] * np.column_stack([charges, np.ones(len(charges))])
        products = np.column_stack([weighted * signs[:, None], shares])
        heights = np.square(charges).sum(axis=1) + self.epsilon**2
        lifted = np.column_stack([-2 * charges, heights, np.ones(len(charges))])
        blocks = [self._sums(particles[i : i + ROWS], lifted, products) for i in range(0, len(particles), ROWS)]
        sums = (self.dimension - 2) * np.concatenate(blocks)
        return particles * sums[:, -2:-1] - sums[:, :-2], float(sums[:, -1].max())

    def _sums(self, at: np.ndarray, lifted: np.ndarray, products: np.ndarray) -> np.ndarray:
        """(b, d), (c, d + 2), (c, k) -> (b, k): sums over the charges z_j of (|x - z_j|² + ε²)^(-D/2) products_j."""
        squared = np.column_stack([at, np.ones(len(at)), np.square(at).sum(axis=1)]) @ lifted.T
        np.maximum(squared, self.epsilon**2, out=squared)
        return np.asarray(np.power(squared, -self.dimension / 2, out=squared) @ products)

    def draw(
        self,
        state: Mapping[str, np.ndarray],
        dataset: Dataset,
        arrays: Arrays,
        stream: np.random.Generator,
        count: int,
    ) -> np.ndarray:
        """Particles without replacement, as far as there are enough; else with."""
        particles = state["particles"]
        return stream.choice(particles, count, replace=count > len(particles))

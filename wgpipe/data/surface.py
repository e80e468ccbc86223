"""The uniform law on a smooth curved surface, with respect to its own area."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from wgpipe import rng
from wgpipe.data import Arrays
from wgpipe.data.planted import CHUNK, RADIUS, Planted
from wgpipe.registry import register

HEIGHT_SQUARED = 0.5  # sum of the squared amplitudes a_j, whatever d is
FREQUENCIES = (1.0, 2.0)  # range of |w_j|


@register("surface")
class Surface(Planted):
    """x = (u, g(u)) with u in [-1, 1]^{d*} and g_j(u) = a_j sin(w_j·u + φ_j), j = 1 … d - d*.

    Amplitudes are between equal and a ratio of 2, directions of w_j uniform, lengths and phases uniform. The squared
    distance of two points is at most 4 d* + 4 Σ a_j², so the scale RADIUS / sqrt(d* + Σ a_j²) bounds the half-diameter
    by RADIUS. g is centred at its mean over uniform u, which is sin(φ_j) Π_i sin(w_ji)/w_ji.
    """

    shape: ClassVar[str] = "smooth surface"
    accepted: ClassVar[str] = "surface-<d*>in<d> with d > d*"

    @classmethod
    def smallest_dimension(cls, intrinsic: int) -> int:
        """d >= d* + 1."""
        return intrinsic + 1

    def title(self) -> str:
        """One line: the law, the space, the scale."""
        return super().title().replace("half-diameter", "half-diameter at most")

    def own_dimension(self) -> int:
        """As many coordinates as R^d has."""
        return self.dimension

    @property
    def scale(self) -> float:
        """Length of a unit of u in the data."""
        return float(RADIUS / np.sqrt(self.intrinsic + HEIGHT_SQUARED))

    def prepare(self, files: object) -> dict[str, np.ndarray]:
        """`embedding` (d, d), `amplitudes` a (d - d*,), `frequencies` w (d - d*, d*), `phases` φ (d - d*,)."""
        stream = rng.stream("dataset", self.name)
        curves = self.dimension - self.intrinsic
        amplitudes = stream.uniform(0.5, 1, size=curves)
        directions = stream.standard_normal((curves, self.intrinsic))
        directions /= np.linalg.norm(directions, axis=1, keepdims=True)
        return {
            **super().prepare(files),
            "amplitudes": amplitudes * np.sqrt(HEIGHT_SQUARED / np.square(amplitudes).sum()),
            "frequencies": directions * stream.uniform(*FREQUENCIES, size=(curves, 1)),
            "phases": stream.uniform(0, 2 * np.pi, size=curves),
        }

    def points(self, arrays: Arrays, stream: np.random.Generator) -> np.ndarray:
        """(at most CHUNK, d) points: of CHUNK uniform u, each is kept with probability area element / its bound."""
        u = stream.uniform(-1, 1, size=(CHUNK, self.intrinsic))
        kept = stream.uniform(0, area_bound(arrays), size=CHUNK) < area_element(arrays, u)
        return self.scale * graph(arrays, u[kept])


def graph(arrays: Arrays, u: np.ndarray) -> np.ndarray:
    """(m, d*) parameters -> (m, d) points (u, g(u) - mean), before scaling."""
    frequencies, phases = arrays["frequencies"], arrays["phases"]
    mean = np.sin(phases) * np.sinc(frequencies / np.pi).prod(axis=1)
    heights = arrays["amplitudes"] * (np.sin(u @ frequencies.T + phases) - mean)
    return np.concatenate([u, heights], axis=1)


def area_element(arrays: Arrays, u: np.ndarray) -> np.ndarray:
    """(m, d*) -> (m,): sqrt(det(I + J^T J)), where the rows of J are a_j cos(w_j·u + φ_j) w_j."""
    return _area(arrays, arrays["amplitudes"] * np.cos(u @ arrays["frequencies"].T + arrays["phases"]))


def area_bound(arrays: Arrays) -> float:
    """An upper bound of the area element: cos² <= 1, and det(I + ·) grows with the order of symmetric matrices."""
    return float(_area(arrays, arrays["amplitudes"][None])[0])


def _area(arrays: Arrays, slopes: np.ndarray) -> np.ndarray:
    """(m, d - d*) slopes s -> (m,): sqrt(det(I + Σ_j s_j² w_j w_j^T))."""
    frequencies = arrays["frequencies"]
    curves, intrinsic = frequencies.shape
    outer = (frequencies[:, :, None] * frequencies[:, None, :]).reshape(curves, -1)
    metric = np.eye(intrinsic) + (np.square(slopes) @ outer).reshape(-1, intrinsic, intrinsic)
    return np.asarray(np.sqrt(np.linalg.det(metric)))

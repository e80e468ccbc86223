"""The uniform law on a sphere."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from wgpipe.data import Arrays
from wgpipe.data.planted import CHUNK, RADIUS, Planted
from wgpipe.registry import register


@register("sphere")
class Sphere(Planted):
    """The sphere S^{d*} of radius RADIUS in R^{d*+1}."""

    shape: ClassVar[str] = "sphere"
    accepted: ClassVar[str] = "sphere-<d*>in<d> with d > d*"

    @classmethod
    def smallest_dimension(cls, intrinsic: int) -> int:
        """d >= d* + 1."""
        return intrinsic + 1

    def points(self, arrays: Arrays, stream: np.random.Generator) -> np.ndarray:
        """(CHUNK, d* + 1): normal vectors scaled to the norm RADIUS."""
        normal = stream.standard_normal((CHUNK, self.intrinsic + 1))
        return np.asarray(RADIUS * normal / np.linalg.norm(normal, axis=1, keepdims=True))

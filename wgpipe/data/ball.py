"""The uniform law on a ball."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from wgpipe.data import Arrays
from wgpipe.data.planted import CHUNK, RADIUS, Planted
from wgpipe.registry import register


@register("ball")
class Ball(Planted):
    """The ball of radius RADIUS in R^{d*}."""

    shape: ClassVar[str] = "ball"
    accepted: ClassVar[str] = "ball-<d*>in<d> with d >= d*"

    @classmethod
    def smallest_dimension(cls, intrinsic: int) -> int:
        """d >= d*."""
        return intrinsic

    def points(self, arrays: Arrays, stream: np.random.Generator) -> np.ndarray:
        """(CHUNK, d*): normal directions, radii RADIUS u^(1/d*) with u uniform."""
        normal = stream.standard_normal((CHUNK, self.intrinsic))
        radii = RADIUS * stream.random((CHUNK, 1)) ** (1 / self.intrinsic)
        return np.asarray(radii * normal / np.linalg.norm(normal, axis=1, keepdims=True))

"""The uniform law on a cube."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from wgpipe.data import Arrays
from wgpipe.data.planted import CHUNK, RADIUS, Planted
from wgpipe.registry import register


@register("cube")
class Cube(Planted):
    """[0, 1]^{d*}, centred and scaled to the side 2·RADIUS/sqrt(d*), so its diagonal is 2·RADIUS."""

    shape: ClassVar[str] = "cube"
    accepted: ClassVar[str] = "cube-<d*>in<d> with d >= d*"

    @classmethod
    def smallest_dimension(cls, intrinsic: int) -> int:
        """d >= d*."""
        return intrinsic

    def points(self, arrays: Arrays, stream: np.random.Generator) -> np.ndarray:
        """(CHUNK, d*) points of the centred cube."""
        half = RADIUS / np.sqrt(self.intrinsic)
        return stream.uniform(-half, half, size=(CHUNK, self.intrinsic))

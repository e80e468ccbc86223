"""The uniform law on a flat torus."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from wgpipe.data import Arrays
from wgpipe.data.planted import CHUNK, RADIUS, Planted
from wgpipe.registry import register


@register("torus")
class Torus(Planted):
    """The product of d* circles of radius RADIUS/sqrt(d*): opposite points are 2·RADIUS apart."""

    shape: ClassVar[str] = "torus"
    accepted: ClassVar[str] = "torus-<d*>in<d> with d >= 2 d*"

    @classmethod
    def smallest_dimension(cls, intrinsic: int) -> int:
        """d >= 2 d*: a plane for each circle."""
        return 2 * intrinsic

    def points(self, arrays: Arrays, stream: np.random.Generator) -> np.ndarray:
        """(CHUNK, 2 d*): the cosines of all circles, then their sines."""
        angles = stream.uniform(0, 2 * np.pi, size=(CHUNK, self.intrinsic))
        return float(RADIUS / np.sqrt(self.intrinsic)) * np.concatenate([np.cos(angles), np.sin(angles)], axis=1)

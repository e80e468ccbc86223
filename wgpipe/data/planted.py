"""Planted distributions: a shape of known intrinsic dimension d*, turned into R^d by a fixed orthonormal matrix.

All of them have half-diameter `RADIUS` (cube, torus and sphere exactly, surface at most) whatever d* and d are, so that
their Wasserstein distances can be compared, and their centre lies near the origin.
"""

from __future__ import annotations

import re
from typing import ClassVar, Self

import numpy as np
from pydantic import PositiveInt

from wgpipe import rng
from wgpipe.data import Arrays, Card, Dataset
from wgpipe.errors import UserError

RADIUS = 1.5
CHUNK = 1024
LARGEST = 100_000  # dimensions: an embedding of more fills the memory
NAME = re.compile(r"(?P<family>\w+)-(?P<intrinsic>[1-9]\d*)in(?P<dimension>[1-9]\d*)", re.ASCII)


class DoesNotFitError(UserError):
    """A well-formed name of a shape that cannot exist, such as a sphere of dimension 2 in R^2: excluded from a grid."""


class Planted(Dataset):
    """A family of shapes; `points` samples one in its own coordinates, `embedding` (d, k) turns these into R^d."""

    shape: ClassVar[str]  # for titles and errors: "sphere"

    intrinsic: PositiveInt
    dimension: PositiveInt

    @classmethod
    def smallest_dimension(cls, intrinsic: int) -> int:
        """The least d that this shape of dimension d* fits into."""
        raise NotImplementedError

    @classmethod
    def from_name(cls, name: str) -> Self:
        """`sphere-2in8` -> d* = 2, d = 8. `UserError` if malformed, `DoesNotFitError` if d is too small for d*."""
        match = NAME.fullmatch(name)
        if match is None or match["family"] != cls.registered_name:
            raise UserError(f"dataset '{name}' is unknown; accepted: {cls.accepted}.")
        intrinsic, dimension = int(match["intrinsic"]), int(match["dimension"])
        if dimension > LARGEST:
            raise UserError(f"dataset '{name}' is too large; accepted: dimensions up to {LARGEST}.")
        smallest = cls.smallest_dimension(intrinsic)
        if dimension < smallest:
            reason = f"a {cls.shape} of dimension {intrinsic} needs d > {smallest - 1}"
            raise DoesNotFitError(f"dataset '{name}' does not exist: {reason}.")
        return cls(name=name, intrinsic=intrinsic, dimension=dimension)

    def card(self) -> Card:
        """Facts: exact sampler, so no sizes; `radius` is the half-diameter that the title speaks of."""
        return Card(
            name=self.name,
            title=self.title(),
            dimension=self.dimension,
            intrinsic=self.intrinsic,
            latent=self.intrinsic,
            train_size=None,
            test_size=None,
            radius=RADIUS,
            source=f"exact sampler, wgpipe/data/{self.registered_name}.py",
            licence="MIT",
            cites=self.cites,
        )

    def title(self) -> str:
        """One line: the law, the space, the scale."""
        where = f"a {self.shape} of dimension {self.intrinsic} in R^{self.dimension}"
        return f"uniform on {where}, half-diameter {RADIUS}"

    def own_dimension(self) -> int:
        """k, the number of the shape's own coordinates; here the least d that it fits into."""
        return self.smallest_dimension(self.intrinsic)

    def prepare(self, files: object) -> dict[str, np.ndarray]:
        """`embedding` (d, k) with orthonormal columns, a function of the name."""
        stream = rng.stream("dataset", self.name, "embedding")
        return {"embedding": orthonormal(stream, self.dimension, self.own_dimension())}

    def points(self, arrays: Arrays, stream: np.random.Generator) -> np.ndarray:
        """(at most CHUNK, k) independent draws in the shape's own coordinates."""
        raise NotImplementedError

    def draw(self, arrays: Arrays, stream: np.random.Generator, count: int) -> np.ndarray:
        """(count, d) float64. Whole chunks are drawn and turned, then cut, so a row never depends on `count`."""
        chunks = [np.empty((0, self.dimension))]
        missing = count
        while missing > 0:
            chunk = self.points(arrays, stream.spawn(1)[0]) @ arrays["embedding"].T
            chunks.append(chunk[:missing])
            missing -= len(chunk)
        return np.concatenate(chunks)


def orthonormal(stream: np.random.Generator, rows: int, columns: int) -> np.ndarray:
    """(rows, columns) matrix with orthonormal columns, rows >= columns, of Haar's law (Mezzadri 2007)."""
    q, r = np.linalg.qr(stream.standard_normal((rows, columns)))
    return np.asarray(q * np.sign(np.diagonal(r)))

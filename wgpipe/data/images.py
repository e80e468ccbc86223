"""Colour images: prepared as bytes, an eighth of what float64 takes, and converted when points are drawn."""

from __future__ import annotations

import math
from typing import Any, ClassVar, Self

import numpy as np

from wgpipe.data import Arrays, Card, FiniteDataset
from wgpipe.errors import UserError

LATENT = 32  # of the Coulomb GAN on images (Unterthiner et al. 2018)


class ImageDataset(FiniteDataset):
    """Images of one shape (channels, height, width). A row is one of them, flattened in this order.

    `train` and `test` are uint8 in data.npz; points are these bytes, mapped linearly from [0, 255] to [-1, 1].
    """

    shape: ClassVar[tuple[int, int, int]]

    @classmethod
    def from_name(cls, name: str) -> Self:
        """The family and its size, such as `cifar10-32x32`; `UserError` for any other."""
        if name != f"{cls.registered_name}-{cls.size()}":
            raise UserError(f"dataset '{name}' is unknown; accepted: {cls.accepted}.")
        return cls(name=name)

    @classmethod
    def size(cls) -> str:
        """`32x32`: height and width."""
        return f"{cls.shape[1]}x{cls.shape[2]}"

    def points(self, rows: np.ndarray) -> np.ndarray:
        """uint8 -> float64 in [-1, 1]."""
        values = rows.astype(np.float64)
        values /= 127.5
        values -= 1
        return values

    def training_rows(self, arrays: Arrays, stream: np.random.Generator, n: int) -> np.ndarray:
        """Bytes."""
        return self.rows(arrays["train"], stream, n)

    def image_card(self, **facts: Any) -> Card:
        """A card with what follows from the shape. `radius` is that of the cube [-1, 1]^d, an upper bound."""
        dimension = math.prod(self.shape)
        return Card(
            name=self.name,
            dimension=dimension,
            intrinsic=None,
            latent=LATENT,
            radius=dimension**0.5,
            cites=self.cites,
            shape=self.shape,
            **facts,
        )

"""The standard normal law."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
from pydantic import PositiveInt

from wgpipe.data import Arrays, Card, Dataset
from wgpipe.errors import UserError
from wgpipe.registry import register

NAME = re.compile(r"gaussian-([1-9]\d*)", re.ASCII)


@register("gaussian")
class Gaussian(Dataset):
    """N(0, I) in R^d."""

    accepted: ClassVar[str] = "gaussian-<d>"

    dimension: PositiveInt

    @classmethod
    def from_name(cls, name: str) -> Self:
        """`gaussian-8` -> d = 8; `UserError` if malformed."""
        match = NAME.fullmatch(name)
        if match is None:
            raise UserError(f"dataset '{name}' is unknown; accepted: {cls.accepted}.")
        return cls(name=name, dimension=int(match[1]))

    def card(self) -> Card:
        """Facts; the support is all of R^d."""
        return Card(
            name=self.name,
            title=f"standard normal in R^{self.dimension}",
            dimension=self.dimension,
            intrinsic=self.dimension,
            latent=self.dimension,
            train_size=None,
            test_size=None,
            radius=None,
            source="exact sampler, wgpipe/data/gaussian.py",
            licence="MIT",
            cites=self.cites,
        )

    def prepare(self, files: Mapping[str, Path]) -> dict[str, np.ndarray]:
        """Nothing is needed."""
        return {}

    def draw(self, arrays: Arrays, stream: np.random.Generator, count: int) -> np.ndarray:
        """(count, d) float64."""
        return stream.standard_normal((count, self.dimension))

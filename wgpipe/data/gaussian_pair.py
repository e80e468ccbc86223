"""Two Gaussians."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Literal, Self

import numpy as np
from pydantic import PositiveInt

from wgpipe import rng
from wgpipe.data import Arrays, Card
from wgpipe.data.blockwise import blockwise
from wgpipe.data.pairs import MappedPair
from wgpipe.data.planted import orthonormal
from wgpipe.errors import UserError
from wgpipe.registry import register

NAME = re.compile(r"gaussian_pair-([1-9]\d*)", re.ASCII)


@register("gaussian_pair", cites=("dowson1982",))
class GaussianPair(MappedPair):
    """N(m, S) and N(m', S') in R^d with the optimal map T(x) = m' + A(x - m), A symmetric positive, S' = A S A.

    Means are standard normal; S has eigenvalues between ¼ and 4 and A between ½ and 2, log-uniform, in random bases.
    """

    accepted: ClassVar[str] = "gaussian_pair-<d>"
    cost: ClassVar[Literal[1, 2]] = 2

    dimension: PositiveInt

    @classmethod
    def from_name(cls, name: str) -> Self:
        """`gaussian_pair-8` -> d = 8; `UserError` if malformed."""
        match = NAME.fullmatch(name)
        if match is None:
            raise UserError(f"dataset '{name}' is unknown; accepted: {cls.accepted}.")
        return cls(name=name, dimension=int(match[1]))

    def card(self) -> Card:
        """Facts; the support is all of R^d."""
        return Card(
            name=self.name,
            title=f"two Gaussians in R^{self.dimension}",
            dimension=self.dimension,
            intrinsic=self.dimension,
            latent=self.dimension,
            train_size=None,
            test_size=None,
            radius=None,
            source="exact sampler, wgpipe/data/gaussian_pair.py",
            licence="MIT",
            cites=self.cites,
        )

    def prepare(self, files: Mapping[str, Path]) -> dict[str, np.ndarray]:
        """`source_mean`, `target_mean` (d,); `source_root` S^½, `map` A and both `_covariance` (d, d); `distance`.

        The distance is ½|m - m'|² + ½tr((I - A) S (I - A)), half the squared Bures–Wasserstein distance.
        """
        means, root, turn = rng.stream("dataset", self.name).spawn(3)
        source_mean, target_mean = means.standard_normal((2, self.dimension))
        source_root = _positive(root, self.dimension)
        turned = _positive(turn, self.dimension)
        covariance = source_root @ source_root
        moved = (np.eye(self.dimension) - turned) @ source_root
        return {
            "source_mean": source_mean,
            "target_mean": target_mean,
            "source_root": source_root,
            "map": turned,
            "source_covariance": covariance,
            "target_covariance": turned @ covariance @ turned,
            "distance": np.array((np.sum((source_mean - target_mean) ** 2) + np.sum(moved**2)) / 2),
        }

    def sample_source(self, arrays: Arrays, stream: np.random.Generator, count: int) -> np.ndarray:
        """(count, d) float64 draws of N(m, S)."""
        normal = stream.standard_normal((count, self.dimension))
        return blockwise(lambda z: arrays["source_mean"] + z @ arrays["source_root"], normal)

    def image(self, arrays: Arrays, source: np.ndarray) -> np.ndarray:
        """(m, d) -> (m, d): T."""
        return blockwise(lambda x: arrays["target_mean"] + (x - arrays["source_mean"]) @ arrays["map"], source)


def _positive(stream: np.random.Generator, dimension: int) -> np.ndarray:
    """(d, d) symmetric, eigenvalues between ½ and 2."""
    basis = orthonormal(stream, dimension, dimension)
    product = (basis * 2 ** stream.uniform(-1, 1, dimension)) @ basis.T
    return np.asarray((product + product.T) / 2)

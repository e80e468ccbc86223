"""Pairs (P, ∇ψ#P): a mixture of Gaussians and its image under the gradient of a convex potential, an optimal map.

P has three components with centres c_k and factors M_k: x = c_k + 0.4·M_k z, z ~ N(0, I), with mean 0 and mean
coordinate variance 1. The map is T(x) = (Σ ∇ψ(x) - mean)/deviation, so that T#P has the same two moments.

Source: Korotin et al. 2021, arXiv 2106.01954, Section 4.1 (Mix3toMix10).
"""

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
from wgpipe.data.convex_network import gradient
from wgpipe.data.pairs import MappedPair
from wgpipe.errors import UserError

COMPONENTS = 3
WIDTH = 0.4
NAME = re.compile(r"(?P<family>\w+)-(?P<dimension>[1-9]\d*)", re.ASCII)


class ConvexPair(MappedPair):
    """A pair whose optimal map is the gradient of a sum of input-convex networks (`convex_network`)."""

    cost: ClassVar[Literal[1, 2]] = 2

    dimension: PositiveInt

    @classmethod
    def from_name(cls, name: str) -> Self:
        """`icnn_pair-8` -> D = 8; `UserError` if malformed."""
        match = NAME.fullmatch(name)
        if match is None or match["family"] != cls.registered_name:
            raise UserError(f"dataset '{name}' is unknown; accepted: {cls.accepted}.")
        return cls(name=name, dimension=int(match["dimension"]))

    def title(self) -> str:
        """One line: whose potentials."""
        raise NotImplementedError

    def origin(self) -> str:
        """Where the potentials come from."""
        return f"exact sampler, wgpipe/data/{self.registered_name}.py"

    def card(self) -> Card:
        """Facts; the support is all of R^D."""
        return Card(
            name=self.name,
            title=self.title(),
            dimension=self.dimension,
            intrinsic=self.dimension,
            latent=self.dimension,
            train_size=None,
            test_size=None,
            radius=None,
            source=self.origin(),
            licence="MIT",
            cites=self.cites,
        )

    def mixture(self) -> dict[str, np.ndarray]:
        """`centres` (3, D) and `factors` (3, D, D) of the source."""
        raise NotImplementedError

    def networks(self, files: Mapping[str, Path], mixture: Arrays) -> dict[str, np.ndarray]:
        """The arrays of `convex_network`."""
        raise NotImplementedError

    def prepare(self, files: Mapping[str, Path]) -> dict[str, np.ndarray]:
        """Mixture and networks; `mean` (D,) and `deviation` of Σ ∇ψ; `distance`, its `standard_error`.

        The last four are estimated once, from many source points.
        """
        mixture = self.mixture()
        networks = self.networks(files, mixture)
        count = max(2**14, 2**19 // max(self.dimension, 8))
        source = draw_mixture(mixture, rng.stream("dataset", self.name, "moments"), count)
        pushed = blockwise(lambda points: gradient(networks, points), source)
        mean, deviation = pushed.mean(axis=0), np.sqrt(pushed.var(axis=0).mean())
        costs = np.sum((source - (pushed - mean) / deviation) ** 2, axis=1) / 2
        return {
            **mixture,
            **networks,
            "mean": mean,
            "deviation": np.array(deviation),
            "distance": np.array(costs.mean()),
            "standard_error": np.array(costs.std() / np.sqrt(count)),
        }

    def sample_source(self, arrays: Arrays, stream: np.random.Generator, count: int) -> np.ndarray:
        """(count, D) float64 draws of the mixture."""
        return draw_mixture(arrays, stream, count)

    def image(self, arrays: Arrays, source: np.ndarray) -> np.ndarray:
        """(m, D) -> (m, D): T."""
        pushed = blockwise(lambda points: gradient(arrays, points), source)
        return np.asarray((pushed - arrays["mean"]) / arrays["deviation"])


def normalised(centres: np.ndarray, factors: np.ndarray) -> dict[str, np.ndarray]:
    """(3, D), (3, D, D) -> the mixture scaled to mean coordinate variance 1, rows of the factors being unit vectors."""
    factors = factors / np.linalg.norm(factors, axis=2, keepdims=True)
    dimension = centres.shape[1]
    scale = np.sqrt((np.sum(centres**2, axis=1).mean() + WIDTH**2 * dimension) / dimension)
    return {"centres": centres / scale, "factors": factors / scale}


def draw_mixture(arrays: Arrays, stream: np.random.Generator, count: int) -> np.ndarray:
    """(count, D) float64 draws of P."""
    components, noise = stream.spawn(2)
    chosen = components.integers(COMPONENTS, size=count)
    normal = noise.standard_normal((count, arrays["centres"].shape[1]))

    def place(k: np.ndarray, z: np.ndarray) -> np.ndarray:
        turned = np.matmul(z, arrays["factors"].transpose(0, 2, 1))
        return np.asarray(arrays["centres"][k] + WIDTH * turned[k, np.arange(len(z))])

    return blockwise(place, chosen, normal)

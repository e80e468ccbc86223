"""Funnels: a law and the uniform law on a box, between which W1, its potential and an optimal coupling are exact.

u(x) = min_k(|x - a_k| + b_k) parts the box [-2.5, 2.5]^D into cells, each star-shaped around its centre a_k. Points of
the uniform law Q move along the ray from their centre, r -> R·(r/R)^8, where R is the length of the ray inside its cell
and the box. That gives P. As u falls by |x - y| on the way from x to y, f = -u is a Kantorovich potential.

Source: Korotin, Kolesov & Burnaev 2022, arXiv 2206.07767, Section 4.
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
from wgpipe.data.pairs import Coupling, PairDataset
from wgpipe.errors import UserError

BOX = 2.5
POWER = 8
NAME = re.compile(r"(?P<family>\w+)-(?P<count>[1-9]\d*)in(?P<dimension>[1-9]\d*)", re.ASCII)


class FunnelPair(PairDataset):
    """Source Q = U[-2.5, 2.5]^D, target P = Q moved towards the centres of its funnels."""

    cost: ClassVar[Literal[1, 2]] = 1

    count: PositiveInt
    dimension: PositiveInt

    @classmethod
    def from_name(cls, name: str) -> Self:
        """`funnels-4in8` -> 4 funnels, D = 8; `UserError` if malformed."""
        match = NAME.fullmatch(name)
        if match is None or match["family"] != cls.registered_name:
            raise UserError(f"dataset '{name}' is unknown; accepted: {cls.accepted}.")
        return cls(name=name, count=int(match["count"]), dimension=int(match["dimension"]))

    def origin(self) -> str:
        """Where the funnels come from."""
        return f"exact sampler, wgpipe/data/{self.registered_name}.py"

    def card(self) -> Card:
        """Facts; the support of both laws is the box."""
        return Card(
            name=self.name,
            title=f"{self.count} funnels in R^{self.dimension}: W1 from the uniform law on a box is known",
            dimension=self.dimension,
            intrinsic=self.dimension,
            latent=self.dimension,
            train_size=None,
            test_size=None,
            radius=BOX * self.dimension**0.5,
            source=self.origin(),
            licence="MIT",
            cites=self.cites,
        )

    def funnels(self, files: Mapping[str, Path]) -> dict[str, np.ndarray]:
        """`centres` a (k, D) inside the box and `offsets` b (k,)."""
        raise NotImplementedError

    def prepare(self, files: Mapping[str, Path]) -> dict[str, np.ndarray]:
        """The funnels; `distance` and its `standard_error`.

        A uniform point of a ray of length R has moved by R·(D/(D+1) - D/(D+8)) on average, so that W1 is the mean of
        this number over uniform points.
        """
        funnels = self.funnels(files)
        count = int(np.clip(2**21 // max(self.count, self.dimension), 2**15, 2**18))
        source = uniform(rng.stream("dataset", self.name, "distance"), count, self.dimension)
        lengths = blockwise(lambda points: rays(funnels, points)[2], source)
        moves = lengths * (self.dimension / (self.dimension + 1) - self.dimension / (self.dimension + POWER))
        return {
            **funnels,
            "distance": np.array(moves.mean()),
            "standard_error": np.array(moves.std() / np.sqrt(count)),
        }

    def draw(self, arrays: Arrays, stream: np.random.Generator, count: int) -> np.ndarray:
        """(count, D) float64 draws of P."""
        return self.coupled(arrays, stream, count).target

    def draw_source(self, arrays: Arrays, stream: np.random.Generator, count: int) -> np.ndarray:
        """(count, D) float64 draws of Q, independent of `draw` even on an equal stream."""
        return uniform(stream.spawn(2)[1], count, self.dimension)

    def coupled(self, arrays: Arrays, stream: np.random.Generator, count: int) -> Coupling:
        """Uniform points, where they move to, and the direction towards the centre."""
        source = uniform(stream.spawn(2)[0], count, self.dimension)
        moved = blockwise(lambda points: _moved(arrays, points), source)
        return Coupling(source=source, target=moved[:, 0], direction=moved[:, 1])

    def transport(self, arrays: Arrays, source: np.ndarray) -> np.ndarray | None:
        """(m, D) -> (m, D), for points of the box."""
        return blockwise(lambda points: _moved(arrays, points)[:, 0], source)

    def potential(self, arrays: Arrays, points: np.ndarray) -> np.ndarray:
        """(m, D) -> (m,): f = -u, which attains E f(target) - E f(source) = W1."""

        def minus_u(block: np.ndarray) -> np.ndarray:
            own, radius = _cells(arrays, block)
            return np.asarray(-radius - arrays["offsets"][own])

        return blockwise(minus_u, points)


def uniform(stream: np.random.Generator, count: int, dimension: int) -> np.ndarray:
    """(count, D) points of the box."""
    return stream.uniform(-BOX, BOX, (count, dimension))


def rays(funnels: Arrays, points: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """(m, D) points x = a + r·e of the box -> centres a (m, D), directions e (m, D), lengths R (m,), radii r (m,).

    Funnel j takes over where |a + R·e - a_j| + b_j = R + b, which is linear in 1/R: with d = a - a_j and c = b - b_j,
    1/R = 2(c - e·d) / (|d|² - c²), and nowhere if c <= e·d. The ray meets the wall x_i = 2.5 at
    1/R = e_i / (2.5 - a_i). At a centre itself any e would do: the first axis is taken.
    """
    centres, offsets = funnels["centres"], funnels["offsets"]
    own, radius = _cells(funnels, points)
    centre = centres[own]
    direction = (points - centre) / np.where(radius > 0, radius, 1)[:, None]
    direction[radius == 0, 0] = 1

    apart = np.sum((centres[:, None] - centres) ** 2, axis=2) - (offsets[:, None] - offsets) ** 2
    rates = np.divide(2, apart, out=np.zeros_like(apart), where=apart > 0)
    along = direction @ centres.T - offsets
    takeover = np.max((along - along[np.arange(len(own)), own][:, None]) * rates[own], axis=1)
    wall = np.maximum(direction / (BOX - centre), -direction / (BOX + centre)).max(axis=1)
    return centre, direction, 1 / np.maximum(takeover, wall), radius


def _cells(funnels: Arrays, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(m, D) -> the k of the cell of each point (m,), and its distance from the centre (m,)."""
    centres = funnels["centres"]
    squares = np.sum(points**2, axis=1)[:, None] - 2 * points @ centres.T + np.sum(centres**2, axis=1)
    own = np.argmin(np.sqrt(squares.clip(min=0)) + funnels["offsets"], axis=1)
    return own, np.linalg.norm(points - centres[own], axis=1)


def _moved(funnels: Arrays, points: np.ndarray) -> np.ndarray:
    """(m, D) -> (m, 2, D): where points of the box move to, and the unit vectors that they move along."""
    centre, direction, length, radius = rays(funnels, points)
    new_radius = length * (radius / length) ** POWER
    return np.stack([centre + new_radius[:, None] * direction, -direction], axis=1)

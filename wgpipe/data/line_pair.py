"""Pairs of laws on the line, where quantile functions answer everything."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Literal, Self

import numpy as np

from wgpipe.data import Arrays, Card
from wgpipe.data.line_laws import SOURCES, TARGETS
from wgpipe.data.pairs import Coupling, PairDataset
from wgpipe.errors import UserError
from wgpipe.registry import register

NAME = re.compile(rf"line_pair-({'|'.join(SOURCES)})-({'|'.join(TARGETS)})", re.ASCII)


@register("line_pair")
class LinePair(PairDataset):
    """The increasing map T from source to target, with F_target(T(x)) = F_source(x), is optimal for |·| and |·|² alike.

    W1 = ∫|F_source - F_target| dx, so the potential has f' = sign(F_source - F_target) and `direction` is that of
    T(x) - x. Where the quantile functions cross, T(x) = x and every slope between -1 and 1 is right: it is 1 there.
    """

    accepted: ClassVar[str] = ", ".join(f"line_pair-{source}-{target}" for source in SOURCES for target in TARGETS)
    cost: ClassVar[Literal[1, 2]] = 1

    origin: str
    goal: str

    @classmethod
    def from_name(cls, name: str) -> Self:
        """`line_pair-uniform-normal` -> from U[0, 1] to N(0, 1); `UserError` if malformed."""
        match = NAME.fullmatch(name)
        if match is None:
            raise UserError(f"dataset '{name}' is unknown; accepted: {cls.accepted}.")
        return cls(name=name, origin=match[1], goal=match[2])

    def card(self) -> Card:
        """Facts; the support of the target is not compact."""
        return Card(
            name=self.name,
            title=f"{TARGETS[self.goal].title}, from {SOURCES[self.origin].title}",
            dimension=1,
            intrinsic=1,
            latent=1,
            train_size=None,
            test_size=None,
            radius=None,
            source="exact sampler, wgpipe/data/line_pair.py",
            licence="MIT",
            cites=self.cites,
        )

    def prepare(self, files: Mapping[str, Path]) -> dict[str, np.ndarray]:
        """`distance` W1 and `half_squared_w2`, by quadrature of E|T(X) - X| and ½E|T(X) - X|²."""
        from scipy.integrate import quad

        source = SOURCES[self.origin]

        def cost(x: float, power: int) -> float:
            point = np.array([x])
            return float((np.abs(self._transport(point) - point) ** power * source.density(point))[0])

        def integral(power: int) -> float:
            pieces = zip(source.breaks, source.breaks[1:], strict=False)
            return float(sum(quad(cost, *ends, args=(power,), limit=200, epsabs=1e-10)[0] for ends in pieces))

        return {"distance": np.array(integral(1)), "half_squared_w2": np.array(integral(2) / 2)}

    def draw(self, arrays: Arrays, stream: np.random.Generator, count: int) -> np.ndarray:
        """(count, 1) float64 draws of the target."""
        return TARGETS[self.goal].draw(stream.spawn(2)[0], count)[:, None]

    def draw_source(self, arrays: Arrays, stream: np.random.Generator, count: int) -> np.ndarray:
        """(count, 1) float64 draws of the source, independent of `draw` even on an equal stream."""
        return SOURCES[self.origin].draw(stream.spawn(2)[1], count)[:, None]

    def coupled(self, arrays: Arrays, stream: np.random.Generator, count: int) -> Coupling:
        """x and T(x), with the sign of T(x) - x."""
        source = self.draw_source(arrays, stream, count)
        target = self._transport(source)
        return Coupling(source=source, target=target, direction=np.where(target >= source, 1.0, -1.0))

    def transport(self, arrays: Arrays, source: np.ndarray) -> np.ndarray | None:
        """(m, 1) -> (m, 1): T."""
        return self._transport(source)

    def half_squared_w2(self, arrays: Arrays) -> float:
        """½W2², which the same coupling attains."""
        return float(arrays["half_squared_w2"])

    def _transport(self, source: np.ndarray) -> np.ndarray:
        """Each half of the line by its own tail, which keeps the precision of small probabilities."""
        origin, goal = SOURCES[self.origin], TARGETS[self.goal]
        below, above = origin.tails(source)
        return np.where(below < above, goal.from_left(np.minimum(below, 0.5)), goal.from_right(np.minimum(above, 0.5)))

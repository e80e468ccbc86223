"""Two laws on two points each, one of them symmetric."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, ClassVar, Literal, Self

import numpy as np
from pydantic import Field

from wgpipe.data import Arrays, Card
from wgpipe.data.pairs import Coupling, PairDataset
from wgpipe.errors import UserError
from wgpipe.registry import register

NAME = re.compile(r"two_point-([1-9]|[1-4]\d)", re.ASCII)
U = np.array([0.6, 0.8])
V = np.array([1.0, 0.0])


@register("two_point", cites=("taghvaei2019",))
class TwoPoint(PairDataset):
    """Source ν = (½-a)δ_{-v} + (½+a)δ_v, target μ = ½δ_{-u} + ½δ_u (Taghvaei & Jalali 2019).

    In the plane u and v are unit vectors with u·v = 0.6, so that v goes to u first, and the excess a of v to -u. The
    mass at v splits, so there is no map. The name gives a in percent.
    """

    accepted: ClassVar[str] = "two_point-<a in percent, 1 to 49>"
    cost: ClassVar[Literal[1, 2]] = 2

    excess: Annotated[float, Field(gt=0, lt=0.5)]

    @classmethod
    def from_name(cls, name: str) -> Self:
        """`two_point-10` -> a = 0.1; `UserError` if malformed."""
        match = NAME.fullmatch(name)
        if match is None:
            raise UserError(f"dataset '{name}' is unknown; accepted: {cls.accepted}.")
        return cls(name=name, excess=int(match[1]) / 100)

    def card(self) -> Card:
        """Facts; `intrinsic` is that of the line through the two points of the target, `radius` half their distance."""
        return Card(
            name=self.name,
            title=f"two equal points in the plane, from two points of masses {0.5 - self.excess:g} and "
            f"{0.5 + self.excess:g}",
            dimension=2,
            intrinsic=1,
            latent=1,
            train_size=None,
            test_size=None,
            radius=float(np.linalg.norm(U)),
            source="exact sampler, wgpipe/data/two_point.py",
            licence="MIT",
            cites=self.cites,
        )

    def prepare(self, files: Mapping[str, Path]) -> dict[str, np.ndarray]:
        """`u` and `v` (2,)."""
        return {"u": U, "v": V}

    def draw(self, arrays: Arrays, stream: np.random.Generator, count: int) -> np.ndarray:
        """(count, 2) float64 draws of μ."""
        return _signs(stream.spawn(2)[0].random(count) < 0.5) * arrays["u"]

    def draw_source(self, arrays: Arrays, stream: np.random.Generator, count: int) -> np.ndarray:
        """(count, 2) float64 draws of ν, independent of `draw` even on an equal stream."""
        return _signs(stream.spawn(2)[1].random(count) < 0.5 + self.excess) * arrays["v"]

    def coupled(self, arrays: Arrays, stream: np.random.Generator, count: int) -> Coupling:
        """The plan ½ of v -> u, a of v -> -u, ½-a of -v -> -u."""
        quantile = stream.random(count)
        return Coupling(
            source=_signs(quantile < 0.5 + self.excess) * arrays["v"],
            target=_signs(quantile < 0.5) * arrays["u"],
        )

    def distance(self, arrays: Arrays) -> float:
        """½|u|² + ½|v|² - (1-2a)·u·v."""
        u, v = arrays["u"], arrays["v"]
        return float((u @ u + v @ v) / 2 - (1 - 2 * self.excess) * (u @ v))


def _signs(positive: np.ndarray) -> np.ndarray:
    """(m,) -> (m, 1): 1 where true, else -1."""
    return np.where(positive, 1.0, -1.0)[:, None]

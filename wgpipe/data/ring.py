"""Gaussians on a circle."""

from __future__ import annotations

import re
from typing import ClassVar, Self

import numpy as np
from pydantic import PositiveFloat, PositiveInt

from wgpipe.data.mixture import Mixture
from wgpipe.errors import UserError
from wgpipe.registry import register

NAME = re.compile(r"ring-([1-9]\d*)", re.ASCII)


@register("ring", cites=("lin2018",))
class Ring(Mixture):
    """k modes at equal angles on the unit circle, σ = 0.01 (PacGAN's protocol, there with k = 8)."""

    accepted: ClassVar[str] = "ring-<number of modes>"

    count: PositiveInt
    sigma: PositiveFloat = 0.01

    @classmethod
    def from_name(cls, name: str) -> Self:
        """`ring-8` -> 8 modes; `UserError` if malformed."""
        match = NAME.fullmatch(name)
        if match is None:
            raise UserError(f"dataset '{name}' is unknown; accepted: {cls.accepted}.")
        return cls(name=name, count=int(match[1]))

    def modes(self) -> np.ndarray:
        """(k, 2), the first at (1, 0), then counter-clockwise."""
        angles = 2 * np.pi * np.arange(self.count) / self.count
        return np.stack([np.cos(angles), np.sin(angles)], axis=1)

    def title(self) -> str:
        """One line: how many modes, where, how wide, whose scaling."""
        return f"{self.count} Gaussians on a circle of radius 1, σ = {self.sigma} (PacGAN)"

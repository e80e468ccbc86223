"""Gaussians on a square grid, in the scalings of three papers."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar, NamedTuple, Self

import numpy as np
from pydantic import PositiveFloat

from wgpipe.data import Card
from wgpipe.data.mixture import Mixture
from wgpipe.errors import UserError, suggestion
from wgpipe.registry import register

SIDE = 5


class Scaling(NamedTuple):
    """Half the side of the square of centres, the deviation of a mode, and where both were used."""

    half: float
    sigma: float
    paper: str
    cites: str


SCALINGS = {
    "grid-25": Scaling(4, 0.05, "PacGAN", "lin2018"),
    "grid-25-wgangp": Scaling(4 / 2.828, 0.05 / 2.828, "WGAN-GP", "gulrajani2017"),
    "grid-25-coulomb": Scaling(21, 1, "Coulomb GAN", "unterthiner2018"),
}


@register("grid")
class Grid(Mixture):
    """5×5 modes with equal spacing on [-half, half]²."""

    accepted: ClassVar[str] = ", ".join(SCALINGS)

    half: PositiveFloat

    @classmethod
    def from_name(cls, name: str) -> Self:
        """One of three names; `UserError` with a suggestion for any other."""
        if name not in SCALINGS:
            raise UserError(f"dataset '{name}' is unknown{suggestion(name, SCALINGS)}")
        return cls(name=name, half=SCALINGS[name].half, sigma=SCALINGS[name].sigma)

    def modes(self) -> np.ndarray:
        """(25, 2), row by row."""
        axis = np.linspace(-self.half, self.half, SIDE)
        return np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1).reshape(-1, 2)

    def title(self) -> str:
        """One line: how many modes, where, how wide, whose scaling."""
        place = f"[-{self.half:.4g}, {self.half:.4g}]²"
        return f"{SIDE}×{SIDE} Gaussians on {place}, σ = {self.sigma:.4g} ({SCALINGS[self.name].paper})"

    def card(self) -> Card:
        """Facts; the paper to cite is that of the scaling."""
        return replace(super().card(), cites=(SCALINGS[self.name].cites,))

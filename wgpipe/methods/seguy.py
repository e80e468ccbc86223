"""Large-scale regularised optimal transport."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import torch
from pydantic import Field, PositiveFloat

from wgpipe.methods import Adversarial
from wgpipe.nets import product
from wgpipe.registry import register

if TYPE_CHECKING:
    from wgpipe.train.critic import Critic


@register("seguy", cites=("seguy2018", "korotin2021"))
class Seguy(Adversarial):
    """max_{u,v} E u(X) + E v(Y) - E R(u(X) + v(Y) - ½|X - Y|²), R(s) = ε e^{s/ε} (entropy) or max(0, s)²/4ε (l2).

    Seguy et al. 2018, eq. 3-6, over all pairs of a batch. R' is the density of the plan in the product of the laws.
    `barycentric`: the map T, a third network, minimises E R'(…) ½|T(X) - Y|² (their algorithm 2) at the same time and
    not after u and v. `gradient`: u = ½|x|² - f and v = ½|y|² - g with networks f and g, and the map is ∇f, as in LS
    of the W2 benchmark (Korotin et al. 2021), whose ε is the default here.
    """

    regulariser: Literal["l2", "entropy"] = Field("l2", description="what is added to the cost of the plan")
    epsilon: PositiveFloat = Field(0.03, description="strength ε of the regularisation, in units of the cost")
    map: Literal["barycentric", "gradient"] = Field("barycentric", description="how a map is made of u and v")

    def parts(self, dimension: int) -> dict[str, tuple[int, int]]:
        potentials = {"source": (dimension, 1), "target": (dimension, 1)}
        return potentials | ({"map": (dimension, dimension)} if self.map == "barycentric" else {})

    def critic_objective(self, critic: Critic, real: torch.Tensor, fake: torch.Tensor) -> torch.Tensor:
        """The negative dual. The map's loss adds its gradient, and not its value."""
        u, v = self._dual(critic, "source", fake), self._dual(critic, "target", real)
        cost = _half_square(fake)[:, :, None] + _half_square(real)[:, None, :] - product(fake, real.mT)
        surplus = u[:, :, None] + v[:, None, :] - cost
        loss = self._penalty(surplus).mean(dim=(1, 2)) - u.mean(dim=1) - v.mean(dim=1)
        if self.map == "gradient":
            return loss
        of_map = self._map_loss(self._density(surplus.detach()), critic.part("map").vector(fake), real)
        return loss + (of_map - of_map.detach())

    def generator_objective(self, critic: Critic, fake: torch.Tensor, real: torch.Tensor) -> torch.Tensor:
        """E u of generated points."""
        return self._dual(critic, "source", fake).mean(dim=1)

    def transport(self, critic: Critic, points: torch.Tensor) -> torch.Tensor:
        return (
            critic.part("map").vector(points) if self.map == "barycentric" else critic.part("source").gradient(points)
        )

    def inverse(self, critic: Critic, points: torch.Tensor) -> torch.Tensor | None:
        return None if self.map == "barycentric" else critic.part("target").gradient(points)

    def _dual(self, critic: Critic, part: str, x: torch.Tensor) -> torch.Tensor:
        values = critic.part(part)(x)
        return values if self.map == "barycentric" else _half_square(x) - values

    def _penalty(self, surplus: torch.Tensor) -> torch.Tensor:
        if self.regulariser == "entropy":
            return self.epsilon * (surplus / self.epsilon).exp()
        return surplus.clamp_min(0).square() / (4 * self.epsilon)

    def _density(self, surplus: torch.Tensor) -> torch.Tensor:
        if self.regulariser == "entropy":
            return (surplus / self.epsilon).exp()
        return surplus.clamp_min(0) / (2 * self.epsilon)

    def _map_loss(self, density: torch.Tensor, image: torch.Tensor, real: torch.Tensor) -> torch.Tensor:
        """Mean over pairs of density times ½|T(x) - y|²: (E, B, B), (E, B, d), (E, B, d) -> (E,)."""
        mass = density.sum(dim=2)
        pairs = mass * _half_square(image) - (image * product(density, real)).sum(dim=-1)
        return (pairs.sum(dim=1) + (density.sum(dim=1) * _half_square(real)).sum(dim=1)) / density[0].numel()


def _half_square(x: torch.Tensor) -> torch.Tensor:
    return 0.5 * x.square().sum(dim=-1)

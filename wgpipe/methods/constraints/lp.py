"""The one-sided gradient penalty, or Lipschitz penalty."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field, PositiveFloat

from wgpipe.methods.constraints import Constraint
from wgpipe.registry import register

if TYPE_CHECKING:
    import torch


@register("lp", cites=("petzka2018",))
class LipschitzPenalty(Constraint):
    """weight E(max(0, |grad f(M)| - L))^2, M uniform between real and generated points (Petzka et al. 2018, eq. 7)."""

    weight: PositiveFloat = Field(10.0, description="of the penalty in the critic's loss")
    lipschitz: PositiveFloat = Field(1.0, description="L, the slope up to which nothing is paid")

    def penalty(self, slope: torch.Tensor) -> torch.Tensor:
        return self.weight * (slope - self.lipschitz).clamp_min(0).square().mean(dim=1)

    def penalty_derivative(self, slope: torch.Tensor) -> torch.Tensor:
        return (slope - self.lipschitz).clamp_min(0) * (2 * self.weight / slope.shape[1])

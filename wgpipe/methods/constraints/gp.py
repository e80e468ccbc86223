"""The two-sided gradient penalty."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field, PositiveFloat

from wgpipe.methods.constraints import Constraint
from wgpipe.registry import register

if TYPE_CHECKING:
    import torch


@register("gp", cites=("gulrajani2017",))
class GradientPenalty(Constraint):
    """weight E(|grad f(M)| - L)^2, M uniform on segments between real and generated (Gulrajani et al. 2017, eq. 3)."""

    weight: PositiveFloat = Field(10.0, description="of the penalty in the critic's loss")
    lipschitz: PositiveFloat = Field(1.0, description="L, the slope that is asked for")

    def penalty(self, slope: torch.Tensor) -> torch.Tensor:
        return self.weight * (slope - self.lipschitz).square().mean(dim=1)

    def penalty_derivative(self, slope: torch.Tensor) -> torch.Tensor:
        return (slope - self.lipschitz) * (2 * self.weight / slope.shape[1])

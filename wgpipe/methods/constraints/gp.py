"""The two-sided gradient penalty."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import PositiveFloat

from wgpipe.methods.constraints import Constraint
from wgpipe.registry import register

if TYPE_CHECKING:
    import torch

    from wgpipe.train.critic import Critic


@register("gp", cites=("gulrajani2017",))
class GradientPenalty(Constraint):
    """weight E(|grad f(M)| - L)^2, M uniform on segments between real and generated (Gulrajani et al. 2017, eq. 3)."""

    weight: PositiveFloat = 10.0
    lipschitz: PositiveFloat = 1.0

    def penalty(self, critic: Critic, real: torch.Tensor, fake: torch.Tensor, mix: torch.Tensor) -> torch.Tensor:
        slope = critic.slope(fake.lerp(real, mix))
        return self.weight * (slope - self.lipschitz).square().mean(dim=1)

"""The Wasserstein GAN."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wgpipe.methods import Adversarial
from wgpipe.registry import register

if TYPE_CHECKING:
    import torch


@register("wgan", cites=("arjovsky2017",))
class Wgan(Adversarial):
    """min_G max_f E f(X) - E f(G(Z)) over Lipschitz f (Arjovsky et al. 2017, eq. 2-3)."""

    def critic_loss(self, f_real: torch.Tensor, f_fake: torch.Tensor) -> torch.Tensor:
        return (f_fake - f_real).mean(dim=1)

    def generator_loss(self, f_fake: torch.Tensor) -> torch.Tensor:
        return -f_fake.mean(dim=1)

    def critic_derivatives(self, f_real: torch.Tensor, f_fake: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        share = 1 / f_real.shape[1]
        return f_real.new_full(f_real.shape, -share), f_fake.new_full(f_fake.shape, share)

    def generator_derivative(self, f_fake: torch.Tensor) -> torch.Tensor:
        return f_fake.new_full(f_fake.shape, -1 / f_fake.shape[1])

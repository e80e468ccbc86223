"""The Wasserstein GAN."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wgpipe.methods import Adversarial
from wgpipe.registry import register

if TYPE_CHECKING:
    import torch

    from wgpipe.train.critic import Critic


@register("wgan", cites=("arjovsky2017",))
class Wgan(Adversarial):
    """min_G max_f E f(X) - E f(G(Z)) over Lipschitz f (Arjovsky et al. 2017, eq. 2-3)."""

    def critic_loss(self, critic: Critic, real: torch.Tensor, fake: torch.Tensor) -> torch.Tensor:
        f_real, f_fake = critic.both(real, fake)
        return (f_fake - f_real).mean(dim=1)

    def generator_loss(self, critic: Critic, fake: torch.Tensor) -> torch.Tensor:
        return -critic(fake).mean(dim=1)

"""The boundary equilibrium GAN."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import torch
from pydantic import Field, NonNegativeFloat, PositiveInt

from wgpipe.methods import Adversarial
from wgpipe.registry import register

if TYPE_CHECKING:
    from wgpipe.train.critic import Critic


@register("began", cites=("berthelot2017",))
class Began(Adversarial):
    """min_D L(X) - k L(G(Z)), min_G L(G(Z)), k <- k + λ (γ L(X) - L(G(Z))) (Berthelot et al. 2017, section 3.4).

    L(v) = E|v - D(v)|^η, a mean over coordinates, is the loss of an autoencoder D with `codes` numbers between its
    parts: fewer than the data have, or it reconstructs whatever it is given. k starts at 0, stays in [0, 1] and moves
    once a critic update, on the losses of that update's batches. The state `convergence` is the paper's measure
    L(X) + |γ L(X) - L(G(Z))|, of the last critic update.
    """

    codes: PositiveInt = Field(64, description="numbers between encoder and decoder")
    gamma: float = Field(0.5, gt=0, le=1, description="γ, generated over real loss that is aimed at: diversity")
    lambda_k: NonNegativeFloat = Field(0.001, description="λ, rate of k")
    eta: Literal[1, 2] = Field(1, description="η, power of the reconstruction error")

    def parts(self, dimension: int) -> dict[str, tuple[int, int]]:
        return {"encoder": (dimension, self.codes), "decoder": (self.codes, dimension)}

    def state(self) -> dict[str, float]:
        return {"k": 0.0, "convergence": 0.0}

    def critic_objective(self, critic: Critic, real: torch.Tensor, fake: torch.Tensor) -> torch.Tensor:
        loss_real, loss_fake = self._reconstruction(critic, real), self._reconstruction(critic, fake)
        weight = critic.state("k").detach().clone()
        self._balance(critic, loss_real.detach(), loss_fake.detach())
        return loss_real - weight * loss_fake

    def generator_objective(self, critic: Critic, fake: torch.Tensor, real: torch.Tensor) -> torch.Tensor:
        return self._reconstruction(critic, fake)

    def _reconstruction(self, critic: Critic, points: torch.Tensor) -> torch.Tensor:
        """(E, B, d) -> (E,) the autoencoder's loss."""
        lost = (critic.part("decoder").vector(critic.part("encoder").vector(points)) - points).abs()
        return lost.pow(self.eta).mean(dim=(1, 2))

    @torch.no_grad()
    def _balance(self, critic: Critic, loss_real: torch.Tensor, loss_fake: torch.Tensor) -> None:
        excess = self.gamma * loss_real - loss_fake
        critic.state("k").add_(self.lambda_k * excess).clamp_(0, 1)
        critic.state("convergence").copy_(loss_real + excess.abs())

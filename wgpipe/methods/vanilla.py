"""The original GAN."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field
from torch.nn.functional import softplus

from wgpipe.methods import Adversarial
from wgpipe.registry import register

if TYPE_CHECKING:
    import torch


@register("vanilla", cites=("goodfellow2014", "kunkel2024"))
class Vanilla(Adversarial):
    """min_G max_W E log(1 / (1 + e^-W(X))) + E log(1 / (1 + e^W(G(Z)))), W the logit (Goodfellow et al. 2014, eq. 1).

    `minimax` gives the generator the same objective; `non-saturating` lets it maximise E log(1 / (1 + e^-W(G(Z)))).
    """

    loss: Literal["non-saturating", "minimax"] = Field("non-saturating", description="of the generator")

    def critic_loss(self, w_real: torch.Tensor, w_fake: torch.Tensor) -> torch.Tensor:
        return (softplus(-w_real) + softplus(w_fake)).mean(dim=1)

    def generator_loss(self, w_fake: torch.Tensor) -> torch.Tensor:
        loss = -softplus(w_fake) if self.loss == "minimax" else softplus(-w_fake)
        return loss.mean(dim=1)

    def critic_derivatives(self, w_real: torch.Tensor, w_fake: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return -(-w_real).sigmoid() / w_real.shape[1], w_fake.sigmoid() / w_fake.shape[1]

    def generator_derivative(self, w_fake: torch.Tensor) -> torch.Tensor:
        slope = w_fake.sigmoid() if self.loss == "minimax" else (-w_fake).sigmoid()
        return -slope / w_fake.shape[1]

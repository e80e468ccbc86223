"""The MMD GAN: a moment matching network whose kernel is learned."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt

from wgpipe.methods import Adversarial
from wgpipe.methods.kernels import mmd, mmd_squared
from wgpipe.registry import register

if TYPE_CHECKING:
    import torch

    from wgpipe.train.critic import Critic


@register("mmd-gan", cites=("li2017", "gretton2012"))
class MmdGan(Adversarial):
    """min_G max_{f, h} M(f(X), f(G(Z))) - λ (E|X - h(f(X))|² + E|G(Z) - h(f(G(Z)))|²) (Li et al. 2017).

    f encodes a point in `codes` numbers, h decodes them, which keeps f injective, and M is the MMD of the kernel
    sum_σ exp(-|a - b|² / 2σ²), its biased estimate. As in the authors' code M is the root of MMD² (`root`), |·|² a
    mean over coordinates, and both sides share the term -rank mean_c (E f_c(G(Z)) - E f_c(X))_+, which makes the
    critic encode real points above generated ones. The authors clip the encoder's weights at .01: the
    recipe's constraint `clip` with `part: encoder`.
    """

    codes: PositiveInt = Field(16, description="numbers that the encoder makes of a point")
    sigmas: tuple[PositiveFloat, ...] = Field(
        (1.0, 2.0, 4.0, 8.0, 16.0), min_length=1, description="σ, lengths in units of the codes"
    )
    autoencoder: NonNegativeFloat = Field(8.0, description="λ, weight of the reconstruction errors")
    rank: NonNegativeFloat = Field(16.0, description="weight of the term that orders real and generated codes")
    root: bool = Field(True, description="M is the root of MMD², not MMD² itself")

    def parts(self, dimension: int) -> dict[str, tuple[int, int]]:
        return {"encoder": (dimension, self.codes), "decoder": (self.codes, dimension)}

    def critic_objective(self, critic: Critic, real: torch.Tensor, fake: torch.Tensor) -> torch.Tensor:
        encoder, decoder = critic.part("encoder"), critic.part("decoder")
        codes_real, codes_fake = encoder.vector(real), encoder.vector(fake)
        lost_real = (decoder.vector(codes_real) - real).square().mean(dim=(1, 2))
        lost_fake = (decoder.vector(codes_fake) - fake).square().mean(dim=(1, 2))
        return self.autoencoder * (lost_real + lost_fake) - self._distance(codes_real, codes_fake)

    def generator_objective(self, critic: Critic, fake: torch.Tensor, real: torch.Tensor) -> torch.Tensor:
        encoder = critic.part("encoder")
        return self._distance(encoder.vector(real), encoder.vector(fake))

    def _distance(self, real: torch.Tensor, fake: torch.Tensor) -> torch.Tensor:
        """(E, B, c), (E, B, c) codes -> (E,) what the critic maximises and the generator minimises."""
        variances = [sigma**2 for sigma in self.sigmas]
        distance = (mmd if self.root else mmd_squared)(fake, real, variances)
        wrong_order = (fake.mean(dim=1) - real.mean(dim=1)).clamp_min(0).mean(dim=1)
        return distance - self.rank * wrong_order

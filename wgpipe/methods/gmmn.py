"""The generative moment matching network."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field, PositiveFloat

from wgpipe.methods import Adversarial
from wgpipe.methods.kernels import mmd, mmd_squared
from wgpipe.registry import register

if TYPE_CHECKING:
    import torch

    from wgpipe.train.critic import Critic


@register("gmmn", cites=("li2015", "gretton2012"))
class Gmmn(Adversarial):
    """min_G MMD(X, G(Z)), of the kernel sum_σ exp(-|x - y|² / 2σ), without a critic (Li et al. 2015).

    The bandwidths σ are squared lengths, in the data's units: the paper's are for images in [0, 1]^784. `root` takes
    the root of MMD², as the paper prefers, so that the gradient does not fade as the distance does.
    """

    has_critic: ClassVar[bool] = False

    bandwidths: tuple[PositiveFloat, ...] = Field(
        (2.0, 5.0, 10.0, 20.0, 40.0, 80.0), min_length=1, description="σ, squared lengths in units of the data"
    )
    root: bool = Field(True, description="minimise the root of MMD², not MMD² itself")

    def generator_objective(self, critic: Critic, fake: torch.Tensor, real: torch.Tensor) -> torch.Tensor:
        return (mmd if self.root else mmd_squared)(fake, real, self.bandwidths)

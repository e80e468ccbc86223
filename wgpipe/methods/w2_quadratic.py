"""The Wasserstein-2 distance over quadratic potentials: a GAN without a critic."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import torch

from wgpipe.methods import Adversarial
from wgpipe.methods.moments import linear_map, mean_and_covariance
from wgpipe.nets import product
from wgpipe.registry import register

if TYPE_CHECKING:
    from wgpipe.train.critic import Critic


@register("w2-quadratic", cites=("taghvaei2019",))
class W2Quadratic(Adversarial):
    """W²_{2,Q} = ½|m_X - m_Y|² + ½ tr(S_X + S_Y - 2 (S_Y^½ S_X S_Y^½)^½) of a batch of each law, to be minimised.

    The value of W²_{2,F} over f(x) = ½ x'Ax + b'x (Taghvaei & Jalali 2019, class Q; cost ½|x - y|²). Its gradient in a
    generated point y is that at fixed A and b (envelope theorem): (y - T(y)) / B, with T(y) = m_X + A⁻¹(y - m_Y).
    """

    has_critic: ClassVar[bool] = False

    def generator_objective(self, critic: Critic, fake: torch.Tensor, real: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            (mean, covariance), (real_mean, real_covariance) = mean_and_covariance(fake), mean_and_covariance(real)
            matrix, cross = linear_map(covariance, real_covariance)
            traces = (covariance + real_covariance).diagonal(dim1=1, dim2=2).sum(dim=1)
            value = 0.5 * (mean - real_mean).square().sum(dim=(1, 2)) + 0.5 * traces - cross
            image = real_mean + product(fake.double() - mean, matrix)
            residual = fake - image.to(fake)
        change = (residual * fake).sum(dim=-1).mean(dim=1)
        return value.to(fake) + (change - change.detach())

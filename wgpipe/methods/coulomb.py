"""The Coulomb GAN."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from wgpipe.methods import Adversarial
from wgpipe.methods.kernels import Plummer, squared_distances
from wgpipe.registry import register

if TYPE_CHECKING:
    import torch

    from wgpipe.train.critic import Critic


@register("coulomb", cites=("unterthiner2018",))
class Coulomb(Plummer, Adversarial):
    """min_D E(D(X) - pot(X))² + E(D(G(Z)) - pot(G(Z)))², min_G E D(G(Z)) (Unterthiner et al. 2018).

    pot(a) = mean_j k(x_j, a) - mean_j k(y_j, a) on a batch of generated x and real y, with the Plummer kernel k: the
    critic learns the potential of charges that repel their like, and the generator moves its own downhill. Signs are
    those of the authors' code, opposite to the paper's Φ. A batch's own points count in the potential at themselves, as
    in that code, which shifts it by about k(0) / B; without `self_terms` they do not.
    """

    self_terms: bool = Field(True, description="whether a point feels the charge of its own place")

    def potential(self, real: torch.Tensor, fake: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """(E, B, d), (E, C, d) -> pot at the real points (E, B) and at the generated ones (E, C), both constants."""
        real, fake = real.detach(), fake.detach()
        across = self.kernel(squared_distances(fake, real))
        return across.mean(dim=1) - self._own(real), self._own(fake) - across.mean(dim=2)

    def _own(self, points: torch.Tensor) -> torch.Tensor:
        """(E, B, d) -> (E, B) mean of the kernel between each point and the points of its own kind."""
        kernel = self.kernel(squared_distances(points, points))
        if self.self_terms:
            return kernel.mean(dim=2)
        kernel.diagonal(dim1=1, dim2=2).zero_()
        return kernel.sum(dim=2) / (kernel.shape[2] - 1)

    def critic_objective(self, critic: Critic, real: torch.Tensor, fake: torch.Tensor) -> torch.Tensor:
        at_real, at_fake = self.potential(real, fake)
        d_real, d_fake = critic.both(real, fake)
        return (d_real - at_real).square().mean(dim=1) + (d_fake - at_fake).square().mean(dim=1)

    def generator_objective(self, critic: Critic, fake: torch.Tensor, real: torch.Tensor) -> torch.Tensor:
        return critic(fake).mean(dim=1)

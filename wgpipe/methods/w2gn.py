"""The cycle-consistent pair of convex potentials."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field, NonNegativeFloat

from wgpipe.methods import Adversarial
from wgpipe.methods.conjugate import push
from wgpipe.registry import register

if TYPE_CHECKING:
    import torch

    from wgpipe.train.critic import Critic


@register("w2gn", cites=("korotinegiazarian2021", "korotin2021"))
class W2gn(Adversarial):
    """min_{f,g} E f(X) + E[<Y, ∇g(Y)> - f(∇g(Y))] + λ (E|∇f(∇g(Y)) - Y|² + E|∇g(∇f(X)) - X|²), f and g convex.

    Wasserstein-2 generative networks (Korotin et al. 2021): ∇f carries the source X to the target Y, and ∇g is held to
    be its inverse by the cycle term instead of by a maximisation. As in the code of their benchmark (Korotin et al.,
    NeurIPS 2021) ∇g(Y) is a constant in the first two terms, both cycles are penalised, and λ = d times the mean over
    coordinates, which is λ = 1 times the squared norm here.
    """

    cycle: NonNegativeFloat = Field(1.0, description="λ above")

    def parts(self, dimension: int) -> dict[str, tuple[int, int]]:
        return {"forward": (dimension, 1), "backward": (dimension, 1)}

    def critic_objective(self, critic: Critic, real: torch.Tensor, fake: torch.Tensor) -> torch.Tensor:
        f, g = critic.part("forward"), critic.part("backward")
        there, back = push(f, fake), push(g, real)
        fixed = back.detach()
        of_fake, of_fixed = f.both(fake, fixed)
        dual = of_fake - of_fixed + (real * fixed).sum(dim=-1)
        cycle = (push(f, back) - real).square().sum(dim=-1) + (push(g, there) - fake).square().sum(dim=-1)
        return (dual + self.cycle * cycle).mean(dim=1)

    def generator_objective(self, critic: Critic, fake: torch.Tensor, real: torch.Tensor) -> torch.Tensor:
        """The part E ½|X|² - E f(X) of the dual distance that depends on the generated X."""
        return (0.5 * fake.square().sum(dim=-1) - critic.part("forward")(fake)).mean(dim=1)

    def transport(self, critic: Critic, points: torch.Tensor) -> torch.Tensor:
        return critic.part("forward").gradient(points)

    def inverse(self, critic: Critic, points: torch.Tensor) -> torch.Tensor:
        return critic.part("backward").gradient(points)

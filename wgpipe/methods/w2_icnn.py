"""The Wasserstein-2 distance over convex potentials, as a map solver and as a GAN."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import torch
from pydantic import Field, PositiveFloat, PositiveInt

from wgpipe.methods import Adversarial
from wgpipe.methods.conjugate import Argmax, argmax, best_of
from wgpipe.registry import register

if TYPE_CHECKING:
    from wgpipe.train.critic import Critic

MAP_TOLERANCE = 1e-5  # of the residual where a map is asked for, and not a loss
MAP_STEPS = 500
CANDIDATES = 128  # points of the other law that a search may start from; more cost more than they save


@register("w2-icnn", cites=("taghvaei2019", "korotin2021"))
class W2Icnn(Adversarial):
    """W²_{2,F} = E ½|X|² + E ½|Y|² - min_f [E f(X) + E f*(Y)], f in a class F of convex functions, cost ½|x - y|².

    Taghvaei & Jalali 2019: X is real, Y generated or of the source, f the critic, an `icnn`. The conjugate f*(y) =
    max_x <y, x> - f(x) is attained at x̂(y) = ∇f*(y), which carries the source to the target; by the envelope theorem
    the loss has the gradient of E f(X) - E f(x̂(Y)) with x̂ held constant, and the distance that of y - x̂(y) in y.
    With `potential: source` the roles are exchanged, as in MMv1 of the W2 benchmark (Korotin
    et al. 2021): the map is then ∇f itself.

    The search for x̂ starts at the best of some points x of the batch, is stopped for each y by |y - ∇f(x)|, and leaves
    the mean of that (`residual`) and the share of points that it left above the tolerance (`capped`) with the critic.
    """

    potential: Literal["target", "source"] = Field("target", description="the law that f is a function of")
    tolerance: PositiveFloat = Field(1e-3, description="|y - ∇f(x)| that ends the search for the conjugate")
    inner_steps: PositiveInt = Field(40, description="evaluations of ∇f that end it at the latest")

    def state(self) -> dict[str, float]:
        return {"residual": 0.0, "capped": 0.0}

    def critic_objective(self, critic: Critic, real: torch.Tensor, fake: torch.Tensor) -> torch.Tensor:
        """E f(X) + E f*(Y), to be minimised."""
        x, y = (real, fake) if self.potential == "target" else (fake, real)
        best = self._conjugate(critic, y, x)
        with torch.no_grad():
            critic.state("residual").copy_(best.residual.mean(dim=1))
            critic.state("capped").copy_((best.residual > self.tolerance).to(best.residual).mean(dim=1))
        of_x, of_best = critic.both(x, best.points)
        return (of_x - of_best + (y * best.points).sum(dim=-1)).mean(dim=1)

    def generator_objective(self, critic: Critic, fake: torch.Tensor, real: torch.Tensor) -> torch.Tensor:
        """The part E ½|Y|² - E f*(Y), or E ½|Y|² - E f(Y), of the distance that depends on the generator."""
        if self.potential == "source":
            dual = critic(fake)
        else:
            best = self._conjugate(critic, fake, real).points
            dual = (fake * best).sum(dim=-1) - critic(best).detach()
        return (0.5 * fake.square().sum(dim=-1) - dual).mean(dim=1)

    def transport(self, critic: Critic, points: torch.Tensor) -> torch.Tensor:
        return _conjugate_map(critic, points) if self.potential == "target" else critic.gradient(points)

    def inverse(self, critic: Critic, points: torch.Tensor) -> torch.Tensor:
        return critic.gradient(points) if self.potential == "target" else _conjugate_map(critic, points)

    def _conjugate(self, critic: Critic, y: torch.Tensor, candidates: torch.Tensor) -> Argmax:
        y = y.detach()
        return argmax(critic, y, best_of(critic, y, candidates[:, :CANDIDATES]), self.tolerance, self.inner_steps)


def _conjugate_map(critic: Critic, points: torch.Tensor) -> torch.Tensor:
    return argmax(critic, points, points, MAP_TOLERANCE, MAP_STEPS).points

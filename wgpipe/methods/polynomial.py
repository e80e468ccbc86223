"""Moment matching: the Wasserstein GAN whose critics are polynomials, in closed form."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from wgpipe.methods import Adversarial
from wgpipe.registry import register

if TYPE_CHECKING:
    import torch

    from wgpipe.train.critic import Critic


@register("polynomial", cites=("li2020",))
class Polynomial(Adversarial):
    """min_G sup_f E f(X) - E f(G(Z)) over polynomials f with coefficients in the unit ball, after Li & Dou 2020.

    f(x) = <a, x> + <A, x x'> + <C, x x x> + … up to `degree`, with |a|² + |A|² + |C|² + … <= 1 in Frobenius norms (A
    and C are symmetric without loss). The supremum is the dual norm of the differences of moments,
    sqrt(|E X - E Y|² + |E X X' - E Y Y'|² + |E X X X - E Y Y Y|² + …): at degree 1 the distance of the means. It is 0
    for any two laws with the same moments up to `degree`, however far apart they are. There is no critic to train.
    """

    has_critic: ClassVar[bool] = False

    degree: Literal[1, 2, 3, 4] = Field(2, description="highest moment that is matched")
    loss: Literal["norm", "square"] = Field(
        "norm", description="the supremum, whose gradient at 0 is taken as 0; or its square, which is smooth"
    )

    def generator_objective(self, critic: Critic, fake: torch.Tensor, real: torch.Tensor) -> torch.Tensor:
        import torch

        gaps = [x - y for x, y in zip(self.moments(real), self.moments(fake), strict=True)]
        norm: torch.Tensor = torch.linalg.vector_norm(torch.cat(gaps, dim=1), dim=1)
        return norm if self.loss == "norm" else norm.square()

    def moments(self, x: torch.Tensor) -> list[torch.Tensor]:
        """(E, B, d) -> E x, E x x', E x x x, … up to `degree`, flattened: (E, d^k) each."""
        from wgpipe.nets import product

        power, moments = x, [x.mean(dim=1)]
        for k in range(2, self.degree + 1):
            moments.append(product(power.mT, x).flatten(1) / x.shape[1])
            if k < self.degree:
                power = (power.unsqueeze(-1) * x.unsqueeze(-2)).flatten(2)
        return moments

"""Polynomials with coefficients of norm one: the critic that matches moments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
import torch
from pydantic import Field, PositiveFloat

from wgpipe.nets import Net, product
from wgpipe.registry import register

if TYPE_CHECKING:
    from wgpipe.nets import Params


@register("polynomial", cites=("li2020",))
class Polynomial(Net):
    """f(x) = s (<a, x> + <A, x x'> + <C, x x x> + …) up to a degree, with |a|² + |A|² + |C|² + … = 1 (Frobenius norms).

    As a Wasserstein critic its supremum is the method `polynomial` in closed form: the dual norm of the differences of
    moments, times s. Coefficients count by their direction alone, so that the best critic is a point where gradients
    vanish: on a ball with a projection, Adam would stop elsewhere, since its steps ignore their scale. Degrees above 1
    have no Lipschitz constant.
    """

    degree: Literal[1, 2, 3, 4] = Field(2, description="of the polynomial")
    scale: PositiveFloat = Field(1.0, description="s, the norm of the coefficients")

    def init(self, stream: np.random.Generator, inputs: int, outputs: int) -> dict[str, np.ndarray]:
        sizes = {f"coefficients{k}": inputs**k * outputs for k in range(1, self.degree + 1)}
        params = {name: stream.standard_normal((1, size)) for name, size in sizes.items()}
        norm = np.sqrt(sum(float((value**2).sum()) for value in params.values()))
        return {name: (value / norm).astype(np.float32) for name, value in params.items()}

    def apply(self, params: Params, x: torch.Tensor) -> torch.Tensor:
        """Horner's scheme: each step contracts one more index of the coefficients with x."""
        inputs = x.shape[-1]
        highest = params[f"coefficients{self.degree}"]
        value = product(x, highest.unflatten(-1, (inputs, -1)).squeeze(1))
        for k in range(self.degree - 1, 0, -1):
            lower = (value + params[f"coefficients{k}"]).unflatten(-1, (inputs, -1))
            value = (x.unsqueeze(-1) * lower).sum(dim=-2)
        return self.scale / _norm(params) * value

    def project(self, params: Params) -> None:
        norm = _norm(params)
        for value in params.values():
            value /= norm

    def lipschitz_bound(self) -> float | None:
        return self.scale if self.degree == 1 else None


def _norm(params: Params) -> torch.Tensor:
    """(E, 1, 1) norm of all coefficients of each member."""
    norm: torch.Tensor = torch.linalg.vector_norm(torch.cat(list(params.values()), dim=-1), dim=-1, keepdim=True)
    return norm

"""Multilayer perceptrons with spectral normalisation, member by member."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from pydantic import Field, PositiveFloat, PositiveInt

from wgpipe.nets import Net, affine, dense_sizes, product
from wgpipe.nets.mlp import Mlp
from wgpipe.registry import register

if TYPE_CHECKING:
    from wgpipe.nets import Params


@register("spectral", cites=("miyato2018",))
class Spectral(Net):
    """An MLP whose weights are divided by their largest singular value, so that it is L-Lipschitz.

    The singular vectors are tracked by one power iteration after each update, and the gradient passes through the
    quotient W / (u' W v) as in the paper (eq. 11-12).
    """

    hidden: tuple[PositiveInt, ...] = Field((64, 64), description="widths of the hidden layers")
    lipschitz: PositiveFloat = Field(1.0, description="L")

    def init(self, stream: np.random.Generator, inputs: int, outputs: int) -> dict[str, np.ndarray]:
        params = Mlp(hidden=self.hidden).init(stream, inputs, outputs)
        for layer, _ in enumerate(dense_sizes(inputs, self.hidden, outputs)):
            u, _, vt = np.linalg.svd(params[f"weight{layer}"])
            params[f"state.left{layer}"] = u[:, :1]
            params[f"state.right{layer}"] = vt[:1].T.copy()
        return params

    def apply(self, params: Params, x: torch.Tensor) -> torch.Tensor:
        for layer in range(len(self.hidden) + 1):
            weight, u, v = params[f"weight{layer}"], params[f"state.left{layer}"], params[f"state.right{layer}"]
            sigma = product(u.mT, product(weight, v))
            x = affine(x, weight / sigma, params[f"bias{layer}"])
            if layer < len(self.hidden):
                x = x.relu()
        return self.lipschitz * x

    def project(self, params: Params) -> None:
        for layer in range(len(self.hidden) + 1):
            weight = params[f"weight{layer}"]
            v = torch.nn.functional.normalize(product(weight.mT, params[f"state.left{layer}"]), dim=1)
            params[f"state.right{layer}"].copy_(v)
            params[f"state.left{layer}"].copy_(torch.nn.functional.normalize(product(weight, v), dim=1))

    def lipschitz_bound(self) -> float | None:
        return self.lipschitz

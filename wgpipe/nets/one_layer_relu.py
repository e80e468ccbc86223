"""The one-layer ReLU critic: one hidden layer whose neurons share a Lipschitz constant."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from pydantic import Field, PositiveFloat, PositiveInt
from torch.nn.functional import normalize

from wgpipe.nets import Net, affine, product
from wgpipe.registry import register

if TYPE_CHECKING:
    from wgpipe.nets import Params


@register("one_layer_relu", cites=("li2020",))
class OneLayerRelu(Net):
    """f(x) = sum_i a_i relu(w_i·x - b_i) with |w_i| = 1 and sum_i |a_i| = L, as in Li & Dou 2020 (version 1).

    So f is L-Lipschitz, and sup_f E f(X) - E f(Y) = L sup over unit w and b of |E relu(w·X - b) - E relu(w·Y - b)|,
    which `wgpipe.theory.relu_distance` computes. Parameters are the normals w_i, the offsets b_i, and roots r_i with
    a_i = L r_i |r_i| / sum_j r_j². Normals and roots count by their directions alone, so the best critic is a point
    where gradients vanish: on a ball with a projection, Adam would stop elsewhere, since its steps ignore their scale.
    """

    hidden: tuple[PositiveInt] = Field((64,), description="neurons")
    lipschitz: PositiveFloat = Field(1.0, description="L")
    reach: PositiveFloat = Field(1.0, description="offsets start uniform within this distance of the origin")

    def init(self, stream: np.random.Generator, inputs: int, outputs: int) -> dict[str, np.ndarray]:
        (neurons,) = self.hidden
        normals = stream.standard_normal((inputs, neurons))
        signs = stream.choice([-1.0, 1.0], (neurons, outputs))
        params = {
            "normals": normals / np.linalg.norm(normals, axis=0),
            "offsets": stream.uniform(-self.reach, self.reach, (1, neurons)),
            "roots": signs / signs.size**0.5,
        }
        return {name: value.astype(np.float32) for name, value in params.items()}

    def apply(self, params: Params, x: torch.Tensor) -> torch.Tensor:
        neurons = affine(x, normalize(params["normals"], dim=1), -params["offsets"]).relu()
        return product(neurons, self.lipschitz * shares(params["roots"]))

    def project(self, params: Params) -> None:
        params["normals"].copy_(normalize(params["normals"], dim=1))
        params["roots"] /= torch.linalg.vector_norm(params["roots"], dim=(1, 2), keepdim=True)

    def lipschitz_bound(self) -> float | None:
        return self.lipschitz


def shares(roots: torch.Tensor) -> torch.Tensor:
    """(E, k, outputs) -> r|r| / sum r², whose absolute values sum to 1 in each member."""
    squares = roots * roots.abs()
    return squares / squares.abs().sum(dim=(1, 2), keepdim=True)

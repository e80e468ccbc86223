"""The two-layer network: the generators of Li & Dou 2020."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
import torch
from pydantic import Field, PositiveInt

from wgpipe.nets import Net, dense
from wgpipe.registry import register

if TYPE_CHECKING:
    from wgpipe.nets import Params

SECOND_MOMENTS = {"relu": 1 / 2, "cubic": 15.0}  # of a hidden unit of a standard normal number


@register("two_layer", cites=("li2020",))
class TwoLayer(Net):
    """G(z) = c + A σ(B z + b) with k hidden units, σ(u) = max(u, 0) or u³: the form of the datasets `two_layer`.

    Rows of B start uniform on the unit sphere, b and c at 0, A normal such that E|G(z)|² = 1 for standard normal z, the
    scale of those datasets.
    """

    hidden: tuple[PositiveInt] = Field((8,), description="units k")
    activation: Literal["relu", "cubic"] = "relu"

    def init(self, stream: np.random.Generator, inputs: int, outputs: int) -> dict[str, np.ndarray]:
        (units,) = self.hidden
        inner = stream.standard_normal((inputs, units))
        scale = (units * outputs * SECOND_MOMENTS[self.activation]) ** -0.5
        params = {
            "weight0": inner / np.linalg.norm(inner, axis=0),
            "bias0": np.zeros((1, units)),
            "weight1": scale * stream.standard_normal((units, outputs)),
            "bias1": np.zeros((1, outputs)),
        }
        return {name: value.astype(np.float32) for name, value in params.items()}

    def apply(self, params: Params, x: torch.Tensor) -> torch.Tensor:
        units = dense(params, 0, x)
        return dense(params, 1, units.relu() if self.activation == "relu" else units * units * units)

    def perceptron_leak(self) -> float | None:
        return 0.0 if self.activation == "relu" else None

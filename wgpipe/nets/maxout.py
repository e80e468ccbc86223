"""Maxout networks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from pydantic import Field, PositiveInt

from wgpipe.nets import Net, dense, dense_sizes
from wgpipe.registry import register

if TYPE_CHECKING:
    from wgpipe.nets import Params


@register("maxout", cites=("goodfellow2013",))
class Maxout(Net):
    """Dense layers whose units are the largest of `pieces` affine functions each; the last layer is affine.

    Weights are uniform with variance 1 / fan-in, biases uniform within 1/sqrt(fan-in).
    """

    hidden: tuple[PositiveInt, ...] = Field((64, 64), min_length=1, description="units of the hidden layers")
    pieces: int = Field(5, ge=2, description="affine functions of which a unit is the largest")

    def init(self, stream: np.random.Generator, inputs: int, outputs: int) -> dict[str, np.ndarray]:
        params = {}
        for layer, (fan_in, units) in enumerate(dense_sizes(inputs, self.hidden, outputs)):
            width = units * self.pieces if layer < len(self.hidden) else units
            bound, shift = (3 / fan_in) ** 0.5, fan_in**-0.5
            params[f"weight{layer}"] = stream.uniform(-bound, bound, (fan_in, width)).astype(np.float32)
            params[f"bias{layer}"] = stream.uniform(-shift, shift, (1, width)).astype(np.float32)
        return params

    def apply(self, params: Params, x: torch.Tensor) -> torch.Tensor:
        for layer in range(len(self.hidden)):
            x = dense(params, layer, x).unflatten(-1, (-1, self.pieces)).amax(dim=-1)
        return dense(params, len(self.hidden), x)

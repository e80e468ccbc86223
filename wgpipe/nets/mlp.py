"""The multilayer perceptron."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
import torch
from pydantic import Field, PositiveInt
from torch.nn.functional import leaky_relu

from wgpipe.nets import Net, dense, dense_sizes
from wgpipe.registry import register

if TYPE_CHECKING:
    from wgpipe.nets import Params

LEAK = 0.2


@register("mlp", cites=("he2015",))
class Mlp(Net):
    """Dense layers with (leaky) ReLU between them, Kaiming-uniform weights, biases uniform within 1/sqrt(fan-in)."""

    hidden: tuple[PositiveInt, ...] = Field((64, 64), min_length=1, description="widths of the hidden layers")
    activation: Literal["relu", "leaky_relu"] = Field("relu", description="leaky_relu: of slope 0.2 below zero")

    def init(self, stream: np.random.Generator, inputs: int, outputs: int) -> dict[str, np.ndarray]:
        params = {}
        for layer, (fan_in, fan_out) in enumerate(dense_sizes(inputs, self.hidden, outputs)):
            bound = (6 / fan_in) ** 0.5 if layer < len(self.hidden) else (3 / fan_in) ** 0.5
            params[f"weight{layer}"] = stream.uniform(-bound, bound, (fan_in, fan_out)).astype(np.float32)
            shift = fan_in**-0.5
            params[f"bias{layer}"] = stream.uniform(-shift, shift, (1, fan_out)).astype(np.float32)
        return params

    def apply(self, params: Params, x: torch.Tensor) -> torch.Tensor:
        for layer in range(len(self.hidden)):
            x = dense(params, layer, x)
            x = x.relu() if self.activation == "relu" else leaky_relu(x, LEAK)
        return dense(params, len(self.hidden), x)

    def perceptron_leak(self) -> float | None:
        return LEAK if self.activation == "leaky_relu" else 0.0

"""GroupSort networks with orthonormal weights: Lipschitz by construction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
import torch
from pydantic import Field, PositiveFloat, PositiveInt, model_validator

from wgpipe.nets import Net, affine, dense_sizes, product
from wgpipe.registry import register

if TYPE_CHECKING:
    from wgpipe.nets import Params

NEWTON_STEPS = 2  # after an update; `apply` takes one more


@register("groupsort", cites=("anil2019",))
class GroupSort(Net):
    """Orthonormal layers with sorting of units between them, times L; universal among L-Lipschitz functions.

    After each update the weights are put back on the Stiefel manifold by Newton-Schulz steps (Björck and Bowie's
    first-order iteration), which converge quadratically from the small distance that one update moves them. One more
    such step is part of the network: it leaves orthonormal weights as they are, and its derivative there is the
    projection onto the tangent space, without which Adam would spend its steps on directions that are undone.
    """

    hidden: tuple[PositiveInt, ...] = Field((64, 64), description="widths of the hidden layers")
    lipschitz: PositiveFloat = Field(1.0, description="L")
    sort: Literal["pairs", "full"] = Field("pairs", description="groups of two units, or all units of a layer as one")

    @model_validator(mode="after")
    def _even(self) -> GroupSort:
        for width in self.hidden:
            if self.sort == "pairs" and width % 2:
                raise ValueError(f"GroupSort sorts pairs, so widths must be even, and {width} is odd")
        return self

    def init(self, stream: np.random.Generator, inputs: int, outputs: int) -> dict[str, np.ndarray]:
        params = {}
        for layer, (fan_in, fan_out) in enumerate(dense_sizes(inputs, self.hidden, outputs)):
            tall = np.linalg.qr(stream.standard_normal((max(fan_in, fan_out), min(fan_in, fan_out))))[0]
            params[f"weight{layer}"] = (tall if fan_in >= fan_out else tall.T).astype(np.float32)
            params[f"bias{layer}"] = np.zeros((1, fan_out), dtype=np.float32)
        return params

    def apply(self, params: Params, x: torch.Tensor) -> torch.Tensor:
        for layer in range(len(self.hidden)):
            x = affine(x, self._orthonormal(params, layer, 1), params[f"bias{layer}"])
            x = sort_pairs(x) if self.sort == "pairs" else sort_all(x)
        layer = len(self.hidden)
        return self.lipschitz * affine(x, self._orthonormal(params, layer, 1), params[f"bias{layer}"])

    def project(self, params: Params) -> None:
        for layer in range(len(self.hidden) + 1):
            params[f"weight{layer}"].copy_(self._orthonormal(params, layer, NEWTON_STEPS))

    def lipschitz_bound(self) -> float | None:
        return self.lipschitz

    def _orthonormal(self, params: Params, layer: int, steps: int) -> torch.Tensor:
        return orthonormalise(params[f"weight{layer}"], steps, last=layer == len(self.hidden))


def sort_pairs(x: torch.Tensor) -> torch.Tensor:
    """(…, 2k) -> the smaller, then the larger of each pair (x_i, x_{i+k}); a ReLU is faster here than min and max."""
    left, right = x.chunk(2, dim=-1)
    excess = (left - right).relu()
    return torch.cat([left - excess, right + excess], dim=-1)


def sort_all(x: torch.Tensor) -> torch.Tensor:
    """(…, k) sorted along the last axis; on CPU by NumPy, which sorts short rows four times as fast as torch."""
    if x.device.type != "cpu":
        return x.sort(dim=-1).values
    return x.gather(-1, torch.from_numpy(x.detach().numpy().argsort(axis=-1)))


def orthonormalise(weight: torch.Tensor, steps: int, last: bool = False) -> torch.Tensor:
    """(E, a, b) -> the nearest matrices with orthonormal rows or columns, by `steps` Newton-Schulz steps.

    A step takes singular values from [0, 2] into [0, 1], so that the Lipschitz bound holds before convergence too. The
    `last` layer is told, for products are formed on the side of a hidden layer: BLAS rounds those of other sizes by the
    place of a member in its stack.
    """
    for _ in range(steps):
        cube = product(product(weight, weight.mT), weight) if last else product(weight, product(weight.mT, weight))
        weight = 1.5 * weight - 0.5 * cube
    return weight

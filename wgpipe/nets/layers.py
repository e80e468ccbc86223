"""Layers of networks for images, of one member at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.nn import functional

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wgpipe.nets import Params
    from wgpipe.nets.pictures import Layer


def members(params: Params) -> Iterator[Params]:
    """Parameters (E, …) of a stack -> those of each member, without the leading axis."""
    for values in zip(*(value.unbind() for value in params.values()), strict=True):
        yield dict(zip(params, values, strict=True))


class Member:
    """Parameters of one member. Batch normalisation takes the fixed statistics among them, or those of the batch."""

    def __init__(self, params: Params) -> None:
        self.params = params

    def __call__(self, layer: Layer, x: torch.Tensor) -> torch.Tensor:
        """(B, C, H, W), for dense layers of any shape, -> (B, C', H', W'), normalised if the layer says so."""
        if layer.kind == "normalisation":
            return self._normalised(layer, x)
        weight, bias = self.params[f"{layer.name}_weight"], self.params.get(f"{layer.name}_bias")
        if layer.kind == "dense":
            product = x.flatten(1) @ weight if bias is None else torch.addmm(bias, x.flatten(1), weight)
            y = product.unflatten(1, layer.outputs)
        elif layer.kind == "convolution":
            y = functional.conv2d(x, weight, bias, layer.stride, layer.padding)
        else:
            side = (x.shape[-1] - 1) * layer.stride - 2 * layer.padding + layer.kernel
            missing = layer.outputs[-1] - side
            y = functional.conv_transpose2d(x, weight, bias, layer.stride, layer.padding, missing)
        return y if layer.norm == "none" else self._normalised(layer, y)

    def _normalised(self, layer: Layer, y: torch.Tensor) -> torch.Tensor:
        scale, shift = self.params[f"{layer.name}_scale"], self.params[f"{layer.name}_shift"]
        if layer.norm == "layer":
            return functional.group_norm(y, 1, scale, shift)
        return self._batch_norm(layer, y, scale, shift)

    def _batch_norm(self, layer: Layer, y: torch.Tensor, scale: torch.Tensor, shift: torch.Tensor) -> torch.Tensor:
        mean, variance = (self.params.get(name) for name in statistics(layer))
        return functional.batch_norm(y, mean, variance, scale, shift, training=mean is None)


class Settling(Member):
    """A member that keeps the mean, over batches, of each batch's mean and unbiased variance."""

    def __init__(self, params: Params) -> None:
        super().__init__(params)
        self.batches = 0
        self.running: dict[Layer, tuple[torch.Tensor, torch.Tensor]] = {}

    def next_batch(self) -> None:
        """Call before each pass."""
        self.batches += 1

    def state(self) -> Params:
        """The statistics, under the names that make them fixed ones."""
        return {
            name: value
            for layer, running in self.running.items()
            for name, value in zip(statistics(layer), running, strict=True)
        }

    def _batch_norm(self, layer: Layer, y: torch.Tensor, scale: torch.Tensor, shift: torch.Tensor) -> torch.Tensor:
        if layer not in self.running:
            self.running[layer] = torch.zeros_like(scale), torch.zeros_like(scale)
        return functional.batch_norm(y, *self.running[layer], scale, shift, training=True, momentum=1 / self.batches)


def statistics(layer: Layer) -> tuple[str, str]:
    """Where the fixed mean and variance of a layer's channels stand among the parameters."""
    return f"state.{layer.name}_mean", f"state.{layer.name}_variance"

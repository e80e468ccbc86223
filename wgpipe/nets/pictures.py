"""Networks from codes to images and from images to values: what they share. Loads torch only to compute.

An image is a row, its channels one after the other. No number is both a square and three times one, so that such a
network knows by its sizes alone what it draws or looks at.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

from wgpipe.errors import UserError
from wgpipe.nets import Net, Size

if TYPE_CHECKING:
    import torch

    from wgpipe.nets import Params
    from wgpipe.nets.layers import Member

Shape = tuple[int, int, int]  # channels, height, width
Norm = Literal["batch", "layer", "none"]

CANVAS = "state.canvas"  # (E, channels, side) of zeros: what the parameters of a network that draws do not tell


def image_shape(dimension: int) -> Shape:
    """(1, side, side) for side², (3, side, side) for 3 side²; `UserError` for any other dimension."""
    for channels in (1, 3):
        side = math.isqrt(dimension // channels)
        if channels * side**2 == dimension:
            return channels, side, side
    raise UserError(f"dimension {dimension} is that of no square image; accepted: side² (grey) or 3·side² (colour).")


def halvings(side: int, last: int) -> list[int]:
    """`side`, and its halves rounded up, until one is at most `last`: 28, 14, 7, 4 for 4."""
    sides = [side]
    while sides[-1] > last:
        sides.append(-(-sides[-1] // 2))
    return sides


@dataclass(frozen=True)
class Layer:
    """A layer with weights between two images; a vector is an image of 1×1. It keeps, halves or doubles the side."""

    name: str
    kind: Literal["dense", "convolution", "transposed", "normalisation"]
    inputs: Shape
    outputs: Shape
    kernel: int = 1
    norm: Norm = "none"

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the weights, as torch orders them, and dense ones as (in, out); a normalisation alone has none."""
        if self.kind == "normalisation":
            return ()
        if self.kind == "dense":
            return math.prod(self.inputs), math.prod(self.outputs)
        first, second = self.inputs[0], self.outputs[0]
        if self.kind == "convolution":
            first, second = second, first
        return first, second, self.kernel, self.kernel

    @property
    def fans(self) -> tuple[int, int]:
        """Inputs of a unit, and units that an input goes to, were the stride 1."""
        if self.kind == "dense":
            return math.prod(self.inputs), math.prod(self.outputs)
        return self.inputs[0] * self.kernel**2, self.outputs[0] * self.kernel**2

    @property
    def stride(self) -> int:
        """1 where the side stays, otherwise 2."""
        return 1 if self.inputs[1] == self.outputs[1] else 2

    @property
    def padding(self) -> int:
        """At each edge, so that a side of s becomes s / stride, rounded up; of a transposed layer, its adjoint's."""
        large, small = sorted((self.inputs[1], self.outputs[1]), reverse=True)
        return -(-((small - 1) * self.stride + self.kernel - large) // 2)

    @property
    def size(self) -> Size:
        """Weights, multiplications and values, those of the activation after it left out."""
        count = math.prod(self.shape) if self.shape else 0
        places = 1 if self.kind == "dense" else (self.inputs if self.kind == "transposed" else self.outputs)[1] ** 2
        twice = self.norm != "none" and self.kind != "normalisation"
        return Size(count, count * places, math.prod(self.outputs) * (2 if twice else 1))


class PictureNet(Net):
    """A network that draws images if it has more outputs than inputs, and otherwise looks at them.

    Members are passed one after the other: a stack of convolutions is no faster, and normalisation cannot mix them.
    """

    one_batch_at_a_time: ClassVar[bool] = True
    smallest: ClassVar[int]  # side of an image
    keeps_activations: ClassVar[bool] = True  # besides what the next layer keeps for the way back

    def draws(self, inputs: int, outputs: int) -> bool:
        """Whether images come out of it."""
        return outputs > inputs

    def check(self, inputs: int, outputs: int) -> None:
        """That it can be made; `UserError` says why not."""
        try:
            _, side, _ = image_shape(outputs if self.draws(inputs, outputs) else inputs)
        except UserError as error:
            raise UserError(f"net '{self.registered_name}': {error}") from None
        if side < self.smallest:
            raise UserError(
                f"net '{self.registered_name}': an image of {side}×{side} is too small;"
                f" accepted: sides of {self.smallest} and more."
            )

    def layers(self, inputs: int, outputs: int) -> dict[str, Layer]:
        """All layers with weights, by name, in their order."""
        draws = self.draws(inputs, outputs)
        found = self.drawing(inputs, image_shape(outputs)) if draws else self.looking(image_shape(inputs), outputs)
        return {layer.name: layer for layer in found}

    def drawing(self, inputs: int, image: Shape) -> list[Layer]:
        """Layers from codes to an image."""
        raise NotImplementedError

    def looking(self, image: Shape, outputs: int) -> list[Layer]:
        """Layers from an image to values."""
        raise NotImplementedError

    def draw(self, member: Member, layers: dict[str, Layer], x: torch.Tensor) -> torch.Tensor:
        """(B, inputs) -> (B, C, H, W)."""
        raise NotImplementedError

    def look(self, member: Member, layers: dict[str, Layer], x: torch.Tensor) -> torch.Tensor:
        """(B, C, H, W) -> (B, outputs)."""
        raise NotImplementedError

    def weight(self, stream: np.random.Generator, layer: Layer) -> np.ndarray:
        """First weights of a layer."""
        raise NotImplementedError

    def scale(self, stream: np.random.Generator, layer: Layer) -> np.ndarray:
        """First factors of a normalisation, one a channel."""
        return np.ones(layer.outputs[0])

    def init(self, stream: np.random.Generator, inputs: int, outputs: int) -> dict[str, np.ndarray]:
        self.check(inputs, outputs)
        params = {}
        for name, layer in self.layers(inputs, outputs).items():
            if layer.shape:
                params[f"{name}_weight"] = self.weight(stream, layer)
            bias = np.zeros(math.prod(layer.outputs) if layer.kind == "dense" else layer.outputs[0])
            if layer.norm == "none":
                params[f"{name}_bias"] = bias
            else:
                params |= {f"{name}_scale": self.scale(stream, layer), f"{name}_shift": np.zeros(layer.outputs[0])}
        if self.draws(inputs, outputs):
            params[CANVAS] = np.zeros(image_shape(outputs)[:2])
        return {name: value.astype(np.float32) for name, value in params.items()}

    def apply(self, params: Params, x: torch.Tensor) -> torch.Tensor:
        import torch

        from wgpipe.nets.layers import Member, members

        layers = _layers(self, *_sizes(params, x))
        passes = [self._forward(Member(one), layers, own) for one, own in zip(members(params), x, strict=True)]
        return torch.stack(passes)

    def settled(self, params: Params, batches: Iterable[torch.Tensor]) -> Params:
        if not self.normalises_batches():
            return params
        import torch

        from wgpipe.nets.layers import Settling, members

        settling = [Settling(one) for one in members(params)]
        for batch in batches:
            layers = _layers(self, *_sizes(params, batch))
            for member, own in zip(settling, batch, strict=True):
                member.next_batch()
                self._forward(member, layers, own)
        states = [member.state() for member in settling]
        return {**params, **{name: torch.stack([state[name] for state in states]) for name in states[0]}}

    def size(self, inputs: int, outputs: int) -> Size:
        layers = self.layers(inputs, outputs).values()
        size = Size(*(sum(each) for each in zip(*(layer.size for layer in layers), strict=True)))
        activations = sum(math.prod(layer.outputs) for layer in layers) if self.keeps_activations else 0
        return size._replace(values=size.values + activations)

    def _forward(self, member: Member, layers: dict[str, Layer], x: torch.Tensor) -> torch.Tensor:
        if CANVAS in member.params:
            return self.draw(member, layers, x).flatten(1)
        return self.look(member, layers, x.unflatten(1, image_shape(x.shape[1])))


@functools.cache
def _layers(net: PictureNet, inputs: int, outputs: int) -> dict[str, Layer]:
    return net.layers(inputs, outputs)


def _sizes(params: Params, x: torch.Tensor) -> tuple[int, int]:
    """Inputs and outputs of networks with these parameters."""
    if CANVAS in params:
        channels, side = params[CANVAS].shape[1:]
        return x.shape[-1], channels * side**2
    return x.shape[-1], params["values_bias"].shape[1]

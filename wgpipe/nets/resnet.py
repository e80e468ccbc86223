"""The small residual networks of WGAN-GP."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from pydantic import Field, PositiveInt

from wgpipe.nets.pictures import Layer, Norm, PictureNet, Shape, halvings
from wgpipe.registry import register

if TYPE_CHECKING:
    import torch

    from wgpipe.nets.layers import Member

KERNEL = 3
SMALLEST_DRAWN, SMALLEST_SEEN = 4, 8  # sides
FIRST = "down0"  # the block at an image
PLAIN_BLOCKS = 2  # at the smallest side, of a network that looks at images


@register("resnet", cites=("gulrajani2017", "he2016"))
class Resnet(PictureNet):
    """Residual blocks of two 3×3 convolutions, as in the CIFAR-10 networks of Gulrajani et al. 2017.

    A network that draws doubles the side from 4×4 by nearest neighbours, block by block, and ends with normalisation,
    ReLU, a convolution and tanh. One that looks at images halves the side by means down to 8×8, has two more blocks,
    ReLU, the mean over places, and a dense layer. Sides are rounded up. Before each convolution of a block stand
    normalisation and ReLU, apart from the first one at an image; a shortcut that changes the side is a 1×1 convolution.
    Weights are uniform with variance 2 / fan-in after a ReLU and 1 / fan-in elsewhere.
    """

    smallest: ClassVar[int] = SMALLEST_SEEN + 1
    keeps_activations: ClassVar[bool] = False

    width: PositiveInt = Field(128, description="channels of all layers")
    norm: Norm = Field("batch", description="with a gradient penalty on the critic: layer or none")

    def drawing(self, inputs: int, image: Shape) -> list[Layer]:
        images = [(self.width, side, side) for side in halvings(image[1], SMALLEST_DRAWN)[::-1]]
        layers = [Layer("codes", "dense", (inputs, 1, 1), images[0])]
        for number, (small, large) in enumerate(pairwise(images)):
            layers += self._block(f"up{number}", small, large, large)
        return [*layers, *self._normalisation("last_norm", images[-1]), _convolution("image", images[-1], image)]

    def looking(self, image: Shape, outputs: int) -> list[Layer]:
        sides = halvings(image[1], SMALLEST_SEEN)
        images = [image, *((self.width, side, side) for side in sides[1:])]
        images += [images[-1]] * PLAIN_BLOCKS
        layers = []
        for number, (large, small) in enumerate(pairwise(images)):
            layers += self._block(f"down{number}", large, (self.width, *large[1:]), small)
        return [*layers, Layer("values", "dense", (self.width, 1, 1), (outputs, 1, 1))]

    def draw(self, member: Member, layers: dict[str, Layer], x: torch.Tensor) -> torch.Tensor:
        from torch.nn.functional import interpolate

        x = member(layers["codes"], x)
        for block in _blocks(layers):
            side = layers[f"{block}_a"].inputs[1:]
            inner = interpolate(_active(member, layers, f"{block}_norm_a", x), side)
            inner = _active(member, layers, f"{block}_norm_b", member(layers[f"{block}_a"], inner))
            x = member(layers[f"{block}_b"], inner) + member(layers[f"{block}_short"], interpolate(x, side))
        return member(layers["image"], _active(member, layers, "last_norm", x)).tanh()

    def look(self, member: Member, layers: dict[str, Layer], x: torch.Tensor) -> torch.Tensor:
        from torch.nn.functional import avg_pool2d

        for block in _blocks(layers):
            inner = x if block == FIRST else _active(member, layers, f"{block}_norm_a", x)
            inner = _active(member, layers, f"{block}_norm_b", member(layers[f"{block}_a"], inner))
            inner = member(layers[f"{block}_b"], inner)
            if f"{block}_short" in layers:
                inner, x = (avg_pool2d(each, 2, ceil_mode=True) for each in (inner, x))
                x = member(layers[f"{block}_short"], x)
            x = x + inner
        return member(layers["values"], x.relu().mean(dim=(2, 3))).flatten(1)

    def weight(self, stream: np.random.Generator, layer: Layer) -> np.ndarray:
        after_relu = layer.kernel == KERNEL and layer.name != f"{FIRST}_a"
        bound = ((6 if after_relu else 3) / layer.fans[0]) ** 0.5
        return stream.uniform(-bound, bound, layer.shape)

    def normalises_batches(self) -> bool:
        return self.norm == "batch"

    def _block(self, name: str, before: Shape, between: Shape, after: Shape) -> list[Layer]:
        """Layers of a block from `before` to `after`, whose convolutions keep the side of `between`."""
        inside = (before[0], *between[1:])
        first = [] if name == FIRST else self._normalisation(f"{name}_norm_a", before)
        layers = [*first, _convolution(f"{name}_a", inside, between)]
        layers += [*self._normalisation(f"{name}_norm_b", between), _convolution(f"{name}_b", between, between)]
        if before == after:
            return layers
        return [*layers, Layer(f"{name}_short", "convolution", (before[0], *after[1:]), after)]

    def _normalisation(self, name: str, image: Shape) -> list[Layer]:
        return [] if self.norm == "none" else [Layer(name, "normalisation", image, image, norm=self.norm)]


def _convolution(name: str, before: Shape, after: Shape) -> Layer:
    return Layer(name, "convolution", before, after, KERNEL)


def _blocks(layers: dict[str, Layer]) -> list[str]:
    return [name.removesuffix("_a") for name in layers if name.endswith("_a") and not name.endswith("_norm_a")]


def _active(member: Member, layers: dict[str, Layer], normalisation: str, x: torch.Tensor) -> torch.Tensor:
    """ReLU, after a normalisation where there is one."""
    layer = layers.get(normalisation)
    return (x if layer is None else member(layer, x)).relu()

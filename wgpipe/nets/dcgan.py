"""The deep convolutional networks of DCGAN."""

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

SMALLEST = 4
DEVIATION = 0.02
LEAK = 0.2


@register("dcgan", cites=("radford2016", "unterthiner2018"))
class Dcgan(PictureNet):
    """Convolutions of stride 2 down to 4×4, or transposed ones up from there and tanh (Radford et al. 2016, section 3).

    Each halving of the side, rounded up, doubles the channels: 28, 14, 7, 4. ReLU on the way up, leaky ReLU of slope .2
    on the way down; no normalisation of the image that comes out or of the first layer that looks at one; weights
    N(0, .02²). Kernel 5 and width 128 are the networks of the Coulomb GAN. Layer normalisation is over all channels
    and places of a point, with a scale and a shift a channel.
    """

    smallest: ClassVar[int] = 5

    width: PositiveInt = Field(64, description="channels at half the image's side")
    kernel: int = Field(4, ge=2, le=9, description="side of the convolutions")
    norm: Norm = Field("batch", description="with a gradient penalty on the critic: layer or none")

    def drawing(self, inputs: int, image: Shape) -> list[Layer]:
        images = self._images(image)[::-1]
        layers = [Layer("codes", "dense", (inputs, 1, 1), images[0], norm=self.norm)]
        for number, (small, large) in enumerate(pairwise(images)):
            norm: Norm = "none" if large == image else self.norm
            layers.append(Layer(f"up{number}", "transposed", small, large, self.kernel, norm))
        return layers

    def looking(self, image: Shape, outputs: int) -> list[Layer]:
        images = self._images(image)
        layers = [
            Layer(f"down{number}", "convolution", large, small, self.kernel, "none" if large == image else self.norm)
            for number, (large, small) in enumerate(pairwise(images))
        ]
        return [*layers, Layer("values", "dense", images[-1], (outputs, 1, 1))]

    def draw(self, member: Member, layers: dict[str, Layer], x: torch.Tensor) -> torch.Tensor:
        *hidden, last = layers.values()
        for layer in hidden:
            x = member(layer, x).relu()
        return member(last, x).tanh()

    def look(self, member: Member, layers: dict[str, Layer], x: torch.Tensor) -> torch.Tensor:
        from torch.nn.functional import leaky_relu

        *hidden, last = layers.values()
        for layer in hidden:
            x = leaky_relu(member(layer, x), LEAK)
        return member(last, x).flatten(1)

    def weight(self, stream: np.random.Generator, layer: Layer) -> np.ndarray:
        return DEVIATION * stream.standard_normal(layer.shape)

    def scale(self, stream: np.random.Generator, layer: Layer) -> np.ndarray:
        return 1 + DEVIATION * stream.standard_normal(layer.outputs[0])

    def normalises_batches(self) -> bool:
        return self.norm == "batch"

    def _images(self, image: Shape) -> list[Shape]:
        """From the image to the smallest one between the layers."""
        sides = halvings(image[1], SMALLEST)
        return [image, *((self.width * 2**number, side, side) for number, side in enumerate(sides[1:]))]

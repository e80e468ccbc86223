"""The two halves of BEGAN's autoencoder."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np
from pydantic import Field, PositiveInt

from wgpipe.nets.pictures import Layer, PictureNet, Shape, halvings
from wgpipe.registry import register

if TYPE_CHECKING:
    import torch

    from wgpipe.nets.layers import Member

SMALLEST = 8
KERNEL = 3


@register("autoencoder", cites=("berthelot2017",))
class Autoencoder(PictureNet):
    """Two 3×3 convolutions with ELU at each resolution down to 8×8 (Berthelot et al. 2017, section 3.5, figure 1).

    An encoder halves the side, rounded up, by the stride of the first of them, and has width, 2 width, 3 width, …
    channels; a dense layer gives the codes. A decoder, which is the generator's form too, has width channels at all
    resolutions, the next one by its nearest neighbours, and a last convolution without an activation. Weights are
    uniform with variance 2 / (fan-in + fan-out), of which the paper says nothing.
    """

    smallest: ClassVar[int] = 5

    width: PositiveInt = Field(64, description="n, channels at the image's side")

    def drawing(self, inputs: int, image: Shape) -> list[Layer]:
        images = [(self.width, side, side) for side in halvings(image[1], SMALLEST)[::-1]]
        layers = [Layer("codes", "dense", (inputs, 1, 1), images[0])]
        for number, own in enumerate(images):
            layers += [Layer(f"up{number}{place}", "convolution", own, own, KERNEL) for place in "ab"]
        return [*layers, Layer("image", "convolution", images[-1], image, KERNEL)]

    def looking(self, image: Shape, outputs: int) -> list[Layer]:
        sides = halvings(image[1], SMALLEST)
        images = [(self.width * number, side, side) for number, side in enumerate(sides, start=1)]
        layers = [Layer("image", "convolution", image, images[0], KERNEL)]
        for number, (before, own) in enumerate(zip([images[0], *images], images, strict=False)):
            layers.append(Layer(f"down{number}a", "convolution", before, own, KERNEL))
            layers.append(Layer(f"down{number}b", "convolution", own, own, KERNEL))
        return [*layers, Layer("values", "dense", images[-1], (outputs, 1, 1))]

    def draw(self, member: Member, layers: dict[str, Layer], x: torch.Tensor) -> torch.Tensor:
        from torch.nn.functional import elu, interpolate

        first, *hidden, last = layers.values()
        x = member(first, x)
        for layer in hidden:
            if x.shape[-1] != layer.inputs[-1]:
                x = interpolate(x, layer.inputs[1:])
            x = elu(member(layer, x))
        return member(last, x)

    def look(self, member: Member, layers: dict[str, Layer], x: torch.Tensor) -> torch.Tensor:
        from torch.nn.functional import elu

        *hidden, last = layers.values()
        for layer in hidden:
            x = elu(member(layer, x))
        return member(last, x).flatten(1)

    def weight(self, stream: np.random.Generator, layer: Layer) -> np.ndarray:
        bound = (6 / sum(layer.fans)) ** 0.5
        return stream.uniform(-bound, bound, layer.shape)

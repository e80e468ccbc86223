"""One side of an adversarial training: a network, the parameters of E members, and their optimiser."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from wgpipe.nets import Net, Params
from wgpipe.train.adam import Adam, pack


class Side:
    """Generators or critics of a stack. Trained parameters are views of one (E, P) tensor, `packed`."""

    def __init__(
        self, net: Net, inputs: int, outputs: int, streams: Sequence[np.random.Generator], place: torch.Tensor
    ) -> None:
        """Initial parameters, a member a stream; device and precision are those of `place`."""
        self.net, self.inputs, self.outputs = net, inputs, outputs
        members = [net.init(stream, inputs, outputs) for stream in streams]
        arrays = {name: np.stack([one[name] for one in members]) for name in members[0]}
        self.params: Params = {name: torch.from_numpy(array).to(place) for name, array in arrays.items()}
        for value in self.trained().values():
            value.requires_grad_()
        self.packed = pack(self.trained())

    def trained(self) -> Params:
        """Parameters that the optimiser changes."""
        return trained(self.params)

    def optimiser(self, betas: tuple[float, float]) -> Adam:
        """Adam on these parameters."""
        return Adam(self.packed, betas)


def trained(params: Params) -> Params:
    """Parameters that the optimiser changes: all but a net's own state."""
    return {name: value for name, value in params.items() if not name.startswith("state.")}

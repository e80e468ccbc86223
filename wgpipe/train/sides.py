"""One side of an adversarial training: its networks, the parameters of E members, and their optimiser."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch

from wgpipe.nets import Net, Params
from wgpipe.recipe import Training
from wgpipe.train.adam import Adam, pack
from wgpipe.train.critic import method_state, named_part, of_part
from wgpipe.train.rmsprop import RmsProp

Sizes = Mapping[str, tuple[int, int]]  # part -> (inputs, outputs)


class Side:
    """Generators or critics of a stack. Trained parameters are views of one (E, P) tensor, `packed`."""

    def __init__(
        self,
        net: Net,
        parts: Sizes,
        state: Mapping[str, float],
        streams: Sequence[np.random.Generator],
        place: torch.Tensor,
        training: Training,
    ) -> None:
        """Initial parameters, a member a stream; device and precision are those of `place`."""
        self.net, self.parts, self.state = net, parts, state
        members = [self._member(stream) for stream in streams]
        arrays = {name: np.stack([one[name] for one in members]) for name in members[0]}
        self.params: Params = {name: torch.from_numpy(array).to(place) for name, array in arrays.items()}
        for value in self.trained().values():
            value.requires_grad_()
        self.packed = pack(self.trained())
        adam = training.optimiser == "adam"
        self.optimiser = Adam(self.packed, training.betas) if adam else RmsProp(self.packed)

    @property
    def inputs(self) -> int:
        """Dimension of what the first network takes."""
        return next(iter(self.parts.values()))[0]

    @torch.no_grad()
    def load(self, stored: Mapping[str, torch.Tensor]) -> None:
        """Take over parameters; with state that only settled ones have."""
        for name, value in stored.items():
            if name in self.params:
                self.params[name].copy_(value)
            else:
                self.params[name] = value.to(self.packed)

    def trained(self) -> Params:
        """Parameters that the optimiser changes."""
        return trained(self.params)

    def project(self, params: Params) -> None:
        """Put parameters of this side, or an average of them, back where the architecture wants them."""
        for part in self.parts:
            self.net.project(of_part(params, part))

    def _member(self, stream: np.random.Generator) -> dict[str, np.ndarray]:
        arrays: dict[str, np.ndarray] = {}
        for part, (inputs, outputs) in self.parts.items():
            arrays |= named_part(part, self.net.init(stream, inputs, outputs))
        return arrays | {method_state(name): np.full(1, value, np.float32) for name, value in self.state.items()}


def trained(params: Params) -> Params:
    """Parameters that the optimiser changes: all but a net's or a method's own state."""
    return {name: value for name, value in params.items() if not name.startswith("state.")}

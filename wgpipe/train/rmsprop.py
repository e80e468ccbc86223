"""RMSprop for stacks of parameters, in place."""

from __future__ import annotations

import torch

from wgpipe.nets import Params

EPSILON = 1e-8
DECAY = 0.99


class RmsProp:
    """Tieleman & Hinton 2012, lecture 6.5, on packed parameters, as in `torch.optim.RMSprop` with its defaults."""

    def __init__(self, packed: torch.Tensor) -> None:
        self.packed = packed
        self.square = torch.zeros_like(packed)
        self.steps = torch.zeros((), dtype=torch.float32, device=packed.device)

    def step(self, gradient: torch.Tensor, rate: float) -> None:
        """One update of all parameters, with their gradient packed like them."""
        self.steps += 1
        self.square.mul_(DECAY).addcmul_(gradient, gradient, value=1 - DECAY)
        self.packed.addcdiv_(gradient, self.square.sqrt().add_(EPSILON), value=-rate)

    def moments(self) -> Params:
        """(E, P) the running mean of the squared gradient: all that RMSprop keeps."""
        return {"square": self.square}

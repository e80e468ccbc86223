"""Adam for stacks of parameters, in place."""

from __future__ import annotations

import torch

from wgpipe.nets import Params

EPSILON = 1e-8
LANES = 64  # numbers; a multiple of what a kernel's vector loop takes at once on any CPU


class Adam:
    """Kingma & Ba 2015, algorithm 1, on packed parameters, through torch's fused kernel.

    The kernel is called directly: `torch.optim` loads torch's compiler at its first step, 1.6 s in every process.
    """

    def __init__(self, packed: torch.Tensor, betas: tuple[float, float]) -> None:
        self.packed = packed
        self.betas = betas
        self.mean = torch.zeros_like(packed)
        self.square = torch.zeros_like(packed)
        self.steps = torch.zeros((), dtype=torch.float32, device=packed.device)

    def step(self, gradient: torch.Tensor, rate: float) -> None:
        """One update of all parameters, with their gradient packed like them."""
        self.steps += 1
        torch._fused_adam_(
            [self.packed],
            [gradient],
            [self.mean],
            [self.square],
            [],
            [self.steps],
            lr=rate,
            beta1=self.betas[0],
            beta2=self.betas[1],
            weight_decay=0.0,
            eps=EPSILON,
            amsgrad=False,
            maximize=False,
        )

    def moments(self) -> Params:
        """(E, P) running means of the gradient and of its square; with the number of updates all that Adam keeps."""
        return {"mean": self.mean, "square": self.square}


def pack(params: Params) -> torch.Tensor:
    """Move the parameters of E members into one (E, P) tensor, a row a member, and make them views of it.

    Rows are padded with zeros to whole vector registers. Kernels round the numbers that do not fill a register
    differently, so that otherwise a member's bytes would depend on its place in the stack.
    """
    packed = side_by_side(tuple(value.detach() for value in params.values()))
    for name, view in views(packed, params).items():
        params[name].data = view
    return packed


def views(packed: torch.Tensor, params: Params) -> Params:
    """Parts of (E, P) with the names and shapes of `params`, in their order."""
    parts, first = {}, 0
    for name, value in params.items():
        width = value[0].numel()
        parts[name] = packed[:, first : first + width].view(value.shape)
        first += width
    return parts


def side_by_side(values: tuple[torch.Tensor, ...]) -> torch.Tensor:
    """Tensors (E, …) as rows of one (E, P), padded with zeros."""
    rows = [value.flatten(1) for value in values]
    padding = -sum(row.shape[1] for row in rows) % LANES
    return torch.cat([*rows, rows[0].new_zeros(len(rows[0]), padding)], dim=1)

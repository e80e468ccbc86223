"""RMSprop on packed parameters is torch's RMSprop on each."""

from __future__ import annotations

import torch

from wgpipe.train.adam import pack, side_by_side
from wgpipe.train.rmsprop import RmsProp


def test_updates_are_those_of_torch() -> None:
    generator = torch.Generator().manual_seed(0)
    shapes = {"weight0": (3, 5, 7), "bias0": (3, 1, 7)}
    params = {name: torch.randn(shape, generator=generator, dtype=torch.float64) for name, shape in shapes.items()}
    theirs = [value.clone().requires_grad_() for value in params.values()]
    torchs = torch.optim.RMSprop(theirs, lr=1e-2)
    ours = RmsProp(pack(params))
    for step in range(5):
        gradients = [torch.randn(value.shape, generator=generator, dtype=torch.float64) for value in theirs]
        for value, gradient in zip(theirs, gradients, strict=True):
            value.grad = gradient
        torchs.param_groups[0]["lr"] = 1e-2 / (1 + step)
        torchs.step()
        ours.step(side_by_side(tuple(gradients)), 1e-2 / (1 + step))
        for found, expected in zip(params.values(), theirs, strict=True):
            torch.testing.assert_close(found, expected.detach())
    assert ours.steps == 5

"""Adam on packed parameters is torch's Adam on each, and treats all members alike."""

from __future__ import annotations

import pytest
import torch

from wgpipe.nets import Params
from wgpipe.train.adam import LANES, Adam, pack, side_by_side, views


@pytest.fixture
def params() -> Params:
    generator = torch.Generator().manual_seed(0)
    shapes = {"weight0": (3, 5, 7), "bias0": (3, 1, 7), "weight1": (3, 7, 1)}
    return {name: torch.randn(shape, generator=generator, dtype=torch.float64) for name, shape in shapes.items()}


def test_packed_parameters_keep_their_values_and_share_memory(params: Params) -> None:
    before = {name: value.clone() for name, value in params.items()}
    packed = pack(params)
    assert packed.shape == (3, LANES)
    assert all(torch.equal(params[name], before[name]) for name in params)
    packed += 1
    assert all(torch.equal(params[name], before[name] + 1) for name in params)
    params["bias0"].zero_()
    assert (packed == 0).sum() == 3 * 7


def test_views_are_parts_of_a_packed_tensor_under_the_names_and_shapes_of_the_parameters(params: Params) -> None:
    packed = side_by_side(tuple(params.values()))
    parts = views(packed, params)
    assert parts.keys() == params.keys()
    assert all(torch.equal(parts[name], value) for name, value in params.items())
    packed += 1
    assert all(torch.equal(parts[name], value + 1) for name, value in params.items())


def test_a_row_is_a_whole_number_of_registers() -> None:
    assert pack({"weight0": torch.ones(2, 8, 8)}).shape == (2, 64)
    packed = pack({"weight0": torch.ones(2, 8, 8), "bias0": torch.ones(2, 1, 1)})
    assert packed.shape == (2, 128)
    assert packed.sum() == 2 * 65


@pytest.mark.parametrize("betas", [(0.0, 0.9), (0.5, 0.999)])
@pytest.mark.parametrize("layout", ["contiguous", "transposed"])
def test_updates_are_those_of_torch(params: Params, betas: tuple[float, float], layout: str) -> None:
    theirs = [value.clone().requires_grad_() for value in params.values()]
    torch_adam = torch.optim.Adam(theirs, lr=1e-2, betas=betas)
    adam = Adam(pack(params), betas)
    for step in range(5):
        gradients = [torch.randn_like(value) * 10.0**-step for value in theirs]
        for value, gradient in zip(theirs, gradients, strict=True):
            value.grad = gradient
        if layout == "transposed":
            gradients = [gradient.mT.contiguous().mT for gradient in gradients]
        torch_adam.param_groups[0]["lr"] = 1e-2 / (1 + step)
        torch_adam.step()
        adam.step(side_by_side(tuple(gradients)), 1e-2 / (1 + step))
    for value, expected in zip(params.values(), theirs, strict=True):
        torch.testing.assert_close(value, expected.detach(), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("members", [2, 3, 16])
def test_members_with_equal_gradients_stay_equal_byte_for_byte(members: int) -> None:
    """The last numbers of a tensor are rounded differently where they do not fill a register: rows must."""
    one = {"weight0": torch.randn(1, 3, 5), "bias0": torch.randn(1, 1, 5)}
    stacked = {name: value.repeat(members, 1, 1) for name, value in one.items()}
    adams = Adam(pack(one), (0.5, 0.9)), Adam(pack(stacked), (0.5, 0.9))
    for _ in range(5):
        gradients = tuple(torch.randn_like(value) for value in one.values())
        adams[0].step(side_by_side(gradients), 1e-3)
        adams[1].step(side_by_side(tuple(gradient.repeat(members, 1, 1) for gradient in gradients)), 1e-3)
    states = [(adam.packed, *adam.moments().values()) for adam in adams]
    for alone, together in zip(*states, strict=True):
        assert torch.equal(alone.expand_as(together), together)


def test_padding_stays_zero(params: Params) -> None:
    adam = Adam(pack(params), (0.5, 0.9))
    for _ in range(3):
        adam.step(side_by_side(tuple(torch.ones_like(value) for value in params.values())), 1e-2)
    used = sum(value[0].numel() for value in params.values())
    assert torch.equal(adam.packed[:, used:], torch.zeros(3, LANES - used, dtype=torch.float64))

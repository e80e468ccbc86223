"""Quadratic potentials are the class Q."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from wgpipe.errors import UserError
from wgpipe.nets import Params
from wgpipe.nets.icnn import Icnn
from wgpipe.nets.quadratic import Quadratic

Stack = Callable[..., Params]


def moved(params: Params) -> Params:
    generator = torch.Generator().manual_seed(0)
    return {
        name: value + torch.randn(value.shape, generator=generator, dtype=value.dtype) for name, value in params.items()
    }


def test_the_gradient_is_a_symmetric_linear_map_and_a_shift(stack: Stack) -> None:
    net = Quadratic(strong_convexity=0.2)
    params = moved(stack(net, 3, 1))
    x = torch.randn(3, 7, 3, dtype=torch.float64)
    gradient = net.input_gradient(params, x)
    for member in range(3):
        root, slope = params["root"][member], params["slope"][member]
        matrix = 0.2 * torch.eye(3, dtype=torch.float64) + root @ root.mT
        torch.testing.assert_close(gradient[member], x[member] @ matrix + slope[:, 0])


def test_it_is_half_the_square_of_the_norm_at_first(stack: Stack) -> None:
    x = torch.randn(3, 7, 2, dtype=torch.float64)
    torch.testing.assert_close(
        Quadratic().apply(stack(Quadratic(), 2, 1), x)[..., 0], 0.5 * x.square().sum(dim=-1), rtol=1e-6, atol=1e-6
    )


def test_it_is_strongly_convex_wherever_its_parameters_go(stack: Stack) -> None:
    net = Quadratic(strong_convexity=0.3)
    params = moved(stack(net, 3, 1))
    x, y = (torch.randn(3, 100, 3, dtype=torch.float64) for _ in range(2))
    below = 0.5 * (net.apply(params, x) + net.apply(params, y)) - net.apply(params, 0.5 * (x + y))
    assert (below >= 0.3 / 8 * (x - y).square().sum(dim=-1, keepdim=True) * (1 - 1e-9)).all()


def test_no_bound_holds_its_parameters_and_zeros_hold_those_of_an_icnn(stack: Stack) -> None:
    assert Quadratic().clipped(stack(Quadratic(), 2, 1)) == {}
    net = Icnn(hidden=(4, 4))
    params = stack(net, 2, 1)
    params["hidden1"][1, 2, 3] = 0
    held = net.clipped(params)
    assert set(held) == {"hidden1", "hidden2"}
    assert held["hidden1"].nonzero().tolist() == [[1, 2, 3]]
    assert not held["hidden2"].any()


def test_a_potential_has_one_output() -> None:
    with pytest.raises(UserError, match="'quadratic' is a potential and has one output, where 2 are needed"):
        Quadratic().init(np.random.default_rng(0), 3, 2)

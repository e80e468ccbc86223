"""Passes written out are those of automatic differentiation, and a member's bytes do not depend on its neighbours."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product as crossed

import numpy as np
import pytest
import torch

from wgpipe.nets import Params
from wgpipe.nets.mlp import Mlp
from wgpipe.nets.passes import Layers, Perceptron, ScalarPerceptron

MEMBERS, VALUED, SLOPES = 3, 10, 7
HIDDEN = [(6,), (6, 9), (4, 5, 6), (1,), (5, 1, 4)]
ACTIVATIONS = ["relu", "leaky_relu"]
SHAPES = list(crossed(HIDDEN, ACTIVATIONS))


def parameters(net: Mlp, inputs: int, outputs: int, members: int, dtype: torch.dtype) -> Params:
    each = [net.init(np.random.default_rng(seed), inputs, outputs) for seed in range(members)]
    return {name: torch.from_numpy(np.stack([one[name] for one in each])).to(dtype) for name in each[0]}


def points(members: int, width: int, count: int, dtype: torch.dtype, seed: int = 100) -> torch.Tensor:
    """(E, width, R), which depend on the member alone."""
    each = [np.random.default_rng(seed + member).standard_normal((width, count)) for member in range(members)]
    return torch.from_numpy(np.stack(each)).to(dtype)


def named(layers: Layers) -> Iterator[tuple[str, torch.Tensor]]:
    """Parts by the names and in the shapes of parameters."""
    for layer, (weight, bias) in enumerate(zip(layers.weights, layers.biases, strict=True)):
        yield f"weight{layer}", weight
        yield f"bias{layer}", bias.mT


def filled_with_nan(params: Params) -> Layers:
    return Layers.of({name: torch.full_like(value, torch.nan) for name, value in params.items()})


def leak_of(net: Mlp) -> float:
    leak = net.perceptron_leak()
    assert leak is not None
    return leak


@pytest.mark.parametrize(("hidden", "activation"), SHAPES)
@pytest.mark.parametrize(("inputs", "outputs"), [(4, 3), (1, 5), (2, 1), (1, 1)])
def test_a_perceptron_is_its_network_and_has_its_gradients(
    hidden: tuple[int, ...], activation: str, inputs: int, outputs: int
) -> None:
    net = Mlp(hidden=hidden, activation=activation)
    params = parameters(net, inputs, outputs, MEMBERS, torch.float64)
    into = filled_with_nan(params)
    perceptron = Perceptron(Layers.of(params), into, leak_of(net), VALUED)
    for seed in (100, 200):
        x = points(MEMBERS, inputs, VALUED, torch.float64, seed)
        dy = points(MEMBERS, outputs, VALUED, torch.float64, seed + 50)
        leaves = {name: value.clone().requires_grad_() for name, value in params.items()}
        y = net.apply(leaves, x.mT).mT
        expected = torch.autograd.grad((y * dy).sum(), list(leaves.values()))
        perceptron.x.copy_(x)
        torch.testing.assert_close(perceptron.forward(), y.detach())
        perceptron.backward(dy)
        perceptron.gradients(dy)
        assert_parts_equal(into, dict(zip(leaves, expected, strict=True)))


@pytest.mark.parametrize(("hidden", "activation"), SHAPES)
@pytest.mark.parametrize("slopes", [0, SLOPES])
@pytest.mark.parametrize("inputs", [4, 1])
def test_a_scalar_perceptron_has_values_slopes_and_the_gradients_of_both(
    hidden: tuple[int, ...], activation: str, slopes: int, inputs: int
) -> None:
    """Of sum f dy at some points, and of sum |grad f|^3 at others."""
    net = Mlp(hidden=hidden, activation=activation)
    params = parameters(net, inputs, 1, MEMBERS, torch.float64)
    into = filled_with_nan(params)
    perceptron = ScalarPerceptron(Layers.of(params), into, leak_of(net), VALUED + slopes, slopes)
    for seed in (100, 200):
        x = points(MEMBERS, inputs, VALUED + slopes, torch.float64, seed)
        dy = points(MEMBERS, 1, VALUED, torch.float64, seed + 50)
        leaves = {name: value.clone().requires_grad_() for name, value in params.items()}
        valued, sloped = (part.mT.clone().requires_grad_() for part in x.split([VALUED, slopes], dim=2))
        f = net.apply(leaves, valued).mT
        (valued_gradient,) = torch.autograd.grad((f * dy).sum(), valued, retain_graph=True)
        (gradient,) = torch.autograd.grad(net.apply(leaves, sloped).sum(), sloped, create_graph=True)
        length = gradient.norm(dim=-1, keepdim=True)
        loss = (f * dy).sum() + length.pow(3).sum()
        expected = torch.autograd.grad(loss, list(leaves.values()))

        perceptron.x.copy_(x)
        torch.testing.assert_close(perceptron.forward(), f.detach())
        perceptron.backward(dy)
        torch.testing.assert_close(perceptron.valued_gradient(), valued_gradient.mT)
        torch.testing.assert_close(perceptron.slope_gradient(), gradient.detach().mT)
        perceptron.gradients(dy, (3 * length * gradient).detach().mT if slopes else None)
        assert_parts_equal(into, dict(zip(leaves, expected, strict=True)))


def test_a_unit_that_is_exactly_zero_is_closed() -> None:
    """As in automatic differentiation: of both networks, the slope of ReLU at 0 is that below."""
    for activation in ACTIVATIONS:
        net = Mlp(hidden=(2,), activation=activation)
        params = parameters(net, 1, 1, 1, torch.float64)
        params["bias0"].zero_()
        leaves = {name: value.clone().requires_grad_() for name, value in params.items()}
        x = torch.zeros(1, 1, 1, dtype=torch.float64)
        expected = torch.autograd.grad(net.apply(leaves, x).sum(), list(leaves.values()))
        into = filled_with_nan(params)
        perceptron = ScalarPerceptron(Layers.of(params), into, leak_of(net), 1, 0)
        perceptron.x.zero_()
        perceptron.forward()
        perceptron.backward(torch.ones_like(x))
        perceptron.gradients(torch.ones_like(x))
        assert_parts_equal(into, dict(zip(leaves, expected, strict=True)))


def assert_parts_equal(found: Layers, expected: dict[str, torch.Tensor]) -> None:
    parts = dict(named(found))
    assert parts.keys() == expected.keys()
    for name, value in expected.items():
        torch.testing.assert_close(parts[name], value)


STACKS = [2, 3, 8, 16]
BYTE_HIDDEN = [(16,), (64, 64), (8, 16, 12), (1, 1)]


@pytest.mark.parametrize("hidden", BYTE_HIDDEN)
@pytest.mark.parametrize(("inputs", "outputs"), [(2, 8), (1, 3), (2, 1), (1, 1)])
def test_a_members_perceptron_does_not_depend_on_its_neighbours(
    hidden: tuple[int, ...], inputs: int, outputs: int
) -> None:
    net = Mlp(hidden=hidden)

    def results(members: int) -> list[torch.Tensor]:
        params = parameters(net, inputs, outputs, members, torch.float32)
        into = filled_with_nan(params)
        perceptron = Perceptron(Layers.of(params), into, 0.0, 64)
        perceptron.x.copy_(points(members, inputs, 64, torch.float32))
        dy = points(members, outputs, 64, torch.float32, 200)
        y = perceptron.forward().clone()
        perceptron.backward(dy)
        perceptron.gradients(dy)
        return [y, *(value for _, value in named(into))]

    assert_same_bytes(results(1), [results(members) for members in STACKS])


@pytest.mark.parametrize("hidden", BYTE_HIDDEN)
@pytest.mark.parametrize("inputs", [3, 1])
@pytest.mark.parametrize("slopes", [0, 32])
def test_a_members_scalar_perceptron_does_not_depend_on_its_neighbours(
    hidden: tuple[int, ...], inputs: int, slopes: int
) -> None:
    net = Mlp(hidden=hidden, activation="leaky_relu")

    def results(members: int) -> list[torch.Tensor]:
        params = parameters(net, inputs, 1, members, torch.float32)
        into = filled_with_nan(params)
        perceptron = ScalarPerceptron(Layers.of(params), into, leak_of(net), 64 + slopes, slopes)
        perceptron.x.copy_(points(members, inputs, 64 + slopes, torch.float32))
        dy = points(members, 1, 64, torch.float32, 200)
        values = [perceptron.forward().clone()]
        perceptron.backward(dy)
        values += [perceptron.valued_gradient(), perceptron.slope_gradient()]
        perceptron.gradients(dy, values[2].square() if slopes else None)
        return [*values, *(value for _, value in named(into))]

    assert_same_bytes(results(1), [results(members) for members in STACKS])


def assert_same_bytes(alone: list[torch.Tensor], stacks: list[list[torch.Tensor]]) -> None:
    for together in stacks:
        assert all(torch.equal(a[0], b[0]) for a, b in zip(alone, together, strict=True))

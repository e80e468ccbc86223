"""Input-convex networks are convex however they are updated, and start near half the square of the norm."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from wgpipe.errors import UserError
from wgpipe.nets import Params
from wgpipe.nets.icnn import Icnn, celu

Stack = Callable[..., Params]
NETS = [
    Icnn(hidden=(16, 16, 8)),
    Icnn(hidden=(16, 16, 8), activation="celu"),
    Icnn(hidden=(16, 16, 8), activation="celu", rank=1),
    Icnn(hidden=(16, 8), activation="relu2", rank=2),
    Icnn(hidden=(8,), strong_convexity=0.5),
    Icnn(hidden=(16, 8), homotopy_steps=4),
]


def updated(net: Icnn, params: Params) -> Params:
    generator = torch.Generator().manual_seed(0)
    for _ in range(20):
        for name, value in params.items():
            if not name.startswith("state."):
                value += 0.1 * torch.randn(value.shape, generator=generator, dtype=value.dtype)
        net.project(params)
    return params


@pytest.mark.parametrize("net", NETS, ids=repr)
def test_a_network_is_strongly_convex_after_many_updates(net: Icnn, stack: Stack) -> None:
    params = updated(net, stack(net, 3, 1))
    x, y = (4 * torch.randn(3, 500, 3, dtype=torch.float64) for _ in range(2))
    below = 0.5 * (net.apply(params, x) + net.apply(params, y)) - net.apply(params, 0.5 * (x + y))
    gap = net.strong_convexity / 8 * (x - y).square().sum(dim=-1, keepdim=True)
    assert (below >= gap * (1 - 1e-9)).all()


@pytest.mark.parametrize("net", NETS, ids=repr)
def test_weights_between_hidden_layers_alone_are_clipped(net: Icnn, stack: Stack) -> None:
    params = updated(net, stack(net, 3, 1))
    for name, value in params.items():
        if name.startswith("hidden"):
            assert value.min() == 0
        elif not name.startswith("state."):
            assert value.min() < 0


@pytest.mark.parametrize("net", NETS, ids=repr)
def test_the_gradient_of_an_untrained_network_is_near_the_identity(net: Icnn, stack: Stack) -> None:
    x = torch.randn(3, 500, 4, dtype=torch.float64)
    error = (net.input_gradient(stack(net, 4, 1), x) - x).square().mean()
    assert error < 0.1 * x.square().mean()


def test_values_are_those_of_the_formula(stack: Stack) -> None:
    net = Icnn(hidden=(6, 5), activation="relu2", strong_convexity=0.2)
    params = stack(net, 3, 1)
    x = np.random.default_rng(5).standard_normal((3, 4, 3))
    for member in range(3):
        own = {name: value[member].numpy() for name, value in params.items()}
        h = np.maximum(x[member] @ own["input0"] + own["bias0"], 0) ** 2
        h = np.maximum(h @ own["hidden1"] + x[member] @ own["input1"] + own["bias1"], 0)
        squares = 0.1 * (x[member] ** 2).sum(1) + 0.5 * ((x[member] @ own["quadratic"]) ** 2).sum(1)
        expected = squares + (h @ own["hidden2"] + x[member] @ own["input2"])[:, 0]
        np.testing.assert_allclose(net.apply(params, torch.from_numpy(x))[member, :, 0], expected, rtol=1e-12)


def test_ranks_add_squares_of_linear_forms_to_every_layer(stack: Stack) -> None:
    net = Icnn(hidden=(6, 5), activation="celu", rank=2)
    params = stack(net, 3, 1)
    x = np.random.default_rng(5).standard_normal((3, 4, 3))
    for member in range(3):
        own = {name: value[member].numpy() for name, value in params.items()}

        def forms(layer: int, own: dict[str, np.ndarray] = own, x: np.ndarray = x[member]) -> np.ndarray:
            squares = sum((x @ part) ** 2 for part in np.split(own[f"square{layer}"], 2, axis=1))
            return np.asarray(squares + x @ own[f"input{layer}"] + own[f"bias{layer}"])

        h = forms(0) @ own["hidden1"] + forms(1)
        h = np.where(h > 0, h, np.expm1(np.minimum(h, 0)))
        squares = 0.005 * (x[member] ** 2).sum(1) + 0.5 * ((x[member] @ own["quadratic"]) ** 2).sum(1)
        expected = squares + (h @ own["hidden2"] + x[member] @ own["input2"])[:, 0]
        np.testing.assert_allclose(net.apply(params, torch.from_numpy(x))[member, :, 0], expected, rtol=1e-12)


def test_second_derivatives_are_those_of_finite_differences(stack: Stack) -> None:
    net = Icnn(hidden=(6, 5), activation="celu", rank=1)
    params = stack(net, 2, 1)
    x = torch.randn(3, 4, 2, dtype=torch.float64, requires_grad=True)
    (gradient,) = torch.autograd.grad(net.apply(params, x).sum(), x, create_graph=True)
    (row,) = torch.autograd.grad(gradient[..., 0].sum(), x)
    shift = torch.tensor([1e-5, 0.0], dtype=torch.float64)
    difference = net.input_gradient(params, x + shift) - net.input_gradient(params, x - shift)
    torch.testing.assert_close(row, difference / 2e-5, rtol=1e-6, atol=1e-7)


def test_a_homotopy_starts_at_the_quadratic_class_and_ends_at_the_whole_network(stack: Stack) -> None:
    net = Icnn(hidden=(6, 5), homotopy_steps=4)
    params = stack(net, 2, 1)
    x = torch.randn(3, 9, 2, dtype=torch.float64)
    torch.testing.assert_close(net.input_gradient(params, x), x, rtol=1e-6, atol=1e-6)
    shares = []
    for _ in range(6):
        net.project(params)
        shares.append(float(params["state.share"][0, 0, 0]))
    assert shares == [0.25, 0.5, 0.75, 1.0, 1.0, 1.0]
    torch.testing.assert_close(net.apply(params, x), Icnn(hidden=(6, 5)).apply(params, x))


@pytest.mark.parametrize("net", NETS, ids=repr)
def test_a_members_values_do_not_depend_on_its_neighbours(net: Icnn, stack: Stack) -> None:
    params = stack(net, 3, 1, torch.float32)
    x = torch.randn(3, 32, 3)
    together = net.apply(params, x), net.input_gradient(params, x)
    for member in range(3):
        own = {name: value[member : member + 1] for name, value in params.items()}
        alone = net.apply(own, x[member : member + 1]), net.input_gradient(own, x[member : member + 1])
        assert all(torch.equal(a[0], b[member]) for a, b in zip(alone, together, strict=True))


def test_a_network_with_several_outputs_is_refused() -> None:
    with pytest.raises(UserError, match="'icnn' is a potential and has one output, where 3 are needed"):
        Icnn().init(np.random.default_rng(0), 3, 3)


def test_celu_and_its_derivative_are_torchs() -> None:
    h = torch.linspace(-30, 30, 1201, dtype=torch.float64, requires_grad=True)
    expected = torch.nn.functional.celu(h)
    torch.testing.assert_close(celu(h), expected)
    torch.testing.assert_close(*(torch.autograd.grad(values.sum(), h)[0] for values in (celu(h), expected)))

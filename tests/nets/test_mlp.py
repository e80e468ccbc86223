"""A stack of multilayer perceptrons computes what each member would alone."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from wgpipe.nets import Params
from wgpipe.nets.mlp import Mlp

Stack = Callable[..., Params]
ACTIVATIONS = {"relu": torch.nn.ReLU(), "leaky_relu": torch.nn.LeakyReLU(0.2)}


def alone(params: Params, member: int, activation: torch.nn.Module) -> torch.nn.Sequential:
    layers: list[torch.nn.Module] = []
    for layer in range(len(params) // 2):
        weight, bias = params[f"weight{layer}"][member], params[f"bias{layer}"][member, 0]
        linear = torch.nn.Linear(*weight.shape, dtype=torch.float64)
        linear.weight.data, linear.bias.data = weight.T.contiguous(), bias
        layers += [linear, activation]
    return torch.nn.Sequential(*layers[:-1])


@pytest.mark.parametrize("outputs", [1, 2, 5])
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("hidden", [(7,), (6, 9), (4, 5, 6)])
def test_each_member_is_a_torch_network(stack: Stack, hidden: tuple[int, ...], activation: str, outputs: int) -> None:
    net = Mlp(hidden=hidden, activation=activation)
    params = stack(net, 4, outputs)
    x = torch.randn(3, 11, 4, dtype=torch.float64)
    together = net.apply(params, x)
    assert together.shape == (3, 11, outputs)
    for member in range(3):
        torch.testing.assert_close(together[member], alone(params, member, ACTIVATIONS[activation])(x[member]))


def test_hidden_weights_start_with_the_variance_that_relu_preserves() -> None:
    params = Mlp(hidden=(300, 300)).init(np.random.default_rng(0), 200, 2)
    for layer, fan_in in ((0, 200), (1, 300)):
        weight = params[f"weight{layer}"]
        assert weight.dtype == np.float32
        assert weight.var() == pytest.approx(2 / fan_in, rel=0.03)
        assert np.abs(weight).max() <= (6 / fan_in) ** 0.5
        assert np.abs(params[f"bias{layer}"]).max() <= fan_in**-0.5
    assert params["weight2"].var() == pytest.approx(1 / 300, rel=0.2)


def test_an_mlp_promises_no_lipschitz_constant() -> None:
    assert Mlp().lipschitz_bound() is None


@pytest.mark.parametrize("settings", [{"hidden": (0,)}, {"hidden": ()}, {"activation": "tanh"}, {"widths": (8,)}])
def test_unknown_settings_are_refused(settings: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Mlp(**settings)

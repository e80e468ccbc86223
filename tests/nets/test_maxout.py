"""Maxout networks are what their formula says, member by member."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from wgpipe.nets import Params
from wgpipe.nets.maxout import Maxout

Stack = Callable[..., Params]
NET = Maxout(hidden=(4, 6), pieces=3)


def test_each_unit_is_the_largest_of_its_affine_functions(stack: Stack) -> None:
    params, x = stack(NET, 2, 5), torch.randn(3, 7, 2).double()
    together = NET.apply(params, x)
    assert together.shape == (3, 7, 5)
    for member in range(3):
        at = x[member].numpy()
        for layer, units in enumerate(NET.hidden):
            weight, bias = (params[f"{kind}{layer}"][member].numpy() for kind in ("weight", "bias"))
            affine = at @ weight + bias
            at = np.stack([affine[:, 3 * unit : 3 * unit + 3].max(axis=1) for unit in range(units)], axis=1)
        weight, bias = (params[f"{kind}2"][member].numpy() for kind in ("weight", "bias"))
        np.testing.assert_allclose(together[member], at @ weight + bias, rtol=1e-12)


def test_one_layer_is_convex_where_the_last_weights_are_positive(stack: Stack) -> None:
    net = Maxout(hidden=(8,), pieces=2)
    params = stack(net, 2, 1)
    params["weight1"] = params["weight1"].abs()
    a, b = torch.randn(2, 3, 200, 2).double()
    middle = net.apply(params, (a + b) / 2)
    assert (middle <= (net.apply(params, a) + net.apply(params, b)) / 2 + 1e-12).all()


def test_a_stack_has_the_bytes_of_each_member_alone(stack: Stack) -> None:
    params, x = stack(NET, 2, 1, torch.float32), torch.randn(3, 32, 2)
    together, slopes = NET.apply(params, x), NET.input_gradient(params, x)
    for member in range(3):
        own = {name: each[member : member + 1] for name, each in params.items()}
        assert torch.equal(NET.apply(own, x[member : member + 1])[0], together[member])
        assert torch.equal(NET.input_gradient(own, x[member : member + 1])[0], slopes[member])


def test_the_network_is_not_a_plain_perceptron() -> None:
    assert NET.perceptron_leak() is None
    assert NET.lipschitz_bound() is None


def test_weights_start_with_the_variance_of_the_docstring() -> None:
    weight = Maxout(hidden=(200,), pieces=5).init(np.random.default_rng(0), 50, 1)["weight0"]
    assert weight.dtype == np.float32
    assert weight.shape == (50, 1000)
    assert weight.var() == pytest.approx(1 / 50, rel=0.03)


@pytest.mark.parametrize("settings", [{"pieces": 1}, {"hidden": ()}, {"hidden": (0,)}])
def test_impossible_settings_are_refused(settings: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Maxout.model_validate(settings)

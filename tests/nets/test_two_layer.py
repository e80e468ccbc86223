"""The two-layer generator can be the data's own network, and starts at their scale."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from wgpipe import rng
from wgpipe.data import dataset
from wgpipe.nets import Params
from wgpipe.nets.passes import Layers, Perceptron
from wgpipe.nets.two_layer import TwoLayer

Stack = Callable[..., Params]


@pytest.mark.parametrize(("name", "activation"), [("two_layer-relu8-2in4", "relu"), ("two_layer-cubic4-2in4", "cubic")])
def test_with_the_parameters_of_the_data_it_makes_the_data(name: str, activation: str) -> None:
    data = dataset(name)
    arrays = data.prepare({})
    given = {
        "weight0": arrays["inner"].T,
        "bias0": arrays["offsets"][None],
        "weight1": arrays["outer"].T,
        "bias1": np.zeros((1, 4)),
    }
    params = {key: torch.from_numpy(value.copy())[None] for key, value in given.items()}
    noise = rng.stream("own").standard_normal((1, 7, 2))
    points = TwoLayer(activation=activation).apply(params, torch.from_numpy(noise))
    np.testing.assert_allclose(points[0], data.draw(arrays, rng.stream("own"), 7), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("activation", ["relu", "cubic"])
def test_it_starts_at_the_scale_of_the_data(activation: str) -> None:
    net = TwoLayer(hidden=(64,), activation=activation)
    each = [net.init(np.random.default_rng(seed), 3, 8) for seed in range(200)]
    params = {name: torch.from_numpy(np.stack([one[name] for one in each])) for name in each[0]}
    points = net.apply(params, torch.randn(200, 500, 3, generator=torch.Generator().manual_seed(0)))
    assert float(points.square().sum(dim=-1).mean()) == pytest.approx(1, rel=0.1)


def test_each_member_is_alone(stack: Stack) -> None:
    for activation in ("relu", "cubic"):
        net = TwoLayer(activation=activation)
        params, x = stack(net, 2, 4, torch.float32), torch.randn(3, 32, 2)
        together = net.apply(params, x)
        for member in range(3):
            own = {name: each[member : member + 1] for name, each in params.items()}
            assert torch.equal(net.apply(own, x[member : member + 1])[0], together[member])


def test_relu_units_train_by_the_written_out_passes_and_cubic_ones_do_not(stack: Stack) -> None:
    net = TwoLayer()
    leak = net.perceptron_leak()
    assert leak == 0.0
    assert TwoLayer(activation="cubic").perceptron_leak() is None
    params, x = stack(net, 2, 4), torch.randn(3, 32, 2, dtype=torch.float64)
    layers = Layers.of(params)
    passes = Perceptron(layers, Layers.of({name: torch.zeros_like(value) for name, value in params.items()}), leak, 32)
    passes.x.copy_(x.mT)
    torch.testing.assert_close(passes.forward().mT, net.apply(params, x))


@pytest.mark.parametrize("settings", [{"hidden": (8, 8)}, {"hidden": ()}, {"activation": "tanh"}])
def test_other_forms_are_refused(settings: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        TwoLayer(**settings)

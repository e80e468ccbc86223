"""One-layer ReLU critics are L-Lipschitz, and training them finds the best single neuron."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from tests.nets.fixed_samples import trained, value
from wgpipe.nets import Params
from wgpipe.nets.one_layer_relu import OneLayerRelu, shares
from wgpipe.theory.relu_distance import relu_distance_line, relu_distance_plane

Stack = Callable[..., Params]


@pytest.fixture
def disturbed(stack: Stack) -> tuple[OneLayerRelu, Params]:
    """After updates of Adam's size in random directions, each followed by the projection, in float32."""
    net = OneLayerRelu(hidden=(12,), lipschitz=2.5)
    params = stack(net, 5, 1, torch.float32)
    generator = torch.Generator().manual_seed(0)
    for _ in range(100):
        for each in params.values():
            each += 0.01 * torch.randn(each.shape, generator=generator).sign()
        net.project(params)
    return net, params


def test_each_member_is_the_formula(disturbed: tuple[OneLayerRelu, Params]) -> None:
    net, params = disturbed
    x = torch.randn(3, 7, 5)
    together = net.apply(params, x)
    assert together.shape == (3, 7, 1)
    for member in range(3):
        w, b, roots = (params[name][member].double().numpy() for name in ("normals", "offsets", "roots"))
        amounts = 2.5 * np.sign(roots) * roots**2 / (roots**2).sum()
        assert np.abs(amounts).sum() == pytest.approx(2.5)
        unit = w / np.linalg.norm(w, axis=0)
        neurons = np.maximum(x[member].double().numpy() @ unit - b, 0)
        np.testing.assert_allclose(together[member], neurons @ amounts, atol=1e-5)


def test_after_a_projection_parameters_have_norm_one(disturbed: tuple[OneLayerRelu, Params]) -> None:
    _, params = disturbed
    torch.testing.assert_close(params["normals"].norm(dim=1), torch.ones(3, 12))
    torch.testing.assert_close(params["roots"].flatten(1).norm(dim=1), torch.ones(3))


@pytest.mark.parametrize("outputs", [1, 3])
def test_no_two_points_have_a_slope_above_the_constant(stack: Stack, outputs: int) -> None:
    net = OneLayerRelu(hidden=(4,), lipschitz=2.5, reach=0.1)
    params = {name: each * 3 for name, each in stack(net, 2, outputs).items()}
    x = torch.randn(3, 300, 2, dtype=torch.float64)
    values = net.apply(params, x)
    rises, distances = (torch.cdist(each, each, compute_mode="donot_use_mm_for_euclid_dist") for each in (values, x))
    slopes = rises[distances > 0] / distances[distances > 0]
    assert slopes.max() <= 2.5 * (1 + 1e-9)
    assert net.lipschitz_bound() == 2.5


def test_a_single_neuron_reaches_the_constant(stack: Stack) -> None:
    net = OneLayerRelu(hidden=(1,), lipschitz=2.5)
    slopes = net.input_gradient(stack(net, 2, 1), 100 * torch.randn(3, 50, 2).double()).norm(dim=-1).detach()
    torch.testing.assert_close(slopes.amax(dim=1), torch.full((3,), 2.5).double())


def test_the_network_is_not_a_plain_perceptron() -> None:
    assert OneLayerRelu().perceptron_leak() is None


def test_shares_keep_signs_and_sum_to_one() -> None:
    roots = torch.tensor([[[3.0], [-1.0], [0.0]], [[0.5], [0.5], [0.0]]])
    torch.testing.assert_close(shares(roots), torch.tensor([[[0.9], [-0.1], [0.0]], [[0.5], [0.5], [0.0]]]))


def samples(d: int) -> tuple[torch.Tensor, torch.Tensor]:
    """(3, 100, d) each: a shift, a change of shape and a change of law."""
    generator = np.random.default_rng(d)
    normal = generator.standard_normal((3, 100, d))
    real = np.stack([normal[0] + 0.5, normal[1] * np.linspace(1.5, 0.5, d), np.sign(normal[2])])
    return torch.from_numpy(real), torch.from_numpy(generator.standard_normal((3, 100, d)))


@pytest.mark.parametrize("d", [1, 2])
def test_training_finds_the_exact_supremum(d: int) -> None:
    real, fake = samples(d)
    exact = [
        relu_distance_line(x[:, 0], y[:, 0]) if d == 1 else relu_distance_plane(x, y)
        for x, y in zip(real.numpy(), fake.numpy(), strict=True)
    ]
    found = value(trained(OneLayerRelu(reach=2.0, lipschitz=3.0), real, fake, 500), real, fake)
    np.testing.assert_allclose(found, 3 * np.array(exact), rtol=2e-3)
    assert (found <= 3 * np.array(exact) + 1e-9).all()


def test_a_stack_has_the_bytes_of_each_member_alone(disturbed: tuple[OneLayerRelu, Params]) -> None:
    net, params = disturbed
    x = torch.randn(3, 32, 5)
    together, slopes = net.apply(params, x), net.input_gradient(params, x)
    for member in range(3):
        own = {name: each[member : member + 1] for name, each in params.items()}
        assert torch.equal(net.apply(own, x[member : member + 1])[0], together[member])
        assert torch.equal(net.input_gradient(own, x[member : member + 1])[0], slopes[member])
        net.project(own)
    net.project(again := {name: each.clone() for name, each in params.items()})
    for name, each in params.items():
        torch.testing.assert_close(again[name], each, rtol=0, atol=1e-6)


def test_offsets_start_within_reach() -> None:
    offsets = OneLayerRelu(hidden=(400,), reach=2.5).init(np.random.default_rng(0), 3, 1)["offsets"]
    assert offsets.dtype == np.float32
    assert 2.4 < np.abs(offsets).max() <= 2.5


@pytest.mark.parametrize("settings", [{"hidden": (8, 8)}, {"hidden": ()}, {"lipschitz": 0}, {"reach": -1}])
def test_impossible_settings_are_refused(settings: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        OneLayerRelu(**settings)

"""Spectrally normalised layers have norm 1, member by member."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from wgpipe.nets import Params
from wgpipe.nets.spectral import Spectral

Stack = Callable[..., Params]
ADAM_STEP = 2e-3


def effective_norms(net: Spectral, params: Params) -> torch.Tensor:
    """(layers, E) spectral norms of the layers as they are applied."""
    norms = []
    for layer in range(len(net.hidden) + 1):
        weight, u, v = params[f"weight{layer}"], params[f"state.left{layer}"], params[f"state.right{layer}"]
        norms.append(torch.linalg.svdvals(weight / (u.mT @ weight @ v))[:, 0])
    return torch.stack(norms)


@pytest.fixture
def updated(stack: Stack) -> tuple[Spectral, Params]:
    """Each member after 200 updates of Adam's size, with scales 1, 3 and 10 from member to member."""
    net = Spectral(hidden=(24, 24))
    params = stack(net, 6, 1, torch.float32)
    generator = torch.Generator().manual_seed(0)
    scale = torch.tensor([1.0, 3.0, 10.0])[:, None, None]
    for name, value in params.items():
        if name.startswith("weight"):
            value *= scale
    for _ in range(200):
        for name, value in params.items():
            if name.startswith("weight"):
                value += ADAM_STEP * scale * torch.randn(value.shape, generator=generator).sign()
        net.project(params)
    return net, params


def test_layers_start_with_norm_one(stack: Stack) -> None:
    net = Spectral(hidden=(24, 24))
    torch.testing.assert_close(effective_norms(net, stack(net, 6, 1)), torch.ones(3, 3, dtype=torch.float64))


def test_every_members_layers_have_norm_one_after_many_updates(updated: tuple[Spectral, Params]) -> None:
    norms = effective_norms(*updated)
    assert norms.min() >= 1 - 1e-5
    assert norms.max() < 1.05


def test_each_member_is_a_network_of_normalised_layers(updated: tuple[Spectral, Params]) -> None:
    net, params = updated
    x = torch.randn(3, 20, 6)
    together = net.apply(params, x)
    for member in range(3):
        h = x[member]
        for layer in range(3):
            weight = params[f"weight{layer}"][member]
            h = h @ (weight / torch.linalg.svdvals(weight)[0]) + params[f"bias{layer}"][member]
            h = h.relu() if layer < 2 else h
        torch.testing.assert_close(together[member], h, rtol=0.1, atol=0.02)


def test_the_constant_scales_the_network(stack: Stack) -> None:
    params = stack(Spectral(hidden=(8,)), 6, 1)
    x = torch.randn(3, 20, 6, dtype=torch.float64)
    scaled = Spectral(hidden=(8,), lipschitz=4.0)
    torch.testing.assert_close(scaled.apply(params, x), 4 * Spectral(hidden=(8,)).apply(params, x))
    assert scaled.lipschitz_bound() == 4.0


def test_the_gradient_passes_through_the_normalisation(stack: Stack) -> None:
    """Miyato et al. 2018, eq. 12: the gradient of the normalised weight has no component along the weight."""
    net = Spectral(hidden=(8,))
    params = stack(net, 6, 1)
    weights = [params[f"weight{layer}"].requires_grad_() for layer in range(2)]
    values = net.apply(params, torch.randn(3, 20, 6, dtype=torch.float64))
    for weight, gradient in zip(weights, torch.autograd.grad(values.square().sum(), weights), strict=True):
        assert gradient.abs().max() > 1e-3
        assert (gradient * weight).sum(dim=(1, 2)).abs().max() < 1e-10

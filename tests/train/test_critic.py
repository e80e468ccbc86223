"""A critic's slope is the norm of its gradient in its input, member by member."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from wgpipe.nets import Net
from wgpipe.nets.groupsort import GroupSort
from wgpipe.nets.mlp import Mlp
from wgpipe.nets.spectral import Spectral
from wgpipe.train.critic import Critic

NETS = [Mlp(hidden=(6, 6)), Mlp(hidden=(6,), activation="leaky_relu"), GroupSort(hidden=(6, 6)), Spectral(hidden=(6,))]


def build(net: Net) -> Critic:
    each = [net.init(np.random.default_rng(seed), 2, 1) for seed in range(3)]
    return Critic(net, {name: torch.from_numpy(np.stack([one[name] for one in each])).double() for name in each[0]})


@pytest.fixture
def x() -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(5).standard_normal((3, 9, 2)))


@pytest.mark.parametrize("net", NETS, ids=repr)
def test_the_slope_is_the_norm_of_each_members_gradient(net: Net, x: torch.Tensor) -> None:
    critic = build(net)
    for member in range(3):
        alone = Critic(net, {name: value[member : member + 1] for name, value in critic.params.items()})
        for point in range(9):
            jacobian = torch.autograd.functional.jacobian(alone, x[member : member + 1, point : point + 1])
            torch.testing.assert_close(critic.slope(x)[member, point], jacobian.norm())


@pytest.mark.parametrize("net", NETS, ids=repr)
def test_the_slope_is_the_limit_of_differences(net: Net, x: torch.Tensor) -> None:
    critic, width = build(net), 1e-6
    shifts = width * torch.eye(2, dtype=torch.float64)
    partial = torch.stack([(critic(x + shift) - critic(x - shift)) / (2 * width) for shift in shifts])
    torch.testing.assert_close(critic.slope(x), partial.norm(dim=0), rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("net", NETS, ids=repr)
def test_the_gradient_of_the_slope_in_the_weights_is_right(net: Net, x: torch.Tensor) -> None:
    critic = build(net)
    names = [name for name in critic.params if not name.startswith("state.")]
    weights = [critic.params[name].requires_grad_() for name in names]

    def slopes(*values: torch.Tensor) -> torch.Tensor:
        return Critic(net, {**critic.params, **dict(zip(names, values, strict=True))}).slope(x)

    assert torch.autograd.gradcheck(slopes, weights)


@pytest.mark.parametrize("net", NETS, ids=repr)
def test_a_slope_without_gradients_is_the_same_number(net: Net, x: torch.Tensor) -> None:
    critic = build(net)
    with torch.no_grad():
        torch.testing.assert_close(critic.slope(x), critic.slope(x).detach(), rtol=0, atol=0)
        assert not critic.slope(x).requires_grad


def test_a_flat_critic_has_a_slope_with_a_finite_gradient(x: torch.Tensor) -> None:
    critic = build(NETS[0])
    weights = [value.zero_().requires_grad_() for value in critic.params.values()]
    slope = critic.slope(x)
    assert slope.max() < 1e-5
    gradients = torch.autograd.grad(slope.sum(), weights, allow_unused=True)
    assert all(gradient.isfinite().all() for gradient in gradients if gradient is not None)


def test_both_is_two_evaluations(x: torch.Tensor) -> None:
    critic, other = build(NETS[0]), x[:, :4] + 1
    f_x, f_other = critic.both(x, other)
    torch.testing.assert_close(f_x, critic(x))
    torch.testing.assert_close(f_other, critic(other))

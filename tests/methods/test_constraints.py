"""Penalties are the papers' formulas for each member on its own; clipping clips."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from wgpipe import registry
from wgpipe.methods.constraints import Constraint
from wgpipe.methods.constraints.clip import Clip
from wgpipe.methods.constraints.gp import GradientPenalty
from wgpipe.methods.constraints.lp import LipschitzPenalty
from wgpipe.methods.constraints.none import Unconstrained
from wgpipe.nets.mlp import Mlp
from wgpipe.train.critic import Critic


@pytest.fixture
def mix() -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(12).random((3, 7, 1)))


def slopes(critic: Critic, member: int, points: np.ndarray) -> np.ndarray:
    """Central differences of one member's critic, point by point: (B, d) -> (B,)."""
    params = {name: value[member : member + 1] for name, value in critic.params.items()}
    width = 1e-6
    partial = []
    for axis in range(points.shape[1]):
        shift = width * np.eye(points.shape[1])[axis]
        up, down = (
            critic.net.apply(params, torch.from_numpy((points + sign * shift)[None]))[0, :, 0].numpy()
            for sign in (1, -1)
        )
        partial.append((up - down) / (2 * width))
    return np.asarray(np.linalg.norm(partial, axis=0))


def penalty_of(
    constraint: Constraint, critic: Critic, real: torch.Tensor, fake: torch.Tensor, mix: torch.Tensor
) -> torch.Tensor:
    """(E,) as in a critic's loss."""
    return constraint.penalty(critic.slope(fake.lerp(real, mix)))


def between(real: torch.Tensor, fake: torch.Tensor, mix: torch.Tensor, member: int) -> np.ndarray:
    share = mix[member].numpy()
    return np.asarray(share * real[member].numpy() + (1 - share) * fake[member].numpy())


@pytest.mark.parametrize(("weight", "lipschitz"), [(10.0, 1.0), (3.0, 0.25)])
def test_the_gradient_penalty_is_two_sided(
    critic: Critic, real: torch.Tensor, fake: torch.Tensor, mix: torch.Tensor, weight: float, lipschitz: float
) -> None:
    penalty = penalty_of(GradientPenalty(weight=weight, lipschitz=lipschitz), critic, real, fake, mix)
    found = [slopes(critic, e, between(real, fake, mix, e)) for e in range(3)]
    np.testing.assert_allclose(penalty.detach(), [weight * ((s - lipschitz) ** 2).mean() for s in found], rtol=1e-6)


@pytest.mark.parametrize(("weight", "lipschitz"), [(10.0, 0.5), (3.0, 0.25)])
def test_the_lipschitz_penalty_is_one_sided(
    critic: Critic, real: torch.Tensor, fake: torch.Tensor, mix: torch.Tensor, weight: float, lipschitz: float
) -> None:
    penalty = penalty_of(LipschitzPenalty(weight=weight, lipschitz=lipschitz), critic, real, fake, mix)
    found = [slopes(critic, e, between(real, fake, mix, e)) for e in range(3)]
    assert any((s < lipschitz).any() for s in found)
    assert any((s > lipschitz).any() for s in found)
    expected = [weight * (np.maximum(s - lipschitz, 0) ** 2).mean() for s in found]
    np.testing.assert_allclose(penalty.detach(), expected, rtol=1e-6)


def test_a_critic_below_the_constant_pays_no_lipschitz_penalty(
    critic: Critic, real: torch.Tensor, fake: torch.Tensor, mix: torch.Tensor
) -> None:
    penalty = penalty_of(LipschitzPenalty(lipschitz=100.0), critic, real, fake, mix)
    assert torch.equal(penalty, torch.zeros(3, dtype=torch.float64))


@pytest.mark.parametrize("constraint", [GradientPenalty(), LipschitzPenalty(lipschitz=0.1)])
def test_the_gradient_of_a_penalty_in_the_weights_is_right(
    constraint: GradientPenalty | LipschitzPenalty, real: torch.Tensor, fake: torch.Tensor, mix: torch.Tensor
) -> None:
    net = Mlp(hidden=(4, 4), activation="leaky_relu")
    each = [net.init(np.random.default_rng(seed), 2, 1) for seed in range(3)]
    names = list(each[0])
    weights = [torch.from_numpy(np.stack([one[name] for one in each])).double().requires_grad_() for name in names]

    def penalty(*values: torch.Tensor) -> torch.Tensor:
        return penalty_of(constraint, Critic(net, dict(zip(names, values, strict=True))), real, fake, mix)

    assert torch.autograd.gradcheck(penalty, weights)


def test_clipping_may_be_that_of_one_network_of_several() -> None:
    params = {name: torch.full((2, 3, 3), 5.0) for name in ("encoder.weight0", "encoders.weight0", "decoder.weight0")}
    Clip(bound=0.5, part="encoder").project(params)
    assert [float(value.max()) for value in params.values()] == [0.5, 5.0, 5.0]


def test_clipping_clamps_every_parameter_in_place() -> None:
    params = {"weight0": torch.tensor([[[-3.0, 0.05], [0.2, -0.01]]]), "bias0": torch.tensor([[[0.5, -0.5]]])}
    Clip(bound=0.1).project(params)
    torch.testing.assert_close(params["weight0"], torch.tensor([[[-0.1, 0.05], [0.1, -0.01]]]))
    torch.testing.assert_close(params["bias0"], torch.tensor([[[0.1, -0.1]]]))


@pytest.mark.parametrize("constraint", [Unconstrained(), Clip()])
def test_a_constraint_without_a_penalty_does_not_bound_the_slope(constraint: Unconstrained | Clip) -> None:
    assert not constraint.bounds_slope


def test_no_constraint_changes_no_parameter(critic: Critic) -> None:
    before = {name: value.clone() for name, value in critic.params.items()}
    Unconstrained().project(critic.params)
    assert all(torch.equal(value, before[name]) for name, value in critic.params.items())


@pytest.mark.parametrize("settings", [{"weight": 0}, {"lipschitz": -1}, {"wieght": 1}])
def test_meaningless_settings_are_refused(settings: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        LipschitzPenalty(**settings)


class Squared(Constraint):
    """A penalty of the user's own, whose derivative is not written down."""

    def penalty(self, slope: torch.Tensor) -> torch.Tensor:
        return slope.square().mean(dim=1)


REGISTERED = [registry.load("constraint", name)() for name in registry.files("constraint")]
PENALTIES = [*(each for each in REGISTERED if each.bounds_slope), LipschitzPenalty(weight=3, lipschitz=0.25)]


@pytest.mark.parametrize("constraint", [*PENALTIES, Squared()], ids=repr)
def test_the_derivative_of_a_penalty_is_that_of_automatic_differentiation(constraint: Constraint) -> None:
    slope = torch.from_numpy(np.random.default_rng(13).exponential(1.0, (3, 7))).requires_grad_()
    (expected,) = torch.autograd.grad(constraint.penalty(slope).sum(), slope)
    assert expected.abs().max() > 0
    with torch.no_grad():
        torch.testing.assert_close(constraint.penalty_derivative(slope), expected)


def test_whoever_writes_a_penalty_bounds_the_slope() -> None:
    assert Squared().bounds_slope
    assert {type(each) for each in PENALTIES} == {GradientPenalty, LipschitzPenalty}

"""The dual over convex potentials bounds W2 from below, and its gradients are those of the envelope theorem."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist

from tests.methods.potentials import SMALL, Quadratic, critic_of, matrices, points
from wgpipe.methods.w2_icnn import W2Icnn
from wgpipe.nets.icnn import Icnn
from wgpipe.theory.gaussian import bures_map
from wgpipe.train.critic import Critic

EXACT = W2Icnn(tolerance=1e-10, inner_steps=300)
POTENTIAL, STATE = {"": (2, 1)}, ("residual", "capped")


def of_quadratic(critic: Critic, real: torch.Tensor, fake: torch.Tensor) -> torch.Tensor:
    """E f(X) + E f*(Y), with f*(y) = ½ (y - b)' A⁻¹ (y - b)."""
    matrix, slope = matrices(critic)
    of_real = 0.5 * ((real @ matrix) * real).sum(dim=-1) + (real * slope).sum(dim=-1)
    left = fake - slope
    of_fake = 0.5 * (torch.linalg.solve(matrix, left.mT).mT * left).sum(dim=-1)
    return of_real.mean(dim=1) + of_fake.mean(dim=1)


def half_squares(x: torch.Tensor) -> torch.Tensor:
    return 0.5 * x.square().sum(dim=-1).mean(dim=1)


def test_the_dual_of_a_quadratic_potential_is_that_of_its_conjugate() -> None:
    critic = critic_of(Quadratic(), POTENTIAL, state=STATE)
    real, fake = points(1), 2 * points(2) + 1
    torch.testing.assert_close(EXACT.critic_objective(critic, real, fake), of_quadratic(critic, real, fake))


def test_a_potential_of_the_source_exchanges_the_laws() -> None:
    critic = critic_of(Quadratic(), POTENTIAL, state=STATE)
    real, fake = points(1), 2 * points(2) + 1
    exchanged = EXACT.model_copy(update={"potential": "source"})
    torch.testing.assert_close(exchanged.critic_objective(critic, fake, real), of_quadratic(critic, real, fake))


@pytest.mark.parametrize("net", [SMALL, Icnn(hidden=(8, 8))], ids=repr)
def test_the_dual_never_exceeds_half_the_squared_distance(net: Icnn) -> None:
    critic = critic_of(net, POTENTIAL, state=STATE)
    real, fake = points(3, count=64), 2 * points(4, count=64) + 1
    bound = half_squares(real) + half_squares(fake) - EXACT.critic_objective(critic, real, fake)
    for member in range(3):
        costs = 0.5 * cdist(real[member], fake[member], "sqeuclidean")
        assert bound[member] <= costs[linear_sum_assignment(costs)].mean() + 1e-9


@pytest.mark.parametrize("potential", ["target", "source"])
def test_the_gradient_in_the_parameters_is_that_of_finite_differences(potential: str) -> None:
    method = EXACT.model_copy(update={"potential": potential})
    critic = critic_of(SMALL, POTENTIAL, state=STATE)
    real, fake = points(5), 2 * points(6) + 1
    trained = {name: value for name, value in critic.params.items() if value.requires_grad}
    loss = method.critic_objective(critic, real, fake).sum()
    gradients = torch.autograd.grad(loss, list(trained.values()))
    for (name, value), gradient in zip(trained.items(), gradients, strict=True):
        direction = torch.randn(value.shape, generator=torch.Generator().manual_seed(1), dtype=value.dtype)
        moved = [
            method.critic_objective(Critic(SMALL, {**critic.params, name: value + t * direction}), real, fake).sum()
            for t in (1e-5, -1e-5)
        ]
        expected = (moved[0] - moved[1]).detach() / 2e-5
        torch.testing.assert_close((gradient * direction).sum(), expected, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("potential", ["target", "source"])
def test_the_generators_gradient_is_that_of_finite_differences(potential: str) -> None:
    method = EXACT.model_copy(update={"potential": potential})
    critic = critic_of(SMALL, POTENTIAL, state=STATE)
    real, fake = points(7), (2 * points(8) + 1).requires_grad_()
    (gradient,) = torch.autograd.grad(method.generator_objective(critic, fake, real).sum(), fake)
    direction = points(9)
    moved = [method.generator_objective(critic, fake.detach() + t * direction, real).sum() for t in (1e-5, -1e-5)]
    expected = (moved[0] - moved[1]).detach() / 2e-5
    torch.testing.assert_close((gradient * direction).sum(), expected, rtol=1e-6, atol=1e-8)


def test_generator_and_critic_see_the_same_distance() -> None:
    critic = critic_of(SMALL, POTENTIAL, state=STATE)
    real, fake = points(7), 2 * points(8) + 1
    dual = EXACT.critic_objective(critic, real, fake)
    of_generator = EXACT.generator_objective(critic, fake, real)
    torch.testing.assert_close(of_generator, half_squares(fake) - dual + critic(real).mean(dim=1))


@pytest.mark.parametrize("potential", ["target", "source"])
def test_transport_and_inverse_undo_each_other(potential: str) -> None:
    method = W2Icnn(potential=potential)
    critic = critic_of(SMALL, POTENTIAL, state=STATE)
    x = 2 * points(10)
    torch.testing.assert_close(method.inverse(critic, method.transport(critic, x)).detach(), x, rtol=0, atol=1e-4)
    torch.testing.assert_close(method.transport(critic, method.inverse(critic, x)).detach(), x, rtol=0, atol=1e-4)


def test_what_the_search_left_undone_is_kept_with_the_critic() -> None:
    critic = critic_of(SMALL, POTENTIAL, state=STATE)
    real, fake = points(11), 20 * points(12)
    W2Icnn(inner_steps=1).critic_objective(critic, real, fake)
    assert (critic.state("capped") > 0.5).all()
    assert (critic.state("residual") > 1e-3).all()
    W2Icnn(inner_steps=300).critic_objective(critic, real, fake)
    assert (critic.state("capped") == 0).all()
    assert (critic.state("residual") <= 1e-3).all()


@pytest.mark.parametrize("potential", ["target", "source"])
def test_training_finds_the_map_between_gaussians(potential: str) -> None:
    method = W2Icnn(potential=potential)
    critic = critic_of(Icnn(hidden=(8,), activation="celu"), POTENTIAL, (0, 1), STATE, torch.float32)
    covariance = np.array([[2.0, 1.2], [1.2, 1.0]])
    matrix = torch.from_numpy(bures_map(np.eye(2), covariance)).float()
    adam = torch.optim.Adam([value for value in critic.params.values() if value.requires_grad], lr=0.03)
    generator = torch.Generator().manual_seed(0)
    for step in range(80):
        adam.param_groups[0]["lr"] = 0.03 * min(1, 2 - step / 40)
        source, target = (torch.randn(2, 128, 2, generator=generator) for _ in range(2))
        adam.zero_grad()
        method.critic_objective(critic, target @ matrix + 1, source).sum().backward()
        adam.step()
        with torch.no_grad():
            critic.net.project(critic.params)
    source = torch.randn(2, 1000, 2, generator=generator)
    error = (method.transport(critic, source) - (source @ matrix + 1)).square().sum(dim=-1).mean(dim=1)
    assert (error.detach() < 0.02 * np.trace(covariance)).all()

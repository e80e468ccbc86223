"""W2GN's joint objective is the dual and the two cycles, and its optimum is the optimal map and its inverse."""

from __future__ import annotations

import numpy as np
import torch

from tests.methods.potentials import Quadratic, critic_of, matrices, points
from wgpipe.methods.w2gn import W2gn
from wgpipe.theory.gaussian import bures_map

PARTS = W2gn().parts(2)


def test_the_objective_is_the_dual_and_the_two_cycles() -> None:
    critic = critic_of(Quadratic(), PARTS)
    x, y = points(1), 2 * points(2) + 1
    (a, b), (c, e) = matrices(critic.part("forward")), matrices(critic.part("backward"))

    def f(z: torch.Tensor) -> torch.Tensor:
        return 0.5 * ((z @ a) * z).sum(dim=-1) + (z * b).sum(dim=-1)

    back, there = y @ c + e, x @ a + b
    dual = f(x) + (y * back).sum(dim=-1) - f(back)
    cycles = (back @ a + b - y).square().sum(dim=-1) + (there @ c + e - x).square().sum(dim=-1)
    loss = W2gn(cycle=3).critic_objective(critic, y, x).detach()
    torch.testing.assert_close(loss, (dual + 3 * cycles).mean(dim=1))


def test_the_dual_alone_does_not_move_the_backward_potential() -> None:
    critic = critic_of(Quadratic(), PARTS)
    loss = W2gn(cycle=0).critic_objective(critic, points(1), points(2)).sum()
    backward = list(critic.part("backward").params.values())
    gradients = torch.autograd.grad(loss, backward, allow_unused=True, materialize_grads=True)
    assert all((gradient == 0).all() for gradient in gradients)


def test_training_quadratic_potentials_ends_at_the_optimal_map_and_its_inverse() -> None:
    method, critic = W2gn(), critic_of(Quadratic(), PARTS, (0, 1))
    generator = torch.Generator().manual_seed(0)
    x, y = (torch.randn(2, 100, 2, generator=generator, dtype=torch.float64) for _ in range(2))
    y = y @ torch.tensor([[1.5, 0.5], [0.0, 0.7]], dtype=torch.float64) + 1
    trained = [value for value in critic.params.values() if value.requires_grad]
    adam = torch.optim.Adam(trained, lr=0.1)
    for step in range(250):
        adam.param_groups[0]["lr"] = 0.1 * min(1, 2 - step / 125)
        adam.zero_grad()
        method.critic_objective(critic, y, x).sum().backward()
        adam.step()
    with torch.no_grad():
        moved = method.transport(critic, x).numpy()
        returned = method.inverse(critic, torch.from_numpy(moved))
    torch.testing.assert_close(returned, x, rtol=0, atol=0.02)
    for member in range(2):
        matrix = bures_map(np.cov(x[member].T, bias=True), np.cov(y[member].T, bias=True))
        expected = y[member].mean(dim=0).numpy() + (x[member] - x[member].mean(dim=0)).numpy() @ matrix
        np.testing.assert_allclose(moved[member], expected, atol=0.02)


def test_the_generators_loss_is_the_distances_part_in_the_generated_points() -> None:
    critic = critic_of(Quadratic(), PARTS)
    fake = points(3).requires_grad_()
    (gradient,) = torch.autograd.grad(W2gn().generator_objective(critic, fake, points(4)).sum(), fake)
    torch.testing.assert_close(gradient, (fake - W2gn().transport(critic, fake)).detach() / 7)

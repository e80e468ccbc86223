"""The conjugate of a convex potential is attained where its gradient is the given slope."""

from __future__ import annotations

import torch

from tests.methods.potentials import SMALL, Quadratic, critic_of, matrices, points
from wgpipe.methods.conjugate import argmax, best_of, push
from wgpipe.nets.icnn import Icnn

POTENTIAL = {"": (2, 1)}


def test_the_argmax_of_a_quadratic_is_that_of_linear_algebra() -> None:
    critic = critic_of(Quadratic(), POTENTIAL)
    y = 3 * points(1)
    matrix, slope = matrices(critic)
    found = argmax(critic, y, y, 1e-10, 200)
    torch.testing.assert_close(found.points, torch.linalg.solve(matrix, (y - slope).mT).mT, rtol=0, atol=1e-8)
    assert found.residual.max() <= 1e-10


def test_the_gradient_takes_the_argmax_back() -> None:
    critic = critic_of(SMALL, {"": (5, 1)})
    y = 2 * points(2, count=50, dimension=5)
    found = argmax(critic, y, y, 1e-9, 500)
    torch.testing.assert_close(critic.gradient(found.points).detach(), y, rtol=0, atol=1e-9)


def test_the_conjugate_of_a_kinked_potential_is_no_less_than_on_a_fine_grid() -> None:
    critic = critic_of(Icnn(hidden=(16, 16)), POTENTIAL, (0,))
    y = points(3, count=100, members=(0,))
    x = argmax(critic, y, y, 1e-6, 100).points
    found = ((x * y).sum(dim=-1) - critic(x)).detach()[0]
    line = torch.linspace(-5, 5, 201, dtype=torch.float64)
    grid = torch.cartesian_prod(line, line)
    on_grid = (y[0] @ grid.T - critic(grid[None]).detach()).max(dim=1).values
    assert x.abs().max() < 5
    assert (found >= on_grid - 1e-4).all()
    assert (found <= on_grid + 0.1).all()


def test_the_residual_is_what_is_left_of_the_gradient_and_a_cap_leaves_more() -> None:
    critic = critic_of(SMALL, POTENTIAL)
    y = 3 * points(4)
    found = argmax(critic, y, y, 1e-6, 2)
    torch.testing.assert_close(found.residual, (y - critic.gradient(found.points)).norm(dim=-1).detach())
    assert found.residual.max() > 1e-6


def test_points_search_on_their_own() -> None:
    critic = critic_of(SMALL, POTENTIAL)
    y = 3 * points(5, count=20)
    torch.testing.assert_close(
        argmax(critic, y, y, 1e-6, 50).points[:, :4], argmax(critic, y[:, :4], y[:, :4], 1e-6, 50).points
    )


def test_a_member_searches_as_it_would_alone_even_beside_one_that_is_lost() -> None:
    y = 3 * points(6, count=32).float()
    y[1] = torch.nan
    together = argmax(critic_of(SMALL, POTENTIAL, dtype=torch.float32), y, y, 1e-3, 30)
    assert together.residual[1].isnan().all()
    for member in (0, 2):
        own = y[member : member + 1]
        alone = argmax(critic_of(SMALL, POTENTIAL, (member,), dtype=torch.float32), own, own, 1e-3, 30)
        assert torch.equal(alone.points[0], together.points[member])


def test_the_best_candidate_is_that_of_a_full_search() -> None:
    critic = critic_of(SMALL, POTENTIAL)
    y, candidates = points(7), points(8, count=9)
    found = best_of(critic, y, candidates)
    values = critic(candidates).detach()
    for member in range(3):
        for row in range(7):
            scores = [float(y[member, row] @ candidates[member, c] - values[member, c]) for c in range(9)]
            assert torch.equal(found[member, row], candidates[member, scores.index(max(scores))])


def test_a_push_is_differentiable_in_the_points() -> None:
    critic = critic_of(Quadratic(), POTENTIAL)
    matrix, _ = matrices(critic)
    x = points(9).requires_grad_()
    (row,) = torch.autograd.grad(push(critic, x)[..., 0].sum(), x)
    torch.testing.assert_close(row, matrix[:, :1].expand_as(row))

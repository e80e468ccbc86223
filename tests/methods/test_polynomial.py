"""The closed form of the polynomial critic is the distance of moments."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from wgpipe.methods.polynomial import Polynomial
from wgpipe.train.critic import Critic

DEGREES = (1, 2, 3, 4)


def moments(points: np.ndarray, degree: int) -> list[np.ndarray]:
    """E x, E x x', E x x x, E x x x x of one sample (B, d), with all their indices."""
    sums = ("ni->i", "ni,nj->ij", "ni,nj,nk->ijk", "ni,nj,nk,nl->ijkl")
    return [np.einsum(sums[k], *[points] * (k + 1)) / len(points) for k in range(degree)]


@pytest.mark.parametrize("d", [1, 2, 3])
@pytest.mark.parametrize("degree", DEGREES)
def test_the_loss_is_the_norm_of_all_differences_of_moments(critic: Critic, degree: int, d: int) -> None:
    generator = np.random.default_rng(0)
    real, fake = (torch.from_numpy(generator.standard_normal((3, size, d))) for size in (7, 5))
    expected = [
        np.sqrt(sum(((a - b) ** 2).sum() for a, b in zip(moments(x, degree), moments(y, degree), strict=True)))
        for x, y in zip(real.numpy(), fake.numpy(), strict=True)
    ]
    losses = Polynomial(degree=degree).generator_objective(critic, fake, real)
    np.testing.assert_allclose(losses, expected, rtol=1e-12)
    squares = Polynomial(degree=degree, loss="square").generator_objective(critic, fake, real)
    np.testing.assert_allclose(squares, np.square(expected), rtol=1e-12)


def test_degree_one_is_the_distance_of_the_means(critic: Critic, real: torch.Tensor, fake: torch.Tensor) -> None:
    losses = Polynomial(degree=1).generator_objective(critic, fake, real)
    torch.testing.assert_close(losses, (real.mean(dim=1) - fake.mean(dim=1)).norm(dim=1))


def test_no_polynomial_in_the_ball_does_better(critic: Critic, real: torch.Tensor, fake: torch.Tensor) -> None:
    """Degree 2: the supremum over 20 000 random coefficients of norm one comes close from below."""
    loss = Polynomial(degree=2).generator_objective(critic, fake, real)
    coefficients = np.random.default_rng(3).standard_normal((20_000, 6))
    coefficients /= np.linalg.norm(coefficients, axis=1, keepdims=True)
    for member in range(3):
        features = [
            np.concatenate([x, (x[:, :, None] * x[:, None, :]).reshape(len(x), 4)], axis=1).mean(axis=0)
            for x in (real[member].numpy(), fake[member].numpy())
        ]
        best = (coefficients @ (features[0] - features[1])).max()
        assert 0.9 * loss[member] <= best <= loss[member]


@pytest.mark.parametrize("degree", DEGREES)
def test_gradients_are_central_differences(critic: Critic, real: torch.Tensor, degree: int) -> None:
    fake = (2 * real).requires_grad_()
    assert torch.autograd.gradcheck(lambda x: Polynomial(degree=degree).generator_objective(critic, x, real), fake)


@pytest.mark.parametrize("loss", ["norm", "square"])
def test_a_perfect_generator_stays_where_it_is(critic: Critic, real: torch.Tensor, loss: str) -> None:
    fake = real.clone().requires_grad_()
    losses = Polynomial(loss=loss).generator_objective(critic, fake, real)
    (gradient,) = torch.autograd.grad(losses.sum(), fake)
    assert (losses == 0).all()
    assert (gradient == 0).all()


@pytest.mark.parametrize("degree", [1, 2, 3])
def test_particles_end_with_the_moments_of_the_target(critic: Critic, degree: int) -> None:
    """Points in the plane, moved down the squared loss, take over mean, covariance and skewness."""
    generator = np.random.default_rng(5)
    real = torch.from_numpy(generator.exponential(size=(3, 50, 2)) - 0.5)
    fake = torch.from_numpy(generator.standard_normal((3, 30, 2))).requires_grad_()
    method = Polynomial(degree=degree, loss="square")
    descent = torch.optim.LBFGS([fake], max_iter=200, line_search_fn="strong_wolfe", tolerance_grad=1e-12)

    def closure() -> torch.Tensor:
        descent.zero_grad()
        loss = method.generator_objective(critic, fake, real).sum()
        loss.backward()
        return loss

    descent.step(closure)
    for x, y in zip(real.numpy(), fake.detach().numpy(), strict=True):
        for given, reached in zip(moments(x, degree), moments(y, degree), strict=True):
            np.testing.assert_allclose(reached, given, atol=1e-3)


@pytest.mark.parametrize("degree", DEGREES)
def test_a_stack_has_the_bytes_of_each_member_alone(critic: Critic, degree: int) -> None:
    real, fake = torch.randn(2, 3, 32, 4).unbind()
    together = Polynomial(degree=degree).generator_objective(critic, fake, real)
    for member in range(3):
        own = slice(member, member + 1)
        alone = Polynomial(degree=degree).generator_objective(critic, fake[own], real[own])
        assert torch.equal(alone[0], together[member])


def test_it_trains_no_critic() -> None:
    assert not Polynomial.has_critic
    assert not Polynomial().of_values_alone()

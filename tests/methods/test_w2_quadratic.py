"""The GAN against class Q minimises half the squared Bures distance, in closed form."""

from __future__ import annotations

import numpy as np
import torch

from tests.methods.potentials import points
from wgpipe.methods.w2_quadratic import W2Quadratic
from wgpipe.nets import Net
from wgpipe.theory.gaussian import w2_between
from wgpipe.train.critic import Critic

NONE = Critic(Net(), {})


def distance(fake: torch.Tensor, real: torch.Tensor) -> float:
    """½ W2² of Gaussians with the moments of two samples (B, d)."""
    moments = [(x.mean(axis=0), np.cov(x.T, bias=True)) for x in (fake.numpy(), real.numpy())]
    return 0.5 * w2_between(*moments[0], *moments[1]) ** 2


def loss(fake: torch.Tensor, real: torch.Tensor) -> torch.Tensor:
    return W2Quadratic().generator_objective(NONE, fake, real)


def gradient(fake: torch.Tensor, real: torch.Tensor) -> torch.Tensor:
    fake = fake.clone().requires_grad_()
    return torch.autograd.grad(loss(fake, real).sum(), fake)[0]


def test_the_loss_is_the_distance_of_gaussians_with_the_batches_moments() -> None:
    fake, real = points(1, 40, 5), 2 * points(2, 40, 5) + 1
    np.testing.assert_allclose(loss(fake, real), [distance(f, r) for f, r in zip(fake, real, strict=True)], rtol=1e-9)


def test_its_gradient_is_that_of_finite_differences() -> None:
    fake, real, direction = points(1, 12, 3), 2 * points(2, 12, 3) + 1, points(3, 12, 3)
    slopes = (gradient(fake, real) * direction).sum(dim=(1, 2))
    for member in range(3):
        f, r, step = fake[member], real[member], 1e-5 * direction[member]
        np.testing.assert_allclose(slopes[member], (distance(f + step, r) - distance(f - step, r)) / 2e-5, rtol=1e-6)


def test_equal_eigenvalues_do_no_harm() -> None:
    square = torch.tensor([[[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]]], dtype=torch.float64)
    torch.testing.assert_close(loss(2 * square, square), torch.ones(1, dtype=torch.float64))
    torch.testing.assert_close(gradient(2 * square, square), square / 4)
    torch.testing.assert_close(gradient(square, square), torch.zeros_like(square), rtol=0, atol=1e-12)


def test_a_collapsed_generator_has_a_finite_loss_and_moves_to_the_mean() -> None:
    real = points(4, 40)
    fake = torch.ones_like(real)
    variance = real.var(dim=1, correction=0).sum(dim=1)
    shift = fake - real.mean(dim=1, keepdim=True)
    torch.testing.assert_close(loss(fake, real), 0.5 * (shift[:, 0].square().sum(dim=1) + variance))
    torch.testing.assert_close(gradient(fake, real), shift / 40)


def test_one_dimension_is_the_distance_of_means_and_deviations() -> None:
    fake, real = points(5, 30, 1), 3 * points(6, 30, 1) + 2
    means, deviations = fake.mean(1) - real.mean(1), fake.std(1, correction=0) - real.std(1, correction=0)
    torch.testing.assert_close(loss(fake, real), 0.5 * (means**2 + deviations**2)[:, 0])


def test_a_lost_member_does_not_disturb_the_others() -> None:
    fake, real = points(1, 40, 5).float(), points(2, 40, 5).float()
    fake[1] = torch.nan
    together, of_points = loss(fake, real), gradient(fake, real)
    assert together[1].isnan()
    for member in (0, 2):
        f, r = fake[member : member + 1], real[member : member + 1]
        assert torch.equal(loss(f, r)[0], together[member])
        assert torch.equal(gradient(f, r)[0], of_points[member])

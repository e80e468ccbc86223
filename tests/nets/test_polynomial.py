"""Polynomial critics are polynomials with coefficients of norm one, and training them finds the closed form."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from tests.nets.fixed_samples import trained, value
from wgpipe.methods.polynomial import Polynomial as Method
from wgpipe.metrics.transport import exact_cost
from wgpipe.nets import Params
from wgpipe.nets.polynomial import Polynomial

Stack = Callable[..., Params]
DEGREES = (1, 2, 3, 4)
SUMS = ("ni,io->no", "ni,nj,ijo->no", "ni,nj,nk,ijko->no", "ni,nj,nk,nl,ijklo->no")


@pytest.mark.parametrize("outputs", [1, 2])
@pytest.mark.parametrize("degree", DEGREES)
def test_each_member_is_a_sum_over_monomials(stack: Stack, degree: int, outputs: int) -> None:
    net = Polynomial(degree=degree, scale=0.7)
    params = {name: 2 * each for name, each in stack(net, 3, outputs).items()}
    x = torch.randn(3, 9, 3, dtype=torch.float64)
    together = net.apply(params, x)
    for member in range(3):
        point = x[member].numpy()
        tensors = [params[f"coefficients{k}"][member].numpy() for k in range(1, degree + 1)]
        norm = np.sqrt(sum((tensor**2).sum() for tensor in tensors))
        terms = [
            np.einsum(SUMS[k], *[point] * (k + 1), tensors[k].reshape(*[3] * (k + 1), outputs)) for k in range(degree)
        ]
        np.testing.assert_allclose(together[member], 0.7 / norm * sum(terms), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("degree", DEGREES)
def test_a_projection_leaves_norm_one_and_the_function(stack: Stack, degree: int) -> None:
    net = Polynomial(degree=degree)
    params = {name: 5 * each for name, each in stack(net, 2, 1).items()}
    x = torch.randn(3, 9, 2, dtype=torch.float64)
    before = net.apply(params, x)
    net.project(params)
    norms = torch.cat(list(params.values()), dim=-1).norm(dim=-1)
    torch.testing.assert_close(norms, torch.ones(3, 1, dtype=torch.float64))
    torch.testing.assert_close(net.apply(params, x), before)


def closed_form(degree: int, real: torch.Tensor, fake: torch.Tensor) -> np.ndarray:
    unused = trained(Polynomial(degree=degree), real, fake, 0)
    return np.asarray(Method(degree=degree).generator_objective(unused, fake, real))


@pytest.mark.parametrize("degree", DEGREES)
def test_training_finds_the_closed_form(degree: int) -> None:
    generator = np.random.default_rng(degree)
    real, fake = (torch.from_numpy(generator.standard_normal((3, 60, 2))) for _ in range(2))
    real = real * torch.tensor([1.0, 0.7]) + torch.tensor([0.3, -0.1])
    exact = closed_form(degree, real, fake)
    found = value(trained(Polynomial(degree=degree, scale=2.0), real, fake, 300), real, fake)
    np.testing.assert_allclose(found, 2 * exact, rtol=1e-4)


def test_equal_moments_up_to_the_degree_fool_the_critic() -> None:
    """Theory: two laws with equal mean and covariance give 0 while W1 > 0; the third moments tell them apart."""
    skewed = np.repeat([-1.0, 2.0], [8, 4])  # mean 0, variance 2, third moment 2
    even = np.repeat([-np.sqrt(2), np.sqrt(2)], 6)  # mean 0, variance 2, third moment 0
    real, fake = (torch.from_numpy(np.stack([points[:, None]] * 3)) for points in (skewed, even))
    assert exact_cost(skewed[:, None], even[:, None], 1) > 0.3
    for degree, expected in ((1, 0), (2, 0), (3, 2), (4, np.hypot(2, 2))):
        np.testing.assert_allclose(closed_form(degree, real, fake), expected, atol=1e-12)
        found = value(trained(Polynomial(degree=degree), real, fake, 400), real, fake)
        np.testing.assert_allclose(found, expected, atol=2e-3)


@pytest.mark.parametrize("degree", DEGREES)
def test_a_stack_has_the_bytes_of_each_member_alone(stack: Stack, degree: int) -> None:
    net = Polynomial(degree=degree)
    params = stack(net, 4, 1, torch.float32)
    x = torch.randn(3, 32, 4)
    together, slopes = net.apply(params, x), net.input_gradient(params, x)
    for member in range(3):
        own = {name: each[member : member + 1] for name, each in params.items()}
        assert torch.equal(net.apply(own, x[member : member + 1])[0], together[member])
        assert torch.equal(net.input_gradient(own, x[member : member + 1])[0], slopes[member])


def test_only_degree_one_promises_a_lipschitz_constant() -> None:
    assert [Polynomial(degree=degree, scale=3.0).lipschitz_bound() for degree in DEGREES] == [3.0, None, None, None]


@pytest.mark.parametrize("settings", [{"degree": 0}, {"degree": 5}, {"scale": 0}])
def test_impossible_settings_are_refused(settings: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Polynomial(**settings)

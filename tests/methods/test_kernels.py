"""Plummer's kernel is a smoothed potential, and MMD² is the mean over all pairs that its definition says."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from scipy.spatial.distance import cdist

from tests.methods.stacks import points
from wgpipe.methods.kernels import Plummer, mmd, mmd_squared, squared_distances

VARIANCES = (0.5, 2.0, 9.0)


def laplacian(plummer: Plummer, at: np.ndarray, width: float = 1e-3) -> float:
    """Of the kernel around 0, in as many dimensions as the point has, by central differences."""
    shifts = width * np.eye(len(at))
    around = np.concatenate([at + shifts, at - shifts])
    values = plummer.kernel(np.square(around).sum(axis=1))
    return float((values.sum() - len(around) * plummer.kernel(np.square(at).sum())) / width**2)


def test_the_defaults_are_those_of_the_authors_code() -> None:
    assert Plummer().kernel(np.array([0.0, 3.0])) == pytest.approx([1, 1 / 2], rel=1e-15)


@pytest.mark.parametrize(("dimension", "epsilon"), [(3.0, 0.5), (4.0, 1.0), (3.5, 2.0)])
def test_the_kernel_is_a_smoothed_power_of_the_distance(dimension: float, epsilon: float) -> None:
    found = Plummer(dimension=dimension, epsilon=epsilon).kernel(torch.tensor([0.0, 1.7**2], dtype=torch.float64))
    expected = [1 / epsilon ** (dimension - 2), 1 / np.hypot(1.7, epsilon) ** (dimension - 2)]
    torch.testing.assert_close(found, torch.tensor(expected, dtype=torch.float64), rtol=1e-14, atol=0)


@pytest.mark.parametrize("dimension", [3, 4, 5])
@pytest.mark.parametrize("space", [2, 3, 4, 6])
def test_the_kernel_is_superharmonic_in_spaces_of_at_least_its_dimension_and_no_other(
    dimension: int, space: int
) -> None:
    plummer = Plummer(dimension=dimension, epsilon=0.7)
    found = [laplacian(plummer, radius * np.eye(space)[0]) for radius in np.linspace(0, 10, 41)]
    assert found[0] < 0
    assert (max(found) < 1e-8) == (dimension <= space)


@pytest.mark.parametrize("dimension", [2, 1.5, -1, float("nan"), float("inf")])
def test_a_kernel_that_does_not_fall_with_the_distance_is_refused(dimension: float) -> None:
    with pytest.raises(ValidationError, match="must be"):
        Plummer(dimension=dimension)


def test_the_constant_kernel_is_called_by_its_name() -> None:
    with pytest.raises(ValidationError, match="the kernel is constant, and nothing is learned"):
        Plummer(dimension=2)


def test_distances_are_those_of_scipy() -> None:
    a, b = points(0), points(1, 3.0)[:, :20] + 5
    expected = np.stack([cdist(x, y, "sqeuclidean") for x, y in zip(a, b, strict=True)])
    np.testing.assert_allclose(squared_distances(a, b), expected, rtol=1e-12)


def test_on_a_line_members_of_a_stack_stay_apart() -> None:
    x, y = (points(seed, dtype=torch.float32)[..., :1].contiguous().requires_grad_() for seed in (0, 1))
    value = mmd(x, y, VARIANCES)
    (gradient,) = torch.autograd.grad(value.sum(), x)
    for e in range(len(x)):
        alone = x[e : e + 1].detach().clone().requires_grad_()
        its_value = mmd(alone, y[e : e + 1], VARIANCES)
        (its_gradient,) = torch.autograd.grad(its_value.sum(), alone)
        assert torch.equal(its_value, value[e : e + 1])
        assert torch.equal(its_gradient, gradient[e : e + 1])


def test_distances_in_float32_do_not_suffer_from_a_far_origin() -> None:
    a, b = points(0), points(1)
    found = squared_distances((a + 1024).float(), (b + 1024).float())
    np.testing.assert_allclose(found, squared_distances(a, b), atol=5e-3)
    assert float(squared_distances(a, a).min()) == 0


def test_mmd_squared_is_its_double_sum() -> None:
    x, y = points(0), points(1, 2.0)[:, :20]

    def mean(a: np.ndarray, b: np.ndarray) -> float:
        pairs = [np.exp(-np.sum((p - q) ** 2) / (2 * v)) for p in a for q in b for v in VARIANCES]
        return float(np.sum(pairs) / (len(a) * len(b)))

    expected = [mean(p, p) + mean(q, q) - 2 * mean(p, q) for p, q in zip(x.numpy(), y.numpy(), strict=True)]
    np.testing.assert_allclose(mmd_squared(x, y, VARIANCES), expected, rtol=1e-12)
    np.testing.assert_allclose(mmd(x, y, VARIANCES), np.sqrt(expected), rtol=1e-12)


def test_mmd_squared_of_equal_sets_is_zero_and_the_gradient_of_its_root_is_finite() -> None:
    x = points(0).requires_grad_()
    np.testing.assert_allclose(mmd_squared(x, x.flip(1), VARIANCES).detach(), 0, atol=1e-14)
    (gradient,) = torch.autograd.grad(mmd(x, x.detach().flip(1), VARIANCES).sum(), x)
    assert gradient.isfinite().all()


def test_mmd_squared_in_float32_sees_points_that_are_close() -> None:
    x, y = 1e-4 * points(0), 1e-4 * points(1, 2.0)
    exact = mmd_squared(x, y, VARIANCES)
    assert float(exact.max()) < 1e-7
    torch.testing.assert_close(mmd_squared(x.float(), y.float(), VARIANCES).double(), exact, rtol=1e-3, atol=0)

"""Closed forms about charges against derivatives, differential equations and counting."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.integrate import quad, solve_ivp

from wgpipe.theory import coulomb


@pytest.mark.parametrize("dimension", [2.5, 3.0, 5.0])
@pytest.mark.parametrize("m", [1, 2, 3, 5])
def test_the_laplacian_is_the_sum_of_second_derivatives(dimension: float, m: int) -> None:
    point, width, epsilon = np.linspace(0.4, 1.1, m), 1e-4, 0.6

    def kernel(at: np.ndarray) -> float:
        return float((np.sum(at**2) + epsilon**2) ** (-(dimension - 2) / 2))

    steps = width * np.eye(m)
    expected = sum((kernel(point + s) - 2 * kernel(point) + kernel(point - s)) / width**2 for s in steps)
    found = coulomb.laplacian(dimension, epsilon, m, np.asarray(np.linalg.norm(point)))
    assert found == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(("start", "data"), [(5.0, 0.7), (0.1, 0.7)])
def test_the_logistic_curve_solves_its_equation_and_its_rate_is_one(start: float, data: float) -> None:
    solved = solve_ivp(lambda t, p: p * (data - p), (0, 2), [start], rtol=1e-10, atol=1e-12)
    found = coulomb.logistic(start, data, np.asarray(2.0))
    assert found == pytest.approx(solved.y[0, -1], rel=1e-7)
    assert coulomb.logistic_rate(start, found, data, 2.0) == pytest.approx(1)


def test_the_decay_solves_its_equation_and_its_rate_is_one() -> None:
    solved = solve_ivp(lambda t, p: -p * p, (0, 3), [4.0], rtol=1e-10, atol=1e-12)
    found = coulomb.decayed(4.0, np.asarray(3.0))
    assert found == pytest.approx(solved.y[0, -1], rel=1e-7)
    assert coulomb.decay_rate(4.0, found, 3.0) == pytest.approx(1)


@pytest.mark.parametrize("epsilon", [0.1, 1.0, 3.0])
def test_the_smoothed_rate_is_the_mass_of_the_smoothed_charge_in_the_ball(epsilon: float) -> None:
    def density(r: float) -> float:
        return 3 * epsilon**2 / (4 * math.pi * (r * r + epsilon**2) ** 2.5)

    mass = quad(lambda r: 4 * math.pi * r * r * density(r), 0, 1.7)[0]
    assert coulomb.smoothed_rate(epsilon, 1.7) == pytest.approx(mass, rel=1e-8)


def test_the_smoothed_charge_is_minus_the_laplacian_of_the_normalised_kernel() -> None:
    r = np.array([0.0, 0.5, 2.0])
    density = 3 * 0.3**2 / (4 * np.pi * (r**2 + 0.3**2) ** 2.5)
    np.testing.assert_allclose(-coulomb.laplacian(3, 0.3, 3, r) / coulomb.NORMALISED, density, rtol=1e-12)


def test_the_first_rate_is_the_smoothed_charge_of_both_at_the_centre() -> None:
    """The divergence of the field at the centre: charges of the ball minus those of the sphere around it, over p(0)."""
    epsilon, start = 0.8, 0.5
    density = 3 / (4 * math.pi)
    ball = quad(lambda r: density * 4 * math.pi * r * r * coulomb.smoothed_charge(epsilon, r), 0, 1)[0]
    expected = (ball - coulomb.smoothed_charge(epsilon, 2.0)) / density
    assert coulomb.first_rate(epsilon, start) == pytest.approx(expected, rel=1e-8)


def test_at_epsilon_of_the_radius_a_third_of_the_rate_is_left() -> None:
    assert coulomb.smoothed_rate(1, 1) == pytest.approx(0.3536, abs=1e-4)


def test_the_support_is_the_number_of_days_of_the_birthday_problem() -> None:
    days, unlike, size = 365 * 100, 1.0, 0
    while unlike > 0.5:
        unlike *= 1 - size / days
        size += 1
    assert coulomb.support(np.asarray(size)) == pytest.approx(days, rel=0.02)
    assert coulomb.support(np.asarray(1024.0)) == pytest.approx(756_000, rel=0.001)


def test_a_ball_has_mass_one() -> None:
    assert coulomb.ball_density(1.5) * 4 / 3 * math.pi * 1.5**3 == pytest.approx(1)


def test_self_terms_are_one_over_the_batch_at_epsilon_one_only() -> None:
    assert coulomb.self_term(3, 1, 128) == coulomb.self_term(5, 1, 128) == 1 / 128
    assert coulomb.self_term(4, 0.5, 10) == pytest.approx(0.4)


@pytest.mark.parametrize(("dimension", "m", "expected"), [(3, 3, True), (3, 2, False), (2.5, 2, False), (4, 5, True)])
def test_superharmonic_up_to_the_dimension_of_the_data(dimension: float, m: int, expected: bool) -> None:
    r = np.geomspace(1e-3, 1e3, 2000)
    assert coulomb.superharmonic(dimension, m) == expected == bool((coulomb.laplacian(dimension, 1, m, r) <= 0).all())

"""The vanilla value, its two bounds by W1, and the predicted rates."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import LinearConstraint, minimize
from scipy.spatial.distance import cdist, jensenshannon

from wgpipe.metrics.transport import exact_cost
from wgpipe.rng import stream
from wgpipe.theory.vanilla import (
    SATURATION,
    lower_bound,
    upper_bound,
    value,
    vanilla_exponent,
    wasserstein_exponent,
)


def best_value(real: np.ndarray, generated: np.ndarray, lipschitz: float) -> float:
    """The concave problem itself: the greatest V over logits on the points whose slopes are at most `lipschitz`."""
    points, m = np.vstack([real, generated]), len(real)
    first, second = np.triu_indices(len(points), 1)
    differences = np.eye(len(points))[first] - np.eye(len(points))[second]
    reach = lipschitz * np.linalg.norm(points[first] - points[second], axis=1)

    def gradient(w: np.ndarray) -> np.ndarray:
        slope_real, slope_generated = -1 / (1 + np.exp(w[:m])), 1 / (1 + np.exp(-w[m:]))
        return np.concatenate([slope_real / m, slope_generated / len(generated)])

    solved = minimize(
        lambda w: -value(w[:m], w[m:]),
        np.zeros(len(points)),
        jac=gradient,
        method="SLSQP",
        constraints=LinearConstraint(differences, -reach, reach),
        options={"ftol": 1e-13, "maxiter": 500},
    )
    assert solved.success
    return float(-solved.fun)


@pytest.mark.parametrize("lipschitz", [0.3, 1.0, 3.0, 12.0])
@pytest.mark.parametrize(("m", "k", "scale"), [(4, 4, 1.0), (5, 3, 1.0), (3, 5, 0.2)])
def test_the_exact_optimum_lies_between_its_bounds(m: int, k: int, scale: float, lipschitz: float) -> None:
    draws = stream("test-vanilla", m, k).standard_normal((m + k, 2))
    real, generated = draws[:m], scale * draws[m:]
    half_diameter = cdist(np.vstack([real, generated]), np.vstack([real, generated])).max() / 2
    w1 = exact_cost(real, generated, 1)
    best = best_value(real, generated, lipschitz)
    assert lower_bound(w1, lipschitz, half_diameter) - 1e-9 <= best <= upper_bound(w1, lipschitz) + 1e-9
    assert best <= SATURATION


@pytest.mark.parametrize("reach", [0.01, 1.0, 4.0, 10.0])
def test_of_two_points_at_a_distance_the_value_and_both_bounds_are_closed_forms(reach: float) -> None:
    """P = δ_0, Q = δ_r: the best logits are ±Lr/2. Here W1 = r = 2B, so the bounds are functions of Lr alone."""
    distance = 0.5
    lipschitz = reach / distance
    exact = 2 * np.log(2 / (1 + np.exp(-reach / 2)))
    assert best_value(np.zeros((1, 1)), np.full((1, 1), distance), lipschitz) == pytest.approx(exact, rel=1e-7)
    low, high = lower_bound(distance, lipschitz, distance / 2), upper_bound(distance, lipschitz)
    assert low == pytest.approx(1 if reach >= 4 else reach / 2 - reach**2 / 16)
    assert high == pytest.approx(reach / 2)
    assert low < exact < high


def test_both_bounds_are_sharp_for_small_slopes() -> None:
    w1, lipschitz, half_diameter = 0.4, 1e-6, 1.0
    assert lower_bound(w1, lipschitz, half_diameter) == pytest.approx(upper_bound(w1, lipschitz), rel=1e-5)


def test_the_lower_bound_is_smooth_where_its_two_cases_meet_and_zero_for_equal_laws() -> None:
    below, at, above = (lower_bound(3.0 * 0.25 + step, 3.0, 0.5) for step in (-1e-6, 0.0, 1e-6))
    assert at == pytest.approx((below + above) / 2, rel=1e-9)
    assert lower_bound(0.0, 3.0, 0.5) == lower_bound(0.0, 3.0, 0.0) == 0


def test_without_a_constraint_the_value_is_twice_the_jensen_shannon_divergence() -> None:
    """P = (3/4, 1/4) and Q = (1/5, 4/5) on two points; the best logit is log(p/q)."""
    logits = np.log(np.array([0.75, 0.25]) / np.array([0.2, 0.8]))
    at_best = value(logits[[0, 0, 0, 1]], logits[[0, 1, 1, 1, 1]])
    assert at_best == pytest.approx(2 * jensenshannon([0.75, 0.25], [0.2, 0.8]) ** 2, rel=1e-12)


def test_a_blind_critic_gives_zero_and_a_perfect_one_saturates() -> None:
    assert value(np.zeros(5), np.zeros(7)) == 0
    assert pytest.approx(2 * np.log(2), rel=1e-15) == SATURATION
    assert value(np.full(3, 1e4), np.full(3, -1e4)) == SATURATION
    assert value(np.full(3, -1e4), np.full(3, 1e4)) == pytest.approx(SATURATION - 2e4, rel=1e-15)


def test_members_are_valued_one_by_one_in_double_precision() -> None:
    real = stream("test-value").standard_normal((4, 30)).astype(np.float32)
    values = value(real, real[:, :20] - 1)
    assert values.shape == (4,)
    assert values.dtype == np.float64
    assert values[2] == value(real[2], real[2, :20] - 1)


@pytest.mark.parametrize(
    ("intrinsic", "vanilla", "wasserstein"),
    [(1, -0.25, -0.5), (2, -0.225, -0.45), (3, -0.15, -0.3), (4, -0.1125, -0.225)],
)
def test_rates_at_smoothness_nine_tenths(intrinsic: int, vanilla: float, wasserstein: float) -> None:
    assert vanilla_exponent(0.9, intrinsic) == pytest.approx(vanilla)
    assert wasserstein_exponent(0.9, intrinsic) == pytest.approx(wasserstein)

"""The two-point example: formulas against the search for the nearest law, and against exact transport."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.optimize import minimize

from wgpipe.metrics.transport import exact_cost
from wgpipe.theory.two_point import LARGER_BELOW, nearest_even, nearest_even_w1, paper_bound, projection

V = np.array([1.2, -0.5])
NORM = 1.3
EXCESSES = [0.05, 0.1, 0.2, 0.3, 0.45]


def law(excess: float, count: int = 200) -> np.ndarray:
    heavy = round(count * (0.5 + excess))
    return np.concatenate([np.tile(V, (heavy, 1)), np.tile(-V, (count - heavy, 1))])


@pytest.mark.parametrize("excess", EXCESSES)
def test_the_search_ends_at_the_formulas(excess: float) -> None:
    assert nearest_even(law(excess)) == pytest.approx(projection(excess, NORM), rel=1e-12)
    assert nearest_even_w1(law(excess)) == pytest.approx(paper_bound(excess, NORM), rel=1e-12)


@pytest.mark.parametrize("excess", [0.1, 0.3])
def test_exact_transport_to_any_pair_of_points_costs_as_much_or_more(excess: float) -> None:
    points = law(excess, 60)

    def cost(z: np.ndarray) -> float:
        return exact_cost(points, np.stack([z, -z]), 2) / 2

    best = minimize(cost, V + 0.1, method="Nelder-Mead", options={"xatol": 1e-7, "fatol": 1e-10})
    assert math.sqrt(best.fun) == pytest.approx(projection(excess, NORM), rel=1e-5)
    np.testing.assert_allclose(best.x, (1 - 2 * excess) * V, atol=1e-3)


def test_the_projection_is_above_the_papers_bound_below_a_third_and_under_it_above() -> None:
    for excess in (0.01, 0.2, LARGER_BELOW - 1e-6):
        assert projection(excess) > paper_bound(excess)
    assert projection(LARGER_BELOW) == pytest.approx(paper_bound(LARGER_BELOW))
    for excess in (LARGER_BELOW + 1e-6, 0.49):
        assert projection(excess) < paper_bound(excess)


def test_points_that_are_even_already_have_no_distance() -> None:
    x = np.random.default_rng(0).standard_normal((1, 3))
    points = np.tile(np.concatenate([x, -x]), (50, 1))
    assert nearest_even(points) == pytest.approx(0, abs=1e-12)
    assert nearest_even_w1(points) == pytest.approx(0, abs=1e-12)

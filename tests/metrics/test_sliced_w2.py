"""Sliced W2 against its closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import wasserstein_distance

from wgpipe.metrics.sliced_w2 import SlicedW2
from wgpipe.metrics.transport import exact_cost
from wgpipe.rng import stream


def cloud(count: int, dimension: int, key: int = 0) -> np.ndarray:
    return stream("test-sliced", count, dimension, key).standard_normal((count, dimension))


def test_directions_are_unit_vectors_that_depend_on_the_dimension_alone() -> None:
    many, few = SlicedW2(projections=64).directions(7), SlicedW2(real=9, projections=16).directions(7)
    np.testing.assert_allclose(np.linalg.norm(many, axis=1), 1, rtol=1e-14)
    np.testing.assert_array_equal(many[:16], few)


def test_a_translation_is_seen_along_each_direction() -> None:
    metric, x, shift = SlicedW2(), cloud(50, 3), np.array([1.0, 2.0, -2.0])
    expected = np.sqrt(((metric.directions(3) @ shift) ** 2).mean())
    assert metric.compare(x, x + shift) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("d", [2, 8, 32])
def test_a_translation_by_v_is_at_v_over_root_d(d: int) -> None:
    """(θ·v)² has mean |v|²/d and variance 2(d-1)/(d+2)·(|v|²/d)²; 4 standard errors."""
    metric, x, shift = SlicedW2(projections=4000), cloud(4, d), np.linspace(1, 2, d)
    expected = shift @ shift / d
    error = np.sqrt(2 * (d - 1) / (d + 2) / 4000) * expected
    assert metric.compare(x, x + shift) ** 2 == pytest.approx(expected, abs=4 * error)


def test_on_the_line_it_is_w2() -> None:
    x, y = cloud(30, 1), cloud(70, 1, 1)
    assert SlicedW2().compare(x, y) == pytest.approx(np.sqrt(exact_cost(x, y, 2)), rel=1e-12)


def test_it_is_no_larger_than_w2_and_no_smaller_than_sliced_w1_on_unequal_sizes() -> None:
    x, y, metric = cloud(60, 4), 2 * cloud(45, 4, 1), SlicedW2(projections=32)
    lines = [wasserstein_distance(x @ theta, y @ theta) for theta in metric.directions(4)]
    assert np.mean(lines) <= metric.compare(x, y) <= np.sqrt(exact_cost(x, y, 2))

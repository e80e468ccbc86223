"""The Bures distance and map against cases with known answers."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import sqrtm

from wgpipe.rng import stream
from wgpipe.theory.gaussian import bures_map, bures_squared, w2_between


def covariance(key: int, rank: int = 4) -> np.ndarray:
    root = stream("test-bures", key).standard_normal((4, rank))
    return root @ root.T


def test_on_the_line_it_is_the_difference_of_standard_deviations() -> None:
    assert bures_squared(np.array([[9.0]]), np.array([[4.0]])) == pytest.approx(1.0)
    assert bures_map(np.array([[9.0]]), np.array([[4.0]])) == pytest.approx(2 / 3)


def test_commuting_covariances_compare_axis_by_axis() -> None:
    rotation = np.linalg.qr(covariance(1))[0]
    a, b = np.array([1.0, 4.0, 0.0, 9.0]), np.array([4.0, 1.0, 4.0, 9.0])
    turned = [rotation @ np.diag(v) @ rotation.T for v in (a, b)]
    assert bures_squared(*turned) == pytest.approx(np.sum((np.sqrt(a) - np.sqrt(b)) ** 2), rel=1e-7)


def test_it_agrees_with_scipys_matrix_root_and_is_symmetric() -> None:
    a, b = covariance(1), covariance(2)
    root = sqrtm(a)
    expected = np.trace(a + b - 2 * sqrtm(root @ b @ root).real)
    assert bures_squared(a, b) == pytest.approx(expected, rel=1e-10)
    assert bures_squared(b, a) == pytest.approx(expected, rel=1e-10)


def test_it_vanishes_for_equal_covariances_of_any_rank() -> None:
    for rank in (1, 2, 4):
        assert bures_squared(covariance(3, rank), covariance(3, rank)) == pytest.approx(0, abs=1e-6)


def test_the_map_is_symmetric_positive_and_pushes_one_covariance_to_the_other_at_the_bures_cost() -> None:
    a, b = covariance(1), covariance(2)
    transport = bures_map(a, b)
    moved = transport - np.eye(4)
    np.testing.assert_allclose(transport, transport.T, atol=1e-9)
    assert np.linalg.eigvalsh(transport).min() > 0
    np.testing.assert_allclose(transport @ a @ transport.T, b, atol=1e-9)
    assert np.trace(moved @ a @ moved.T) == pytest.approx(bures_squared(a, b), rel=1e-9)


def test_means_and_covariances_add_in_squares() -> None:
    a = covariance(1)
    assert w2_between(np.zeros(4), a, np.full(4, 2.0), a) == pytest.approx(4.0, rel=1e-9)
    point = np.zeros((4, 4))
    assert w2_between(np.zeros(4), a, np.zeros(4), point) == pytest.approx(np.sqrt(np.trace(a)), rel=1e-12)

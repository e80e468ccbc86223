"""W1 and W2 of clouds whose distances are known."""

from __future__ import annotations

import numpy as np
import pytest

from wgpipe.metrics.w1 import W1
from wgpipe.metrics.w2 import W2
from wgpipe.rng import stream
from wgpipe.theory.gaussian import bures_map, bures_squared, w2_between

SHIFT = np.array([1.0, -2.0, 0.5, 0.0, 3.0])


def cloud(count: int, key: int = 0) -> np.ndarray:
    return stream("test-w", count, key).standard_normal((count, 5))


def covariance(key: int) -> np.ndarray:
    root = stream("test-covariance", key).standard_normal((5, 5))
    return root @ root.T + 0.1 * np.eye(5)


def with_moments(mean: np.ndarray, cov: np.ndarray) -> np.ndarray:
    """(300, 5) points with exactly this mean and covariance (divided by 300)."""
    points = cloud(300) - cloud(300).mean(axis=0)
    white = points @ np.linalg.inv(np.linalg.cholesky(points.T @ points / 300)).T
    return mean + white @ np.linalg.cholesky(cov).T


@pytest.mark.parametrize("metric", [W1(), W2()])
def test_a_translated_cloud_is_as_far_as_the_translation(metric: W1 | W2) -> None:
    x = cloud(200)
    assert metric.compare(x, x + SHIFT) == pytest.approx(np.linalg.norm(SHIFT), rel=1e-12)


def test_everything_goes_to_a_single_point() -> None:
    x = cloud(200)
    lengths = np.linalg.norm(x, axis=1)
    for target in (np.zeros((1, 5)), np.zeros((30, 5))):
        assert W1().compare(x, target) == pytest.approx(lengths.mean(), rel=1e-12)
        assert W2().compare(x, target) == pytest.approx(np.sqrt((lengths**2).mean()), rel=1e-12)


def test_a_sample_that_the_gaussian_map_transports_is_at_the_distance_of_the_gaussians() -> None:
    """The map is the gradient of a convex function, so optimal for any sample; moments alone decide its cost."""
    a, b = covariance(1), covariance(2)
    x = with_moments(np.zeros(5), a)
    y = x @ bures_map(a, b) + SHIFT
    assert W2().compare(x, y) == pytest.approx(w2_between(np.zeros(5), a, SHIFT, b), rel=1e-9)


def test_two_gaussian_samples_are_at_least_as_far_as_their_moments_and_not_much_farther() -> None:
    """The excess of W2² over Gelbrich's bound is at most the sampling cost that two samples of one law show, 3-fold."""
    a, b = np.diag([1.0, 4.0, 0.25, 1.0, 1.0]), np.diag([9.0, 1.0, 0.25, 4.0, 1.0])
    x, y, other = (cloud(600, key) @ np.sqrt(c) for key, c in ((1, a), (2, b), (3, a)))
    gelbrich = bures_squared(np.cov(x.T, bias=True), np.cov(y.T, bias=True)) + np.sum((x.mean(0) - y.mean(0)) ** 2)
    null = W2().compare(x, other) ** 2
    assert gelbrich <= W2().compare(x, y) ** 2 <= gelbrich + 3 * null

"""The kernel density control is that of scipy."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError
from scipy import stats

from wgpipe.data import dataset
from wgpipe.errors import UserError
from wgpipe.methods.kde import Kde

RING = dataset("ring-2")


@pytest.fixture
def sample() -> np.ndarray:
    return np.random.default_rng(0).exponential(size=(60, 3)) @ np.array([[1, 0.5, 0], [0, 2, 0], [0, 1, 3]]) + 4


@pytest.mark.parametrize("bandwidth", ["scott", "silverman"])
@pytest.mark.parametrize("d", [1, 3])
def test_the_kernels_covariance_is_that_of_scipy(bandwidth: str, d: int, sample: np.ndarray) -> None:
    state = Kde.model_validate({"bandwidth": bandwidth}).fit(sample[:, :d])
    expected = stats.gaussian_kde(sample[:, :d].T, bw_method=bandwidth).covariance
    np.testing.assert_allclose(state["root"] @ state["root"].T, expected, rtol=1e-10)


def test_draws_follow_scipys_distribution_function(sample: np.ndarray) -> None:
    control, one = Kde(), sample[:, :1]
    points = control.draw(control.fit(one), RING, {}, np.random.default_rng(1), 4000)
    kde = stats.gaussian_kde(one.T)

    def below(x: np.ndarray) -> np.ndarray:
        return np.asarray([kde.integrate_box_1d(-np.inf, end) for end in x])

    assert stats.kstest(points[:, 0], below).pvalue > 0.01
    assert stats.kstest(points[:, 0] + 0.2, below).pvalue < 1e-3


def test_draws_have_the_moments_of_the_mixture(sample: np.ndarray) -> None:
    control = Kde()
    points = control.draw(control.fit(sample), RING, {}, np.random.default_rng(1), 200_000)
    kernel = stats.gaussian_kde(sample.T).covariance
    np.testing.assert_allclose(points.mean(axis=0), sample.mean(axis=0), atol=0.05)
    np.testing.assert_allclose(np.cov(points.T), np.cov(sample.T, bias=True) + kernel, rtol=0.03, atol=0.1)


def test_scotts_rule_is_the_default() -> None:
    assert Kde() == Kde(bandwidth="scott")


def test_a_sample_in_a_plane_is_smoothed_within_it(sample: np.ndarray) -> None:
    flat = sample * [1, 1, 0] + [0, 0, 7]
    control = Kde()
    points = control.draw(control.fit(flat), RING, {}, np.random.default_rng(1), 50)
    np.testing.assert_allclose(points[:, 2], 7, atol=1e-6)
    assert len(np.unique(points[:, 0])) == 50


def test_draws_are_those_of_the_stream(sample: np.ndarray) -> None:
    control = Kde()
    first, second = (control.draw(control.fit(sample), RING, {}, np.random.default_rng(2), 9) for _ in range(2))
    assert first.dtype == np.float64
    np.testing.assert_array_equal(first, second)


def test_one_point_has_no_covariance() -> None:
    with pytest.raises(UserError, match="'kde' needs at least 2 training points for a covariance, and has 1"):
        Kde().fit(np.zeros((1, 3)))


def test_an_unknown_rule_is_refused() -> None:
    with pytest.raises(ValidationError, match="'scott' or 'silverman'"):
        Kde.model_validate({"bandwidth": "best"})

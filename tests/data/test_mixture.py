"""Gaussians and mixtures against their exact moments."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from scipy.spatial import KDTree

from wgpipe import rng
from wgpipe.data import dataset
from wgpipe.data.mixture import Mixture
from wgpipe.errors import UserError

COUNT = 50000
MIXTURES = {"ring-8": 8, "ring-5": 5, "grid-25": 25, "grid-25-wgangp": 25, "grid-25-coulomb": 25}


def mixture(name: str) -> Mixture:
    data = dataset(name)
    assert isinstance(data, Mixture)
    return data


def draw(name: str) -> np.ndarray:
    data = dataset(name)
    return data.draw(data.prepare({}), rng.stream("test", name), COUNT)


@pytest.mark.parametrize("name", MIXTURES)
def test_mean_and_covariance_are_those_of_the_mixture(name: str) -> None:
    data = mixture(name)
    points, modes = draw(name), data.modes()
    covariance = data.sigma**2 * np.eye(2) + np.cov(modes.T, bias=True)
    deviation = np.sqrt(covariance[0, 0])
    np.testing.assert_allclose(points.mean(axis=0), modes.mean(axis=0), atol=5 * deviation / np.sqrt(COUNT))
    np.testing.assert_allclose(np.cov(points.T), covariance, atol=5 * deviation**2 * np.sqrt(2 / COUNT))


@pytest.mark.parametrize("name", MIXTURES)
def test_modes_have_equal_weights_and_the_width_sigma(name: str) -> None:
    data = mixture(name)
    points, modes = draw(name), data.modes()
    assert modes.shape == (MIXTURES[name], 2)
    distances, nearest = KDTree(modes).query(points)
    assert stats.chisquare(np.bincount(nearest, minlength=len(modes))).pvalue > 1e-3
    assert stats.kstest(distances / data.sigma, stats.rayleigh.cdf).pvalue > 1e-3
    within_three_sigma = 1 - np.exp(-4.5)
    np.testing.assert_allclose((distances <= 3 * data.sigma).mean(), within_three_sigma, atol=0.002)


def test_scalings_are_those_of_the_papers() -> None:
    grid = np.array([(x, y) for x in (-4, -2, 0, 2, 4) for y in (-4, -2, 0, 2, 4)])
    np.testing.assert_allclose(mixture("grid-25").modes(), grid, atol=1e-15)
    np.testing.assert_allclose(mixture("grid-25-wgangp").modes(), grid / 2.828, atol=1e-15)
    np.testing.assert_allclose(mixture("grid-25-coulomb").modes(), grid * 21 / 4, atol=1e-14)
    sigmas = [mixture(name).sigma for name in ("grid-25", "grid-25-wgangp", "grid-25-coulomb", "ring-8")]
    np.testing.assert_allclose(sigmas, [0.05, 0.05 / 2.828, 1, 0.01])
    ring = mixture("ring-8").modes()
    np.testing.assert_allclose(ring[[0, 1, 2]], [[1, 0], [0.5**0.5, 0.5**0.5], [0, 1]], atol=1e-15)


def test_a_gaussian_is_standard_normal() -> None:
    points = draw("gaussian-3")
    for column in points.T:
        assert stats.kstest(column, stats.norm.cdf).pvalue > 1e-3
    np.testing.assert_allclose(np.cov(points.T), np.eye(3), atol=5 * np.sqrt(2 / COUNT))


def test_a_mixture_cites_the_paper_of_its_scaling() -> None:
    assert dataset("grid-25").card().cites == ("lin2018",)
    assert dataset("grid-25-wgangp").card().cites == ("gulrajani2017",)
    assert dataset("grid-25-coulomb").card().cites == ("unterthiner2018",)


@pytest.mark.parametrize(
    ("name", "accepted"),
    [
        ("gaussian", "accepted: gaussian-<d>"),
        ("gaussian-0", "accepted: gaussian-<d>"),
        ("ring-x", "accepted: ring-<number of modes>"),
        ("grid-24", "did you mean 'grid-25'"),
        ("grid-25-colomb", "did you mean 'grid-25-coulomb'"),
    ],
)
def test_a_malformed_name_says_what_is_accepted(name: str, accepted: str) -> None:
    with pytest.raises(UserError, match=accepted):
        dataset(name)

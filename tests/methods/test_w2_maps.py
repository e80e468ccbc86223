"""Maps that are computed from two samples: linear between their moments, and the exact plan's."""

from __future__ import annotations

import numpy as np
import ot
import pytest

from wgpipe.methods.bures_map import Bures
from wgpipe.methods.discrete_plan import DiscretePlan
from wgpipe.theory.gaussian import bures_map


@pytest.fixture
def source() -> np.ndarray:
    return np.random.default_rng(0).standard_normal((60, 3)) @ np.random.default_rng(1).standard_normal((3, 3))


@pytest.fixture
def target() -> np.ndarray:
    return np.random.default_rng(2).standard_normal((60, 3)) @ np.random.default_rng(3).standard_normal((3, 3)) + 1


class TestBures:
    def test_it_is_the_optimal_map_of_gaussians_with_the_same_moments(
        self, source: np.ndarray, target: np.ndarray
    ) -> None:
        matrix = bures_map(np.cov(source.T, bias=True), np.cov(target.T, bias=True))
        points = np.random.default_rng(4).standard_normal((10, 3))
        expected = target.mean(axis=0) + (points - source.mean(axis=0)) @ matrix
        np.testing.assert_allclose(Bures().transport(Bures().fit(source, target), points), expected, rtol=1e-9)

    def test_it_matches_mean_and_covariance(self, source: np.ndarray, target: np.ndarray) -> None:
        moved = Bures().transport(Bures().fit(source, target), source)
        np.testing.assert_allclose(moved.mean(axis=0), target.mean(axis=0), atol=1e-12)
        np.testing.assert_allclose(np.cov(moved.T), np.cov(target.T), rtol=1e-9)

    def test_its_inverse_undoes_it(self, source: np.ndarray, target: np.ndarray) -> None:
        state = Bures().fit(source, target)
        np.testing.assert_allclose(Bures().inverse(state, Bures().transport(state, source)), source, atol=1e-9)

    def test_it_works_in_one_dimension(self) -> None:
        x = np.array([[0.0], [1.0], [2.0]])
        np.testing.assert_allclose(Bures().transport(Bures().fit(x, 3 * x + 1), x), 3 * x + 1)


class TestDiscretePlan:
    def test_at_the_sample_it_is_the_barycentric_projection_of_the_exact_plan(
        self, source: np.ndarray, target: np.ndarray
    ) -> None:
        plan = ot.emd([], [], ot.dist(source, target))
        moved = DiscretePlan().transport(DiscretePlan().fit(source, target), source)
        np.testing.assert_allclose(moved, plan @ target / plan.sum(axis=1, keepdims=True), atol=1e-12)

    def test_elsewhere_it_is_that_of_the_nearest_point(self, source: np.ndarray, target: np.ndarray) -> None:
        points = np.random.default_rng(4).standard_normal((10, 3))
        other = ot.da.EMDTransport().fit(Xs=source, Xt=target)
        moved = DiscretePlan().transport(DiscretePlan().fit(source, target), points)
        np.testing.assert_allclose(moved, other.transform(points), atol=1e-12)

    def test_its_inverse_is_the_map_of_the_exchanged_samples(self, source: np.ndarray, target: np.ndarray) -> None:
        plan, points = DiscretePlan(), np.random.default_rng(4).standard_normal((10, 3))
        exchanged = plan.transport(plan.fit(target, source), points)
        np.testing.assert_allclose(plan.inverse(plan.fit(source, target), points), exchanged)

    def test_it_uses_no_more_points_than_it_is_told(self, source: np.ndarray, target: np.ndarray) -> None:
        state = DiscretePlan(points=10).fit(source, target)
        assert sorted(map(tuple, state["target"])) == sorted(map(tuple, target[:10]))
        np.testing.assert_array_equal(state["source"], source[:10])

"""The nearest-neighbour test on copies, on fresh data, and in between."""

from __future__ import annotations

import numpy as np
import pytest

from tests.metrics.points import Points
from wgpipe.metrics.neighbours import Neighbours, neighbour_ratio

N = 500


def ratio(block: Points, generated: int = 4000) -> np.ndarray:
    return Neighbours(generated=generated).measure(block)["neighbour_ratio"][0]


def test_fresh_data_are_as_near_to_the_training_as_to_a_held_out_set() -> None:
    np.testing.assert_allclose(ratio(Points.of("ball-3in3", N)), 1, atol=0.03)


def test_copies_score_nothing() -> None:
    sample = Points.of("ball-3in3", N).training_sample()
    assert (ratio(Points.of("ball-3in3", N, made=lambda member, count: sample[member])) == 0).all()


def test_half_copies_score_a_half() -> None:
    block = Points.of("ball-3in3", N)
    sample, fresh = block.training_sample(), block.generated(N)
    block.made = lambda member, count: np.concatenate([sample[member], fresh[member]])
    share = fresh.shape[1] / (fresh.shape[1] + sample.shape[1])
    np.testing.assert_allclose(ratio(block), share, atol=0.05)


def test_by_hand() -> None:
    generated, train, held_out = np.array([[0.0], [10.0]]), np.array([[1.0], [12.0]]), np.array([[4.0], [7.0]])
    assert neighbour_ratio(generated, train, held_out) == pytest.approx((1 + 2) / (4 + 3))


def test_sets_of_unequal_size_and_diverged_members_have_no_ratio() -> None:
    points = np.zeros((3, 1))
    assert np.isnan(neighbour_ratio(points, points, points[:2]))
    assert np.isnan(neighbour_ratio(points + np.nan, points, points))

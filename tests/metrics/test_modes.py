"""Mode counts on points whose places are known."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tests.metrics.points import Points
from wgpipe.data import dataset
from wgpipe.metrics.modes import Modes, mode_scores

GRID = dataset("grid-25").prepare({})["modes"]
SIGMA = 0.05


def around(centres: np.ndarray, each: int, distance: float = 0.0) -> np.ndarray:
    """`each` points at a distance of every centre."""
    angles = np.linspace(0, 2 * np.pi, each, endpoint=False)
    ring = distance * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    return (centres[:, None] + ring).reshape(-1, 2)


def test_a_perfect_sampler_scores_what_the_rayleigh_law_says() -> None:
    block = Points.of("grid-25", n=10)
    found = {name: values for name, (values, _) in Modes(generated=20000).measure(block).items()}
    assert found["modes_captured"].tolist() == found["modes_balanced"].tolist() == [25, 25]
    np.testing.assert_allclose(found["high_quality"], 1 - math.exp(-4.5), atol=0.003)
    assert (found["mode_imbalance"] < 0.03).all()


@pytest.mark.parametrize(("distance", "share"), [(2.99, 1.0), (3.01, 0.0)])
def test_high_quality_ends_at_three_sigma(distance: float, share: float) -> None:
    scores = mode_scores(around(GRID, 4, distance * SIGMA), GRID, 3 * SIGMA)
    assert scores["high_quality"] == share
    assert scores["modes_captured"] == 25 * share


def test_one_point_captures_a_mode_and_does_not_balance_it() -> None:
    points = np.concatenate([around(GRID[:5], 100), GRID[5:6]])
    scores = mode_scores(points, GRID, 3 * SIGMA)
    assert scores["modes_captured"] == 6
    assert scores["modes_balanced"] == 0
    assert scores["high_quality"] == 1
    assert scores["mode_imbalance"] == pytest.approx(
        sum(abs(w - 1 / 25) for w in [100 / 501] * 5 + [1 / 501] + [0] * 19) / 2
    )


def test_balanced_is_within_a_factor_of_two_of_an_equal_share() -> None:
    weights = np.array([9, 10, 20, 39, 41, 1])  # of 120: an equal share is 20
    modes = 10.0 * np.arange(6)[:, None] * [1, 0]
    scores = mode_scores(np.repeat(modes, weights, axis=0), modes, 1.0)
    assert scores["modes_balanced"] == 3


def test_points_far_from_all_modes_capture_none() -> None:
    scores = mode_scores(np.full((50, 2), 1.0), GRID, 3 * SIGMA)
    assert list(scores.values()) == [0, 0, 0, 1]


def test_points_that_are_not_finite_have_no_score() -> None:
    assert all(math.isnan(value) for value in mode_scores(np.full((5, 2), np.nan), GRID, 1.0).values())


def test_other_data_have_nothing_and_the_protocol_tells_the_number_of_points() -> None:
    assert Modes().measure(Points.of("ball-2in2", n=10)) == {}
    (protocol,) = {told for _, told in Modes(generated=100).measure(Points.of("ring-8", n=10)).values()}
    assert protocol == "modes[generated=100,reach=3.0]"

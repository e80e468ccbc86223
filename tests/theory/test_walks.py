"""Optimal curves: their exact W1, the speed they need, and that nothing of their speed does better."""

from __future__ import annotations

import itertools

import numpy as np
import ot
import pytest
from scipy.optimize import linprog
from scipy.sparse import block_array, diags_array, eye_array
from scipy.sparse.csgraph import minimum_spanning_tree

from wgpipe.rng import stream
from wgpipe.theory import walks
from wgpipe.theory.gabriel import squared_distances
from wgpipe.theory.held_karp import held_karp
from wgpipe.theory.local_search import PathSearch, nearest_neighbour_path, path_length
from wgpipe.theory.walks import Walk, certificate, shortest_walk

ANGLES = np.array([0, 2, 4]) * np.pi / 3
STAR = np.concatenate([np.zeros((1, 2)), np.stack([np.cos(ANGLES), np.sin(ANGLES)], axis=1)])


def cloud(n: int, d: int) -> np.ndarray:
    return stream("test-walks", n, d).random((n, d))


def on_curve(walk: Walk, speed: float, count: int) -> np.ndarray:
    """(count, d) at the midpoints of equal cells of time."""
    knots, positions = walk.curve(speed)
    times = (np.arange(count) + 0.5) / count
    return np.stack([np.interp(times, knots, axis) for axis in positions.T], axis=1)


def exact_w1(curve: np.ndarray, sample: np.ndarray) -> float:
    return float(ot.emd2([], [], ot.dist(curve, sample, metric="euclidean"), numItermax=10**7))


def test_a_walk_that_comes_back_beats_every_permutation_of_a_star() -> None:
    squared = squared_distances(STAR)
    assert path_length(squared, held_karp(squared)) == pytest.approx(5.0, rel=1e-12)
    walk = shortest_walk(STAR)
    assert walk.squared_length == pytest.approx(4.0, rel=1e-12)
    assert len(walk.visits) == 5


@pytest.mark.parametrize("n", [3, 5, 7])
@pytest.mark.parametrize("d", [1, 2, 4])
def test_small_walks_are_at_most_the_best_permutation(n: int, d: int) -> None:
    points = cloud(n, d)
    squared = squared_distances(points)
    best = min(path_length(squared, np.array(order)) for order in itertools.permutations(range(n)))
    assert shortest_walk(points).squared_length <= best * (1 + 1e-12)


@pytest.mark.parametrize("faster", [1.0, 1.5, 4.0])
@pytest.mark.parametrize("sample", [STAR, cloud(6, 2), cloud(16, 3), np.repeat(cloud(5, 2), [1, 3, 1, 2, 1], axis=0)])
def test_w1_is_the_sum_of_squared_steps_over_four_times_the_speed(sample: np.ndarray, faster: float) -> None:
    walk = shortest_walk(sample)
    speed = walk.least_speed * faster
    curve = on_curve(walk, speed, 250 * len(sample))
    assert walk.w1(speed) == pytest.approx(walk.squared_length / (4 * speed), rel=1e-12)
    assert exact_w1(curve, sample) == pytest.approx(walk.w1(speed), rel=2e-3)
    assert certificate(curve, sample) == pytest.approx(walk.w1(speed), rel=2e-3)


def test_nothing_of_that_speed_is_nearer_on_the_line() -> None:
    """A linear program on 800 cells of time, monotone G: the least mean |G_i - Q_i| with |G_i+1 - G_i| <= K/800."""
    line = np.array([0.0, 0.3, 0.45, 1.0])
    walk = shortest_walk(line[:, None])
    cells = 800
    for speed in (walk.least_speed, 2 * walk.least_speed):
        quantile = np.repeat(line, cells // 4)
        rise = diags_array([-np.ones(cells), np.ones(cells - 1)], offsets=[0, 1], shape=(cells - 1, cells))
        one = eye_array(cells)
        best = linprog(
            np.repeat([0, 1 / cells], cells),
            A_ub=block_array([[one, -one], [-one, -one], [rise, None], [-rise, None]]),
            b_ub=np.concatenate([quantile, -quantile, np.full(cells - 1, speed / cells), np.zeros(cells - 1)]),
            bounds=(None, None),
        ).fun
        assert walk.w1(speed) == pytest.approx(best, rel=1e-2)


def test_least_speed_of_a_path_is_n_times_its_longest_mean_of_two_steps() -> None:
    line = np.array([[0.0], [0.3], [0.45], [1.0]])
    assert shortest_walk(line).least_speed == pytest.approx(4 * (0.15 + 0.55) / 2, rel=1e-12)


def test_least_speed_counts_every_visit() -> None:
    """The star's centre is visited twice: four half steps of length 1/2, mass 1/4."""
    assert shortest_walk(STAR).least_speed == pytest.approx(4 * 4 / 2, rel=1e-12)


def test_the_curve_has_its_speed_and_passes_through_all_points() -> None:
    sample = cloud(50, 2)
    walk = shortest_walk(sample)
    for speed in (walk.least_speed, 3 * walk.least_speed):
        knots, positions = walk.curve(speed)
        rises = np.linalg.norm(np.diff(positions, axis=0), axis=1)
        moving = rises > 0
        assert (knots[0], knots[-1]) == (0, 1)
        assert len(knots) == len(walk.visits) + 50 <= 3 * 50 - 1
        np.testing.assert_allclose(rises[moving], speed * np.diff(knots)[moving], rtol=1e-6)
        np.testing.assert_array_equal(np.unique(positions, axis=0), np.unique(sample, axis=0))


def test_a_speed_that_is_too_low_is_refused() -> None:
    walk = shortest_walk(STAR)
    for use in (walk.w1, walk.curve):
        with pytest.raises(ValueError, match=r"speed 7.9 is below 8, the least at which"):
            use(7.9)


def test_a_sample_of_one_distinct_point() -> None:
    walk = shortest_walk(np.ones((5, 2)))
    assert (walk.squared_length, walk.least_speed, walk.w1(0.0)) == (0, 0, 0)
    np.testing.assert_array_equal(on_curve(walk, 0.0, 3), np.ones((3, 2)))


def test_many_points_on_a_line_are_visited_once_in_their_order() -> None:
    line = np.sort(cloud(200, 1), axis=0)
    assert shortest_walk(line[::-1]).squared_length == pytest.approx((np.diff(line[:, 0]) ** 2).sum(), rel=1e-12)


@pytest.mark.parametrize("d", [2, 3])
def test_a_long_walk_lies_between_the_spanning_tree_and_the_permutation_found(d: int) -> None:
    sample = np.unique(cloud(150, d), axis=0)
    squared = squared_distances(sample)
    tree = minimum_spanning_tree(squared).sum()
    search = PathSearch(squared, nearest_neighbour_path(squared))
    search.improve(range(150))
    assert tree <= shortest_walk(sample, kicks=0).squared_length <= path_length(squared, search.order)


def test_a_walk_depends_on_the_set_of_points_alone() -> None:
    sample = cloud(40, 3)
    walk, again = shortest_walk(sample), shortest_walk(sample[::-1])
    np.testing.assert_array_equal(walk.points[walk.visits], again.points[again.visits])


def test_the_certificate_is_at_most_w1() -> None:
    sample = cloud(20, 2)
    for seed in range(5):
        other = stream("test-certificate", seed).random((300, 2))
        nearest = certificate(other, sample)
        assert 0 < nearest < exact_w1(other, sample)
        assert nearest == pytest.approx(np.sqrt(((other[:, None] - sample) ** 2).sum(axis=2)).min(axis=1).mean())


def test_even_a_random_order_needs_at_most_two_steps_a_point(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walks, "_search", lambda squared, *_: stream("test-order").permutation(len(squared)))
    walk = shortest_walk(cloud(60, 2))
    assert set(walk.visits) == set(range(60))
    assert len(walk.visits) - 1 <= 2 * 59

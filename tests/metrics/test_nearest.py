"""Nearest neighbours against all distances."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from wgpipe.metrics.nearest import ROWS, TREE, close_pairs, nearest, to_others
from wgpipe.rng import stream

DIMENSIONS = [2, TREE, TREE + 1, 60]


def points(key: str, count: int, dimension: int) -> np.ndarray:
    return stream("test-nearest", key, dimension).standard_normal((count, dimension))


@pytest.mark.parametrize("dimension", DIMENSIONS)
def test_the_nearest_is_that_of_all_distances(dimension: int) -> None:
    x, y = points("x", 2 * ROWS + 7, dimension), points("y", 90, dimension)
    every = cdist(x, y)
    distances, found = nearest(x, y)
    np.testing.assert_allclose(distances, every.min(axis=1), rtol=1e-9)
    np.testing.assert_array_equal(found, every.argmin(axis=1))


@pytest.mark.parametrize("dimension", DIMENSIONS)
def test_a_copy_has_distance_zero(dimension: int) -> None:
    y = 1e3 + points("y", 50, dimension)
    assert (nearest(y[::-1], y)[0] == 0).all()


@pytest.mark.parametrize("dimension", DIMENSIONS)
def test_among_themselves_points_are_not_their_own_neighbours(dimension: int) -> None:
    x = points("x", ROWS + 9, dimension)
    every = cdist(x, x)
    np.fill_diagonal(every, np.inf)
    np.testing.assert_allclose(to_others(x), every.min(axis=1), rtol=1e-9)
    assert (to_others(np.concatenate([x, x])) == 0).all()


@pytest.mark.parametrize("dimension", DIMENSIONS)
def test_close_pairs_are_those_of_all_distances_once_each(dimension: int) -> None:
    x = points("x", ROWS + 40, dimension)
    every = cdist(x, x)
    radius = float(np.quantile(every[every > 0], 0.01))
    expected = {tuple(pair) for pair in np.argwhere(np.triu(every <= radius, k=1)).tolist()}
    found = [tuple(pair) for pair in close_pairs(x, radius).tolist()]
    assert len(found) == len(set(found)) > 10
    assert set(found) == expected

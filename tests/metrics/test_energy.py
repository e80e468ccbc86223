"""The energy distance against its definition and scipy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import energy_distance

from wgpipe.metrics.energy import ROWS, Energy, mean_distance
from wgpipe.rng import stream


def cloud(count: int, dimension: int, key: int = 0) -> np.ndarray:
    return stream("test-energy", count, dimension, key).standard_normal((count, dimension))


def pairs(x: np.ndarray, y: np.ndarray) -> float:
    return float(np.mean([np.linalg.norm(a - b) for a in x for b in y]))


def test_it_is_its_definition() -> None:
    x, y = cloud(20, 3), 1 + cloud(13, 3, 1)
    assert Energy().compare(x, y) == pytest.approx(2 * pairs(x, y) - pairs(x, x) - pairs(y, y), rel=1e-12)


def test_on_the_line_it_is_the_square_of_scipys() -> None:
    x, y = cloud(200, 1), 0.5 + cloud(150, 1, 1)
    assert Energy().compare(x, y) == pytest.approx(energy_distance(x[:, 0], y[:, 0]) ** 2, rel=1e-10)


def test_blocks_of_rows_do_not_change_the_mean() -> None:
    x, y = cloud(2 * ROWS + 7, 2), cloud(5, 2, 1)
    whole = np.linalg.norm(x[:, None] - y[None], axis=2).mean()
    assert mean_distance(x, y) == pytest.approx(whole, rel=1e-12)


def test_a_sample_is_at_no_distance_from_itself() -> None:
    x = cloud(100, 4)
    assert 0 <= Energy().compare(x, x[::-1]) < 1e-12


def test_two_samples_of_one_law_are_apart_by_what_the_docstring_says() -> None:
    """(1/m + 1/k)·E|X-X'|, which is 1/3 for U[0, 1]; within 4 standard errors."""
    draws = stream("test-energy-bias").random((400, 64, 1))
    values = np.array([Energy().compare(draw[:24], draw[24:]) for draw in draws])
    error = values.std(ddof=1) / np.sqrt(400)
    assert values.mean() == pytest.approx((1 / 24 + 1 / 40) / 3, abs=4 * error)

"""The collapse diagnostic."""

from __future__ import annotations

import math

import numpy as np
import pytest

from wgpipe.metrics.spread import Spread
from wgpipe.rng import stream

REAL = stream("test-spread").standard_normal((500, 3))


def test_a_cloud_scaled_and_moved_has_the_spread_of_its_scale() -> None:
    assert Spread().compare(REAL, 5 - 0.4 * REAL) == pytest.approx(0.4, rel=1e-12)


def test_all_coordinates_count_together() -> None:
    flat = REAL * np.array([1.0, 0.0, 0.0])
    variances = REAL.var(axis=0)
    assert Spread().compare(REAL, flat) == pytest.approx(math.sqrt(variances[0] / variances.sum()), rel=1e-12)


def test_a_generator_that_makes_one_point_has_none() -> None:
    assert Spread().compare(REAL, np.full((100, 3), 2.0)) == 0


def test_no_scale_is_right_where_the_real_points_are_all_the_same() -> None:
    assert Spread().compare(np.ones((10, 3)), REAL) == math.inf

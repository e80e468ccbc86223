"""Errors of moments against sums over entries, and what a block without finite points gives."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from wgpipe.metrics.moments import Moments, moment_tensors
from wgpipe.rng import stream


class Block:
    """Two members in the plane; the second one's generator has diverged."""

    dataset_name = "toy"
    scale = 1.0

    def real(self, count: int) -> np.ndarray:
        points = stream("test-moments", "real").standard_normal((count, 2))
        return np.stack([points, points]) + np.array([1.0, 0.5])

    def generated(self, count: int) -> np.ndarray:
        points = self.scale * self.real(count)
        points[1, 0, 0] = np.nan
        return points


def test_tensors_hold_every_mixed_moment() -> None:
    points = stream("test-moments", "tensors").standard_normal((40, 3)) + 0.3
    for degree, tensor in enumerate(moment_tensors(points, 4), start=1):
        entries = {index: points[:, index].prod(axis=1).mean() for index in itertools.product(range(3), repeat=degree)}
        assert tensor.size == 3**degree
        for index, value in entries.items():
            assert tensor.reshape((3,) * degree)[index] == pytest.approx(value, rel=1e-10, abs=1e-12)


def test_a_scaled_law_is_wrong_by_the_power_of_the_scale() -> None:
    block = Block()
    block.scale = 1.5
    found = Moments(real=50, generated=50).measure(block)
    assert list(found) == ["moment1", "moment2", "moment3", "moment4"]
    for degree in (1, 2, 3, 4):
        values, protocol = found[f"moment{degree}"]
        assert values[0] == pytest.approx(1.5**degree - 1, rel=1e-10)
        assert np.isnan(values[1])
        assert protocol == "moments[real=50,generated=50]"


def test_equal_samples_have_no_error_and_a_moment_of_zero_has_no_scale() -> None:
    even = np.array([[-1.0], [1.0]])
    assert Moments(degree=2).errors(even, even) == [np.inf, 0.0]
    assert Moments(degree=2).errors(even, 2 * even)[1] == pytest.approx(3)


def test_a_finite_gap_between_two_known_samples() -> None:
    errors = Moments(degree=3).errors(np.array([[2.0, 0.0]]), np.array([[0.0, 2.0]]))
    assert errors == pytest.approx([np.sqrt(2)] * 3)

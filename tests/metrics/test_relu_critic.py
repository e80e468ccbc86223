"""What one neuron sees along lines, between its bounds."""

from __future__ import annotations

import numpy as np
import pytest

from wgpipe.metrics.relu_critic import ReluCritic
from wgpipe.metrics.transport import exact_cost
from wgpipe.rng import stream
from wgpipe.theory.relu_distance import relu_distance_plane


class Block:
    """Three members in d dimensions; the last one's generator has diverged."""

    dataset_name = "toy"

    def __init__(self, dimension: int, shift: float = 0.0) -> None:
        self.dimension, self.shift = dimension, shift

    def real(self, count: int) -> np.ndarray:
        return stream("relu-critic", "real").standard_normal((3, count, self.dimension))

    def generated(self, count: int) -> np.ndarray:
        if self.shift:
            return self.real(count) + self.shift
        points = 0.6 * stream("relu-critic", "generated").standard_normal((3, count, self.dimension)) ** 2
        points[2, 0, 0] = np.nan
        return points


def test_on_the_line_a_shift_is_seen_whole() -> None:
    """All distances are the shift, which no sign change divides: R = W1, and W1 <= 2 R by a factor of 2."""
    found = ReluCritic(real=50, generated=50, directions=3).measure(Block(1, 2.0))
    np.testing.assert_allclose(found["relu"][0], 2)
    np.testing.assert_allclose(found["relu_over_w1"][0], 1)
    np.testing.assert_allclose(found["w1_over_relu"][0], 0.5)


def test_both_bounds_hold_and_w1_of_the_space_bounds_it_too() -> None:
    block = Block(3)
    found = {name: values for name, (values, _) in ReluCritic(real=60, generated=45).measure(block).items()}
    for name in ("relu_over_w1", "w1_over_relu"):
        assert (found[name][:2] <= 1 + 1e-12).all()
        assert np.isnan(found[name][2])
    for member in range(2):
        assert 0 < found["relu"][member] <= exact_cost(block.real(60)[member], block.generated(45)[member], 1)


def test_in_the_plane_many_lines_come_close_to_the_best_one() -> None:
    block = Block(2)
    best = relu_distance_plane(block.real(60)[0], block.generated(60)[0])
    (found, protocol) = ReluCritic(real=60, generated=60, directions=400).measure(block)["relu"]
    assert 0.98 * best <= found[0] <= best + 1e-12
    assert protocol == "relu_critic[real=60,generated=60,directions=400]"


@pytest.mark.parametrize("dimension", [1, 4])
def test_measuring_twice_gives_the_same_bytes(dimension: int) -> None:
    first, second = (ReluCritic(real=40, generated=40).measure(Block(dimension)) for _ in range(2))
    assert all(first[name][0].tobytes() == second[name][0].tobytes() for name in first)

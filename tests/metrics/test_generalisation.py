"""A generator that repeats its sample has a gap, and one that knows the law has none."""

from __future__ import annotations

import numpy as np
import pytest

from wgpipe.metrics.generalisation import Generalisation
from wgpipe.rng import stream

N, MEMBERS = 40, 12


class Block:
    """Members on normal points of the plane."""

    dataset_name = "toy"

    def __init__(self, made: str) -> None:
        self.made = made

    def real(self, count: int) -> np.ndarray:
        return stream("generalisation", "held-out").standard_normal((MEMBERS, count, 2))

    def training_sample(self) -> np.ndarray:
        return stream("generalisation", "training").standard_normal((MEMBERS, N, 2))

    def generated(self, count: int) -> np.ndarray:
        if self.made == "sample":
            return np.tile(self.training_sample(), (1, -(-count // N), 1))[:, :count]
        if self.made == "held-out":
            return self.real(count)
        points = stream("generalisation", "fresh").standard_normal((MEMBERS, count, 2))
        points[0, 0] = np.inf
        return points


def test_the_sample_itself_is_at_no_distance_from_the_sample() -> None:
    found = Generalisation(generated=N).measure(Block("sample"))
    np.testing.assert_allclose(found["w1_train"][0], 0, atol=1e-12)
    np.testing.assert_array_equal(found["w1_gap"][0], found["w1_heldout"][0] - found["w1_train"][0])
    assert (found["w1_gap"][0] > 0.2).all()


def test_held_out_points_are_at_no_distance_from_held_out_points() -> None:
    found = Generalisation(generated=N).measure(Block("held-out"))
    np.testing.assert_allclose(found["w1_heldout"][0], 0, atol=1e-12)
    assert (found["w1_gap"][0] < -0.2).all()


def test_fresh_points_of_the_law_have_no_gap_on_average_and_a_diverged_member_is_nan() -> None:
    gaps = Generalisation(generated=4 * N).measure(Block("fresh"))["w1_gap"][0]
    assert np.isnan(gaps).tolist() == [True] + [False] * (MEMBERS - 1)
    there = gaps[1:]
    assert abs(there.mean()) < 4 * there.std() / np.sqrt(len(there))


def test_protocols_are_the_same_for_every_n() -> None:
    protocols = {name: protocol for name, (_, protocol) in Generalisation(generated=N).measure(Block("sample")).items()}
    assert protocols == {
        "w1_train": f"w1_train[real=training n,generated={N}]",
        "w1_heldout": f"w1_heldout[real=held-out n,generated={N}]",
        "w1_gap": f"w1_gap[held-out n - training n,generated={N}]",
    }


def test_a_known_distance() -> None:
    class Shifted(Block):
        def generated(self, count: int) -> np.ndarray:
            return self.training_sample()[:, :count] + [3.0, 4.0]

    assert Generalisation(generated=N).measure(Shifted("sample"))["w1_train"][0] == pytest.approx(5)

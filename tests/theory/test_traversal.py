"""Needless steps are left out of a walk."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import pytest

from wgpipe.rng import stream
from wgpipe.theory.traversal import without_cycles


def steps(walk: list[int]) -> Counter[frozenset[int]]:
    return Counter(frozenset(step) for step in pairwise(walk))


@pytest.mark.parametrize("seed", range(30))
def test_a_random_walk_keeps_its_points_and_loses_steps(seed: int) -> None:
    """On a complete graph of 12 points with 200 steps, hence far more than 2·11."""
    draws = stream("test-traversal", seed).integers(1, 12, size=200).cumsum() % 12
    walk = draws.tolist()
    shorter = without_cycles(walk)
    assert set(shorter) == set(walk)
    assert len(shorter) - 1 <= 2 * (len(set(walk)) - 1)
    assert steps(shorter) <= steps(walk)


def test_a_walk_without_needless_steps_is_left_alone() -> None:
    for walk in ([5], [0, 1, 2], [1, 0, 2, 0, 3], [0, 1, 2, 0], [1, 0, 2, 0, 1]):
        assert without_cycles(list(walk)) == walk


def test_a_step_taken_three_times_is_taken_once() -> None:
    assert steps(without_cycles([0, 1, 2, 1, 2, 3])) == steps([0, 1, 2, 3])


def test_a_cycle_walked_twice_is_walked_once() -> None:
    assert sum(steps(without_cycles([0, 1, 2, 3, 0, 1, 2, 3, 0])).values()) == 4

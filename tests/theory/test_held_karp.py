"""The exact shortest path through all points."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from wgpipe.rng import stream
from wgpipe.theory.held_karp import held_karp
from wgpipe.theory.local_search import path_length


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 6, 7])
def test_no_permutation_is_shorter(n: int) -> None:
    lengths = stream("test-held-karp", n).random((n, n))
    lengths += lengths.T
    order = held_karp(lengths)
    assert sorted(order) == list(range(n))
    shortest = min(path_length(lengths, np.array(other)) for other in itertools.permutations(range(n)))
    assert path_length(lengths, order) == pytest.approx(shortest, rel=1e-12)


def test_points_on_a_line_are_visited_in_their_order() -> None:
    line = stream("test-held-karp-line").random(14)
    order = held_karp(np.abs(line[:, None] - line))
    assert order.tolist() in (np.argsort(line).tolist(), np.argsort(-line).tolist())

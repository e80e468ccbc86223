"""2-opt and Or-opt moves, and kicks."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from wgpipe.rng import stream
from wgpipe.theory.gabriel import closure, gabriel_edges, squared_distances
from wgpipe.theory.held_karp import held_karp
from wgpipe.theory.local_search import SEGMENT, PathSearch, nearest_neighbour_path, path_length


def sums(n: int, d: int, seed: int) -> np.ndarray:
    squared = squared_distances(stream("test-local-search", n, d, seed).random((n, d)))
    return closure(squared, gabriel_edges(squared))[0]


def test_the_nearest_neighbour_path_goes_to_the_nearest_point_left() -> None:
    line = np.array([0.0, 5, 1, -2, 7])
    order = nearest_neighbour_path(np.abs(line[:, None] - line))
    assert line[order].tolist() == [0, 1, -2, 5, 7]


@pytest.mark.parametrize("seed", range(10))
def test_what_is_gained_is_the_difference_in_length(seed: int) -> None:
    lengths = sums(80, 2, seed)
    start = stream("test-start", seed).permutation(80)
    search = PathSearch(lengths, start)
    gained = search.improve(range(80))
    assert sorted(search.order) == list(range(80))
    assert path_length(lengths, start) - gained == pytest.approx(path_length(lengths, search.order), rel=1e-9)
    assert gained > 0


@pytest.mark.parametrize("seed", range(10))
def test_with_all_points_as_neighbours_no_move_is_left(seed: int) -> None:
    """At 9 points: no reversal, and no stretch of up to 3 points put elsewhere either way round, shortens the path."""
    lengths = sums(9, 3, seed)
    search = PathSearch(lengths, stream("test-start", seed).permutation(9))
    search.improve(range(9))
    path = search.order.tolist()
    others = []
    for low, high in itertools.combinations(range(10), 2):
        before, part, after = path[:low], path[low:high], path[high:]
        others.append(before + part[::-1] + after)
        if len(part) <= SEGMENT:
            rest = before + after
            others += [rest[:i] + turned + rest[i:] for i in range(len(rest) + 1) for turned in (part, part[::-1])]
    shortest = min(path_length(lengths, np.array(other)) for other in others)
    assert path_length(lengths, search.order) <= shortest * (1 + 1e-9)


@pytest.mark.parametrize("n", [12, 13, 14])
@pytest.mark.parametrize("d", [2, 3])
def test_small_paths_are_nearly_the_shortest(n: int, d: int) -> None:
    ratios = []
    for seed in range(3):
        lengths = sums(n, d, seed)
        search = PathSearch(lengths, nearest_neighbour_path(lengths))
        search.improve(range(n))
        search.kick(stream("test-kick"), n)
        ratios.append(path_length(lengths, search.order) / path_length(lengths, held_karp(lengths)))
    assert min(ratios) >= 1 - 1e-12
    assert max(ratios) < 1.05


def test_kicks_never_leave_a_longer_path_and_help() -> None:
    lengths = sums(150, 2, 0)
    search = PathSearch(lengths, nearest_neighbour_path(lengths))
    search.improve(range(150))
    found = [path_length(lengths, search.order)]
    for round_ in range(30):
        search.kick(stream("test-kick", round_), 5)
        found.append(path_length(lengths, search.order))
    assert sorted(search.order) == list(range(150))
    assert all(later <= earlier * (1 + 1e-12) for earlier, later in itertools.pairwise(found))
    assert found[-1] < 0.98 * found[0]


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5])
def test_a_handful_of_points(n: int) -> None:
    lengths = sums(n, 2, 1)
    search = PathSearch(lengths, np.arange(n))
    search.improve(range(n))
    search.kick(stream("test-kick"), 20)
    assert path_length(lengths, search.order) == pytest.approx(path_length(lengths, held_karp(lengths)), rel=1e-12)

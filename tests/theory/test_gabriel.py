"""The Gabriel graph, and the least sums of squared steps along it."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy.sparse.csgraph import minimum_spanning_tree, shortest_path
from scipy.spatial import Delaunay

from wgpipe.rng import stream
from wgpipe.theory.gabriel import closure, gabriel_edges, squared_distances, way


def cloud(n: int, d: int) -> np.ndarray:
    return stream("test-gabriel", n, d).random((n, d))


def edge_set(points: np.ndarray) -> set[tuple[int, int]]:
    return {(int(a), int(b)) for a, b in gabriel_edges(squared_distances(points))}


@pytest.mark.parametrize("d", [1, 2, 3, 6])
def test_an_edge_is_a_ball_without_points(d: int) -> None:
    points = cloud(40, d)
    empty = set()
    for a, b in itertools.combinations(range(40), 2):
        centre, radius = (points[a] + points[b]) / 2, np.linalg.norm(points[a] - points[b]) / 2
        others = np.delete(points, [a, b], axis=0)
        if (np.linalg.norm(others - centre, axis=1) >= radius).all():
            empty.add((a, b))
    assert edge_set(points) == empty


def test_it_lies_between_the_minimum_spanning_tree_and_the_delaunay_triangulation() -> None:
    points = cloud(300, 2)
    tree = {(min(a, b), max(a, b)) for a, b in np.argwhere(minimum_spanning_tree(squared_distances(points)).toarray())}
    triangles = Delaunay(points).simplices
    delaunay = {tuple(sorted(pair)) for triangle in triangles for pair in itertools.combinations(triangle.tolist(), 2)}
    assert tree < edge_set(points) < delaunay


def test_points_on_the_ball_s_boundary_leave_it_empty() -> None:
    square = np.array([[0.0, 0], [1, 0], [0, 1], [1, 1]])
    assert edge_set(square) == set(itertools.combinations(range(4), 2))


def test_one_and_two_points() -> None:
    assert edge_set(np.zeros((1, 3))) == set()
    assert edge_set(np.eye(2)) == {(0, 1)}


@pytest.mark.parametrize("d", [1, 2, 5])
def test_its_least_sums_are_those_of_the_complete_graph(d: int) -> None:
    squared = squared_distances(cloud(60, d))
    sums, _ = closure(squared, gabriel_edges(squared))
    np.testing.assert_allclose(sums, shortest_path(squared, method="FW"), rtol=1e-12)
    assert (sums < squared * (1 - 1e-9)).any()


def test_the_way_between_two_points_has_the_least_sum() -> None:
    squared = squared_distances(cloud(60, 2))
    edges = gabriel_edges(squared)
    sums, predecessors = closure(squared, edges)
    known = {frozenset(edge) for edge in edges.tolist()}
    for a, b in itertools.permutations(range(0, 60, 7), 2):
        steps = list(itertools.pairwise(way(predecessors, a, b)))
        assert (steps[0][0], steps[-1][1]) == (a, b)
        assert all(frozenset(step) in known for step in steps)
        assert sum(squared[step] for step in steps) == pytest.approx(sums[a, b], rel=1e-12)

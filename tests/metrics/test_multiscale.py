"""The column generation against closed forms, other solvers, and its own proofs."""

from __future__ import annotations

import tracemalloc
from itertools import pairwise

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment, linprog
from scipy.spatial.distance import cdist

from wgpipe.metrics import multiscale
from wgpipe.metrics.multiscale import Measure, solve
from wgpipe.rng import stream

METRICS = ("euclidean", "sqeuclidean")


def cloud(count: int, dimension: int, key: int = 0) -> np.ndarray:
    return stream("test-multiscale", count, dimension, key).standard_normal((count, dimension))


def uniform(points: np.ndarray, mass: int = 1) -> Measure:
    return Measure(points, np.full(len(points), float(mass)))


def all_arcs(x: Measure, y: Measure, metric: str) -> float:
    """The network simplex on the whole cost matrix."""
    import ot

    return float(ot.emd2(x.masses, y.masses, cdist(x.points, y.points, metric), numItermax=10**7))


@pytest.fixture
def many_levels(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small problems pass through coarser ones too."""
    monkeypatch.setattr(multiscale, "SMALL", 8)
    monkeypatch.setattr(multiscale, "DIRECT", 64)
    monkeypatch.setattr(multiscale, "ARCS", 3)


@pytest.mark.usefixtures("many_levels")
@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize(("m", "k", "d"), [(40, 40, 2), (60, 25, 3), (9, 90, 2)])
def test_the_cost_is_that_of_the_linear_program(m: int, k: int, d: int, metric: str) -> None:
    x, y = uniform(cloud(m, d), k), uniform(cloud(k, d, 1), m)
    conditions = np.vstack([np.kron(np.eye(m), np.ones(k)), np.kron(np.ones(m), np.eye(k))])
    marginals = np.concatenate([x.masses, y.masses])
    least = linprog(cdist(x.points, y.points, metric).ravel(), A_eq=conditions, b_eq=marginals).fun
    assert solve(x, y, metric)[0] == pytest.approx(least, rel=1e-9)


@pytest.mark.parametrize("shift", [0.0, 0.5])
@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("d", [2, 16])
def test_between_equally_many_points_the_cost_is_that_of_the_best_assignment(d: int, metric: str, shift: float) -> None:
    x, y = cloud(600, d), cloud(600, d, 1) + shift
    costs = cdist(x, y, metric)
    best = costs[linear_sum_assignment(costs)].sum()
    assert solve(uniform(x), uniform(y), metric)[0] == pytest.approx(best, rel=1e-11)


@pytest.mark.parametrize("metric", METRICS)
def test_with_any_masses_the_cost_is_that_of_the_simplex_on_all_arcs(metric: str) -> None:
    draw = stream("test-multiscale", "masses")
    x = Measure(cloud(700, 3), draw.integers(1, 9, size=700).astype(float))
    places = np.repeat(np.arange(450), np.bincount(draw.integers(450, size=int(x.masses.sum())), minlength=450))
    kept, counts = np.unique(places, return_counts=True)
    y = Measure(cloud(450, 3, 1)[kept], counts.astype(float))
    assert solve(x, y, metric)[0] == pytest.approx(all_arcs(x, y, metric), rel=1e-11)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("spread", [1e-7, 1e-3])
def test_clusters_and_a_collapsed_sample_cost_what_the_simplex_on_all_arcs_finds(spread: float, metric: str) -> None:
    x = uniform(np.round(cloud(700, 2)) + spread * cloud(700, 2, 1))
    y = uniform(np.round(cloud(700, 2, 2)[:, :1]) + spread * cloud(700, 2, 3))
    assert solve(x, y, metric)[0] == pytest.approx(all_arcs(x, y, metric), rel=1e-11)


def test_a_translation_costs_its_length() -> None:
    x, way = cloud(1500, 3), np.array([0.3, -0.2, 0.6])
    for metric, cost in (("euclidean", 0.7), ("sqeuclidean", 0.49)):
        assert solve(uniform(x), uniform(x + way), metric)[0] / 1500 == pytest.approx(cost, rel=1e-12)


def test_a_dilation_costs_the_mean_square_of_its_ways() -> None:
    x = cloud(1500, 4)
    cost = solve(uniform(x), uniform(1.5 * x), "sqeuclidean")[0]
    assert cost == pytest.approx(0.25 * np.square(x).sum(), rel=1e-12)


@pytest.mark.parametrize("scale", [2.0**-80, 2.0**80])
def test_the_cost_grows_with_the_unit_of_length(scale: float) -> None:
    for count in (100, 600):
        x, y = cloud(count, 3), cloud(count, 3, 1)
        for metric, factor in (("euclidean", scale), ("sqeuclidean", scale**2)):
            cost = solve(uniform(x), uniform(y), metric)[0]
            assert solve(uniform(scale * x), uniform(scale * y), metric)[0] == pytest.approx(factor * cost, rel=1e-11)


def test_a_lattice_where_very_many_arcs_cost_the_same_is_moved_by_what_it_was_shifted() -> None:
    lattice = np.stack(np.meshgrid(np.arange(30.0), np.arange(30.0)), axis=-1).reshape(-1, 2)
    assert solve(uniform(lattice), uniform(lattice + np.array([3, 0])), "euclidean")[0] == 3 * 900


def test_a_sample_is_at_no_distance_from_itself_in_another_order() -> None:
    x = cloud(800, 4)
    for metric in METRICS:
        assert solve(uniform(x), uniform(x[::-1]), metric)[0] == 0


@pytest.mark.parametrize("metric", METRICS)
def test_the_plan_moves_all_mass_and_the_potentials_prove_that_it_is_optimal(metric: str) -> None:
    x, y = uniform(cloud(900, 2), 2), uniform(cloud(600, 2, 1), 3)
    cost, plan, u, v = solve(x, y, metric)
    costs = cdist(x.points, y.points, metric)
    assert np.array_equal(np.bincount(plan.sources, plan.masses, minlength=900), x.masses)
    assert np.array_equal(np.bincount(plan.targets, plan.masses, minlength=600), y.masses)
    assert cost == pytest.approx((costs[plan.sources, plan.targets] * plan.masses).sum(), rel=1e-13)
    assert (costs - u[:, None] - v).min() > -1e-12
    assert cost - x.masses @ u - y.masses @ v == pytest.approx(0, abs=1e-10 * cost)


def test_two_calls_give_the_same_bits() -> None:
    x, y = uniform(cloud(700, 5)), uniform(cloud(700, 5, 1))
    first, second = solve(x, y, "euclidean"), solve(x, y, "euclidean")
    assert first[0] == second[0]
    assert all(np.array_equal(a, b) for a, b in zip(first[2:], second[2:], strict=True))


@pytest.mark.parametrize("metric", METRICS)
def test_costs_that_are_not_stored_give_the_same_result_in_little_memory(
    metric: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    x, y = uniform(cloud(2000, 2)), uniform(cloud(2000, 2, 1))
    stored = solve(x, y, metric)[0]
    monkeypatch.setattr(multiscale, "STORED", 0)
    tracemalloc.start()
    try:
        assert solve(x, y, metric)[0] == pytest.approx(stored, rel=1e-11)
        assert tracemalloc.get_traced_memory()[1] < 0.4 * 8 * 2000**2
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(("m", "d"), [(129, 1), (1000, 2), (1536, 16)])
def test_cells_hold_every_point_once_and_a_few_each(m: int, d: int) -> None:
    order, starts = multiscale._cells(cloud(m, d))
    sizes = np.diff(starts)
    assert np.array_equal(np.sort(order), np.arange(m))
    assert (starts[0], starts[-1]) == (0, m)
    assert sizes.min() >= 2
    assert sizes.max() <= 6


def test_cells_on_a_line_are_intervals() -> None:
    points = cloud(500, 1)
    order, starts = multiscale._cells(points)
    ends = [(points[order[a:b]].min(), points[order[a:b]].max()) for a, b in pairwise(starts)]
    assert all(left[1] <= right[0] for left, right in pairwise(sorted(ends)))


def test_no_proof_within_the_limit_of_rounds_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(multiscale, "ROUNDS", 1)
    monkeypatch.setattr(multiscale, "ARCS", 0)
    with pytest.raises(RuntimeError, match="no proof after 1 round"):
        solve(uniform(cloud(600, 8)), uniform(cloud(600, 8, 1)), "euclidean")

"""Exact transport against closed forms, brute-force linear programs and other solvers."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment, linprog
from scipy.spatial.distance import cdist
from scipy.stats import wasserstein_distance

from wgpipe.metrics import multiscale
from wgpipe.metrics.transport import exact_cost, line_costs
from wgpipe.rng import stream
from wgpipe.theory.transport1d import normal_constant, uniform_constant


def cloud(count: int, dimension: int, key: int = 0) -> np.ndarray:
    return stream("test-transport", count, dimension, key).standard_normal((count, dimension))


def linear_program(x: np.ndarray, y: np.ndarray, power: int) -> float:
    """The Kantorovich problem as its definition states it."""
    m, k = len(x), len(y)
    rows = np.kron(np.eye(m), np.ones(k))
    columns = np.kron(np.ones(m), np.eye(k))
    marginals = np.concatenate([np.full(m, 1 / m), np.full(k, 1 / k)])
    solved = linprog((cdist(x, y) ** power).ravel(), A_eq=np.vstack([rows, columns]), b_eq=marginals)
    return float(solved.fun)


@pytest.mark.parametrize("power", [1, 2])
@pytest.mark.parametrize(("m", "k", "d"), [(6, 4, 3), (5, 7, 2), (1, 9, 4), (4, 6, 1), (7, 7, 1), (9, 1, 1)])
def test_any_two_sizes_agree_with_a_linear_program(m: int, k: int, d: int, power: int) -> None:
    x, y = cloud(m, d), cloud(k, d, 1)
    assert exact_cost(x, y, power) == pytest.approx(linear_program(x, y, power), rel=1e-9)


@pytest.mark.parametrize("power", [1, 2])
def test_equal_sizes_in_eight_dimensions_agree_with_an_assignment_solver(power: int) -> None:
    x, y = cloud(300, 8), cloud(300, 8, 1) + 0.2
    cost = cdist(x, y) ** power
    assert exact_cost(x, y, power) == pytest.approx(cost[linear_sum_assignment(cost)].mean(), rel=1e-12)


@pytest.mark.parametrize(("m", "k"), [(500, 500), (512, 96), (97, 1000)])
def test_on_the_line_w1_agrees_with_scipy(m: int, k: int) -> None:
    x, y = cloud(m, 1), 1.5 * cloud(k, 1, 1)
    assert exact_cost(x, y, 1) == pytest.approx(wasserstein_distance(x[:, 0], y[:, 0]), rel=1e-12)


def test_a_curve_in_the_plane_that_is_a_line_costs_what_the_line_costs() -> None:
    x, y = cloud(200, 1), cloud(150, 1, 1)
    direction = np.array([[0.6, 0.8]])
    for power in (1, 2):
        assert exact_cost(x @ direction, y @ direction, power) == pytest.approx(exact_cost(x, y, power), rel=1e-9)


@pytest.mark.parametrize("d", [1, 3])
def test_repeated_points_count_as_often_as_they_occur(d: int) -> None:
    x, y = cloud(12, d), cloud(8, d, 1)
    repeats = np.array([3, 1, 4, 1, 1, 1, 0, 1])
    repeated = np.repeat(y, repeats, axis=0)
    assert exact_cost(x, repeated, 1) == pytest.approx(linear_program(x, repeated, 1), rel=1e-9)
    assert exact_cost(np.tile(x, (5, 1)), repeated, 1) == pytest.approx(exact_cost(x, repeated, 1), rel=1e-12)


def test_repeating_all_points_of_large_samples_of_unequal_sizes_changes_nothing() -> None:
    x, y = cloud(500, 3), cloud(400, 3, 1)
    once = exact_cost(x, y, 1)
    assert exact_cost(np.tile(x, (2, 1)), np.repeat(y, 3, axis=0), 1) == pytest.approx(once, rel=1e-12)


def test_a_generator_that_collapsed_to_a_point_is_at_the_mean_distance_from_it() -> None:
    x, point = cloud(1500, 3), np.array([0.1, 0.2, 0.3])
    distances = np.linalg.norm(x - point, axis=1)
    assert exact_cost(x, np.tile(point, (1000, 1)), 1) == pytest.approx(distances.mean(), rel=1e-12)


def test_a_sample_is_at_no_distance_from_itself_in_another_order() -> None:
    x = cloud(100, 4)
    assert exact_cost(x, x[::-1], 2) == 0


def test_single_precision_input_is_measured_in_double_precision() -> None:
    x, y = cloud(60, 3).astype(np.float32), cloud(50, 3, 1).astype(np.float32)
    assert exact_cost(x, y, 2) == exact_cost(x.astype(np.float64), y.astype(np.float64), 2)


@pytest.mark.parametrize(("m", "k"), [(40, 30), (600, 500)])
def test_a_solver_that_stops_at_its_limit_is_an_error(m: int, k: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(multiscale, "ITERATIONS", 5)
    with pytest.raises(RuntimeError, match="points failed: numItermax reached"):
        exact_cost(cloud(m, 2), cloud(k, 2, 1), 1)


@pytest.mark.parametrize(("law", "constant"), [("uniform", uniform_constant()), ("standard_normal", normal_constant())])
@pytest.mark.parametrize(("m", "k"), [(1024, 1024), (2048, 512)])
def test_w1_of_two_samples_on_the_line_falls_with_the_exact_constant(law: str, constant: float, m: int, k: int) -> None:
    """Within 4 standard errors of the mean of 300 repetitions, which is 5 to 10 % of the constant."""
    draw = getattr(stream("test-constant", law, m), law)
    scaled = np.sqrt(m * k / (m + k)) * line_costs(draw(size=(m, 300)), draw(size=(k, 300)), 1)
    error = scaled.std(ddof=1) / np.sqrt(300)
    assert 4 * error < 0.12 * constant
    assert scaled.mean() == pytest.approx(constant, abs=4 * error)


def test_importing_and_solving_imports_no_deep_learning_framework() -> None:
    code = (
        "import sys, numpy as np; from wgpipe.metrics.w1 import exact_cost; assert 'ot' not in sys.modules;"
        "exact_cost(np.eye(2), np.eye(2), 1); assert 'ot' in sys.modules;"
        "print(sorted({'torch', 'jax', 'cupy', 'tensorflow'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout == "[]\n"

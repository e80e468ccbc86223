"""The best single neuron between two samples, against brute force, closed forms and its bounds by W1."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from wgpipe.metrics.transport import exact_cost
from wgpipe.theory.relu_distance import relu_distance_line, relu_distance_plane, sign_changes

SEEDS = range(5)


def pair(seed: int, d: int) -> tuple[np.ndarray, np.ndarray]:
    """Samples of unequal sizes, some points shared."""
    generator = np.random.default_rng(seed)
    x = generator.standard_normal((13, d)) * generator.uniform(0.5, 2, d) + generator.uniform(-1, 1, d)
    return x, np.concatenate([generator.standard_normal((8, d)), x[:2]])


def best_neuron(x: np.ndarray, y: np.ndarray, offsets: np.ndarray) -> float:
    """The formula, for both signs of w and these offsets."""
    return max(
        np.abs(
            np.maximum(sign * x[:, None] - offsets, 0).mean(axis=0)
            - np.maximum(sign * y[:, None] - offsets, 0).mean(axis=0)
        ).max()
        for sign in (1, -1)
    )


@pytest.mark.parametrize("seed", SEEDS)
def test_on_the_line_it_is_the_best_of_a_fine_grid_of_offsets(seed: int) -> None:
    x, y = (points[:, 0] for points in pair(seed, 1))
    grid = best_neuron(x, y, np.linspace(-8, 8, 160_001))
    assert relu_distance_line(x, y) == pytest.approx(grid, abs=2e-4)
    assert relu_distance_line(x, y) >= grid - 1e-12


def test_closed_forms_on_the_line() -> None:
    assert relu_distance_line(np.array([0.0]), np.array([3.0])) == pytest.approx(3)
    assert relu_distance_line(np.array([-1.0, 1.0]), np.array([0.0])) == pytest.approx(0.5)
    assert relu_distance_line(np.array([-1.0, 1.0]), np.array([1.0, -1.0, 1.0, -1.0])) == pytest.approx(0)


@pytest.mark.parametrize("seed", SEEDS)
def test_it_moves_with_both_samples(seed: int) -> None:
    x, y = (points[:, 0] for points in pair(seed, 1))
    expected = relu_distance_line(x, y)
    assert relu_distance_line(y, x) == pytest.approx(expected, rel=1e-12)
    assert relu_distance_line(-x, -y) == pytest.approx(expected, rel=1e-12)
    assert relu_distance_line(x + 1e3, y + 1e3) == pytest.approx(expected, rel=1e-9)
    assert relu_distance_line(4 * x, 4 * y) == pytest.approx(4 * expected, rel=1e-12)


@pytest.mark.parametrize("seed", SEEDS)
def test_it_lies_between_w1_and_w1_over_the_sign_changes(seed: int) -> None:
    x, y = (points[:, 0] for points in pair(seed, 1))
    w1 = exact_cost(x[:, None], y[:, None], 1)
    ends = np.sort(np.concatenate([x, y]))
    difference = (x[:, None] <= ends).mean(axis=0) - (y[:, None] <= ends).mean(axis=0)
    signs = np.sign(np.where(np.abs(difference) < 1e-12, 0, difference))
    changes = np.count_nonzero(np.diff(signs[signs != 0]))
    assert w1 / (2 * (changes + 1)) <= relu_distance_line(x, y) <= w1 + 1e-12


@pytest.mark.parametrize("seed", [0, 1])
def test_in_the_plane_it_is_the_best_of_a_fine_grid_of_directions(seed: int) -> None:
    x, y = pair(seed, 2)
    angles = np.linspace(0, np.pi, 2_000, endpoint=False)
    lines = np.stack([np.cos(angles), np.sin(angles)])
    grid = max(relu_distance_line(a, b) for a, b in zip((x @ lines).T, (y @ lines).T, strict=True))
    found = relu_distance_plane(x, y)
    assert found == pytest.approx(grid, rel=1e-3)
    assert found >= grid - 1e-12
    assert found <= exact_cost(x, y, 1)


def test_two_laws_on_a_slanted_line_are_as_far_apart_as_on_the_line() -> None:
    x, y = (points[:, 0] for points in pair(3, 1))
    slant = np.array([np.cos(1.234), np.sin(1.234)])
    assert relu_distance_plane(np.outer(x, slant), np.outer(y, slant)) == pytest.approx(relu_distance_line(x, y))


@pytest.mark.parametrize(
    ("x", "y", "changes"),
    [
        ([0.0, 1.0], [2.0, 3.0], 0),
        ([0.0, 3.0], [1.0, 2.0], 1),
        ([0.0, 1.0], [0.0, 1.0], 0),
        ([0.0, 3.0, 4.0, 7.0], [1.0, 2.0, 5.0, 6.0], 3),
        ([0.0, 3.0, 5.0], [1.0, 2.0, 6.0], 2),
        ([0.0, 1.0, 1.0], [1.0, 1.0, 2.0, 0.0], 0),
    ],
)
def test_sign_changes_of_two_step_functions(x: list[float], y: list[float], changes: int) -> None:
    assert sign_changes(np.array(x), np.array(y)) == changes
    places = np.union1d(x, y)
    signs = [np.sign(np.mean(np.array(x) <= at) - np.mean(np.array(y) <= at)) for at in places]
    kept = [sign for sign in signs if sign]
    assert sum(a != b for a, b in itertools.pairwise(kept)) == changes

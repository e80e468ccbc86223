"""The first-order condition of quadratic potentials, whose tangents are coordinates and products."""

from __future__ import annotations

import numpy as np
import pytest

from tests.metrics.pairs import plain_set
from tests.metrics.potentials import STRONG, Learned, N, gaussians, quadratic, stacked
from wgpipe.methods.bures_map import Bures
from wgpipe.metrics.stationarity import Stationarity, moment_residual
from wgpipe.nets.icnn import Icnn
from wgpipe.train.critic import Critic

MATRIX, SLOPE = np.array([[1.5, 0.2], [0.2, 0.6]]), np.array([0.5, -1.0])


def scores(block: Learned, groups: int = 16) -> dict[str, np.ndarray]:
    metric = Stationarity(groups=groups)
    return {name: values for name, (values, _) in metric.measure(block).items()}  # type: ignore[arg-type]


def tangents(root: np.ndarray, x: np.ndarray) -> np.ndarray:
    """(n, d) -> (n, d² + d): ∂f/∂M = x (Mx)' and ∂f/∂b = x."""
    return np.concatenate([np.einsum("ni,nj->nij", x, x @ root).reshape(len(x), -1), x], axis=1)


def test_the_residual_is_that_of_coordinates_and_products_over_their_deviations() -> None:
    block = gaussians(learned=quadratic(MATRIX, SLOPE))
    found = scores(block, groups=N)["tangent_residual"]
    root = np.linalg.cholesky(MATRIX - STRONG * np.eye(2))
    for member in range(2):
        x, y = block.real(N)[member], block.source(N)[member]
        moved = (y - SLOPE) @ np.linalg.inv(MATRIX)
        g, h = tangents(root, x), tangents(root, moved)
        spread = (g.var(axis=0, ddof=1) + h.var(axis=0, ddof=1)).sum()
        expected = np.sqrt(((g.mean(axis=0) - h.mean(axis=0)) ** 2).sum() / spread)
        assert found[member] == pytest.approx(expected, rel=1e-6)


def test_nothing_is_left_at_the_best_potential_of_the_sample() -> None:
    block = gaussians()
    fit = Bures().fit(block.real(N)[0], block.source(N)[0])
    slope = fit["target_mean"] - fit["source_mean"] @ fit["matrix"]
    block.learned = quadratic(fit["matrix"], slope)
    found = scores(block)
    assert found["tangent_residual"][0] < 1e-6
    assert found["tangent_residual"][1] > 0.01
    assert found["moment_residual"][0] < 1e-6


def test_a_closed_form_of_the_sample_matches_its_means_and_second_moments() -> None:
    found = scores(gaussians(Bures()))
    assert set(found) == {"moment_residual"}
    assert (found["moment_residual"] < 1e-12).all()


def test_weights_on_the_constraint_are_left_out() -> None:
    """With W = 0 an ICNN is a quadratic whose layers have no tangent, but for W, in which the loss may still fall."""
    net = Icnn(hidden=(4,), strong_convexity=STRONG)
    stream = np.random.default_rng(0)
    params = {
        "quadratic": np.linalg.cholesky(MATRIX - STRONG * np.eye(2)),
        "input0": stream.standard_normal((2, 4)),
        "bias0": stream.standard_normal((1, 4)),
        "hidden1": np.zeros((4, 1)),
        "input1": SLOPE[:, None],
    }
    found = scores(gaussians(learned=Critic(net, stacked(params))))["tangent_residual"]
    alone = scores(gaussians(learned=quadratic(MATRIX, SLOPE)))["tangent_residual"]
    np.testing.assert_allclose(found, alone, rtol=1e-6)
    params["hidden1"] = params["hidden1"] + 1e-9
    moving = scores(gaussians(learned=Critic(net, stacked(params))))["tangent_residual"]
    assert (np.abs(moving / alone - 1) > 0.05).all()


def test_two_samples_of_one_law_differ_by_the_root_of_their_size() -> None:
    x = np.random.default_rng(1).standard_normal((2, 400, 256, 3))
    residuals = moment_residual(x[0], x[1])
    assert np.sqrt(np.mean(residuals**2)) == pytest.approx(256**-0.5, rel=0.1)


def test_other_methods_and_other_data_have_nothing() -> None:
    assert scores(gaussians()) == {}
    assert Stationarity().measure(Learned(plain_set(), {})) == {}  # type: ignore[arg-type]

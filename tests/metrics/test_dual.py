"""Dual values of quadratic potentials, whose conjugates are known."""

from __future__ import annotations

import numpy as np
import pytest

from tests.metrics.pairs import plain_set
from tests.metrics.potentials import Learned, N, best, gaussians, quadratic
from wgpipe.methods.bures_map import Bures
from wgpipe.methods.w2_icnn import W2Icnn
from wgpipe.methods.wgan import Wgan
from wgpipe.metrics.dual import Dual
from wgpipe.theory.gaussian import w2_between

PAIRS = 200


def scores(block: Learned, inner_steps: int = 200) -> dict[str, np.ndarray]:
    metric = Dual(pairs=PAIRS, inner_steps=inner_steps)
    return {name: values for name, (values, _) in metric.measure(block).items()}  # type: ignore[arg-type]


def value(matrix: np.ndarray, slope: np.ndarray, x: np.ndarray, y: np.ndarray) -> float:
    """E ½|x|² + E ½|y|² - E f(x) - E f*(y), with f*(y) = ½ (y - b)' A^-1 (y - b)."""
    f = 0.5 * np.einsum("ni,ij,nj->n", x, matrix, x) + x @ slope
    conjugate = 0.5 * np.einsum("ni,ij,nj->n", y - slope, np.linalg.inv(matrix), y - slope)
    return float((0.5 * (x**2).sum(1) - f).mean() + (0.5 * (y**2).sum(1) - conjugate).mean())


def test_the_best_potential_reaches_the_cost_of_coupled_points() -> None:
    block = gaussians()
    block.learned = quadratic(*best(dict(block.arrays)))
    found = scores(block)
    np.testing.assert_allclose(found["dual"], found["dual_cost"], rtol=1e-8)
    assert (found["dual_gap"] < 1e-8).all()


@pytest.mark.parametrize("side", ["target", "source"])
def test_values_are_those_of_the_formula_and_stay_below_the_cost(side: str) -> None:
    matrix, slope = np.array([[1.5, 0.2], [0.2, 0.6]]), np.array([0.5, -1.0])
    block = gaussians(W2Icnn.model_validate({"potential": side}), quadratic(matrix, slope))
    found = scores(block)
    pair = block.pair
    for member, stream in enumerate(block.streams("eval-pairs")):
        coupling = pair.coupled(block.arrays, stream, PAIRS)  # type: ignore[attr-defined]
        sides = (coupling.target, coupling.source) if side == "target" else (coupling.source, coupling.target)
        assert found["dual"][member] == pytest.approx(value(matrix, slope, *sides), rel=1e-7)
        sides = (block.real(N)[member], block.source(N)[member])
        sides = sides if side == "target" else sides[::-1]
        assert found["dual_sample"][member] == pytest.approx(value(matrix, slope, *sides), rel=1e-7)
    assert (found["dual"] < found["dual_cost"]).all()


def test_a_search_that_is_cut_short_makes_the_value_too_large_by_no_more_than_its_gap() -> None:
    matrix, slope = np.array([[3.0, 0.0], [0.0, 0.2]]), np.array([2.0, 1.0])
    block = gaussians(learned=quadratic(matrix, slope))
    exact, short = scores(block), scores(block, inner_steps=1)
    assert (short["dual"] > exact["dual"] + 0.1).all()
    assert (short["dual"] - short["dual_gap"] <= exact["dual"]).all()


def test_the_closed_form_of_the_quadratic_class_has_the_distance_of_the_samples_moments() -> None:
    block = gaussians(Bures())
    found = scores(block)
    assert set(found) == {"dual_sample"}
    for member in range(2):
        moments = [(x.mean(axis=0), np.cov(x.T, bias=True)) for x in (block.source(N)[member], block.real(N)[member])]
        assert found["dual_sample"][member] == pytest.approx(w2_between(*moments[0], *moments[1]) ** 2 / 2, rel=1e-10)


def test_other_methods_and_other_data_have_no_value() -> None:
    matrix, slope = np.eye(2), np.zeros(2)
    assert scores(gaussians(Wgan(), quadratic(matrix, slope))) == {}
    assert scores(gaussians()) == {}
    assert Dual().measure(Learned(plain_set(), {})) == {}  # type: ignore[arg-type]

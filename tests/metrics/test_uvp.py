"""Unexplained variance of maps between laws whose moments are known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from tests.metrics.pairs import Block, Map, plain_set, prepared, stretched
from wgpipe.metrics.uvp import Uvp

PAIRS = 2**15


def scores(block: Block, pairs: int = PAIRS) -> dict[str, np.ndarray]:
    return {name: values for name, (values, _) in Uvp(pairs=pairs).measure(block).items()}  # type: ignore[arg-type]


def with_maps(forward: Map | None, backward: Map | None = None, dimension: int = 2) -> Block:
    return Block(stretched(dimension), {}, forward=forward, backward=backward)


@pytest.mark.parametrize("dimension", [1, 2, 5])
def test_the_optimal_map_leaves_nothing_unexplained(dimension: int) -> None:
    found = scores(with_maps(lambda x: 2 * x + 1, lambda y: (y - 1) / 2, dimension))
    np.testing.assert_allclose(found["uvp"], 0, atol=1e-20)
    np.testing.assert_allclose(found["uvp_inverse"], 0, atol=1e-20)
    np.testing.assert_allclose(found["w2_error"], 0, atol=0.03)


@pytest.mark.parametrize("dimension", [1, 2, 5])
def test_the_identity_is_away_by_the_moments_of_the_pair(dimension: int) -> None:
    """E|X - Y|² = 2d of Var Y = 4d, and of Var X = d; its own cost is 0."""
    found = scores(with_maps(lambda x: x, lambda y: y, dimension))
    np.testing.assert_allclose(found["uvp"], 50, rtol=0.03)
    np.testing.assert_allclose(found["uvp_inverse"], 200, rtol=0.03)
    np.testing.assert_array_equal(found["w2_estimate"], 0)
    np.testing.assert_array_equal(found["w2_error"], -1)
    np.testing.assert_array_equal(found["w2_true"], dimension)


def test_the_mean_of_the_target_explains_nothing() -> None:
    np.testing.assert_allclose(scores(with_maps(np.ones_like))["uvp"], 100, rtol=1e-3)


def test_members_are_measured_as_if_each_were_alone() -> None:
    def forward(x: np.ndarray) -> np.ndarray:
        return x + 0.5

    stack = scores(with_maps(forward))
    assert stack["uvp"][0] != stack["uvp"][1]
    for member in (0, 1):
        alone = scores(Block(stretched(), {}, forward=forward, seeds=(member,)))
        np.testing.assert_array_equal(alone["uvp"], stack["uvp"][member : member + 1])


def test_without_an_inverse_or_a_map_there_is_no_score_of_it() -> None:
    assert "uvp_inverse" not in scores(with_maps(lambda x: x), pairs=8)
    assert scores(with_maps(None), pairs=8).keys() == {"w2_true"}


def test_a_map_that_diverged_has_no_score() -> None:
    found = scores(with_maps(lambda x: np.full_like(x, np.nan)), pairs=8)
    assert np.isnan(found["uvp"]).all()


def test_the_protocol_says_how_many_pairs() -> None:
    measured = Uvp(pairs=8).measure(with_maps(lambda x: x))  # type: ignore[arg-type]
    assert {protocol for _, protocol in measured.values()} == {"uvp[pairs=8]"}


def test_on_the_line_the_map_of_quantiles_is_optimal_for_this_cost_too() -> None:
    pair, arrays = prepared("line_pair-uniform-normal")
    assert pair.cost == 1
    found = scores(Block(pair, arrays, forward=lambda x: norm.ppf(x), backward=lambda y: norm.cdf(y)))
    np.testing.assert_allclose([found["uvp"], found["uvp_inverse"]], 0, atol=1e-10)
    np.testing.assert_allclose(found["w2_error"], 0, atol=0.05)
    assert scores(Block(pair, arrays)) == {}


def test_pairs_of_another_cost_and_single_laws_have_no_unexplained_variance() -> None:
    assert scores(Block(plain_set(), {})) == scores(Block(*prepared("funnels-4in2"))) == {}

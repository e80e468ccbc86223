"""What holds for every pair of laws with known optimal transport."""

from __future__ import annotations

import numpy as np
import ot
import pytest

from wgpipe import rng
from wgpipe.data import Arrays, dataset
from wgpipe.data.blockwise import BLOCK
from wgpipe.data.pairs import PairDataset

NAMES = [
    *("funnels-4in2", "funnels-16in8", "icnn_pair-3", "gaussian_pair-5", "two_point-20"),
    *("line_pair-uniform-normal", "line_pair-uniform-exponential", "line_pair-mixture-normal"),
    "line_pair-mixture-exponential",
]
COUNT = 20_000


@pytest.fixture(scope="module", params=NAMES)
def prepared(request: pytest.FixtureRequest) -> tuple[PairDataset, Arrays]:
    data = dataset(request.param)
    assert isinstance(data, PairDataset)
    return data, data.prepare({})


def moved(data: PairDataset, source: np.ndarray, target: np.ndarray) -> np.ndarray:
    lengths = np.linalg.norm(source - target, axis=1)
    return lengths if data.cost == 1 else lengths**2 / 2


def test_the_first_rows_of_longer_draws_are_shorter_draws(prepared: tuple[PairDataset, Arrays]) -> None:
    data, arrays = prepared
    for draw in (data.training_sample, data.source_sample, data.test_sample, data.oracle_sample):
        longest = draw(arrays, rng.stream("prefix"), BLOCK + 3)
        assert longest.shape == (BLOCK + 3, data.card().dimension)
        assert longest.dtype == np.float64
        for count in (0, 1, 5, BLOCK):
            np.testing.assert_array_equal(draw(arrays, rng.stream("prefix"), count), longest[:count])


def test_sources_are_independent_of_targets_even_on_equal_streams(prepared: tuple[PairDataset, Arrays]) -> None:
    data, arrays = prepared
    target = data.draw(arrays, rng.stream("equal"), COUNT)
    source = data.draw_source(arrays, rng.stream("equal"), COUNT)
    used = [side[:, side.std(axis=0) > 0] for side in (target, source)]
    between = np.corrcoef(*used, rowvar=False)[: used[0].shape[1], used[0].shape[1] :]
    np.testing.assert_allclose(between, 0, atol=5 / np.sqrt(COUNT))


def test_both_sides_of_the_coupling_have_the_laws_of_the_pair(prepared: tuple[PairDataset, Arrays]) -> None:
    data, arrays = prepared
    coupling = data.coupled(arrays, rng.stream("coupled"), COUNT)
    for mine, draw in ((coupling.source, data.draw_source), (coupling.target, data.draw)):
        fresh = draw(arrays, rng.stream("fresh"), COUNT)
        for power in (1, 2):
            error = 5 * np.sqrt((np.var(mine**power, axis=0) + np.var(fresh**power, axis=0)) / COUNT) + 1e-12
            assert (np.abs(np.mean(mine**power, axis=0) - np.mean(fresh**power, axis=0)) <= error).all()


def test_no_other_matching_of_coupled_points_costs_less(prepared: tuple[PairDataset, Arrays]) -> None:
    data, arrays = prepared
    coupling = data.coupled(arrays, rng.stream("matching"), 200)
    costs = ot.dist(coupling.source, coupling.target, "euclidean" if data.cost == 1 else "sqeuclidean")
    best = ot.emd2([], [], costs / data.cost)
    np.testing.assert_allclose(moved(data, coupling.source, coupling.target).mean(), best, rtol=1e-9)


def test_the_distance_is_the_mean_cost_of_the_coupling(prepared: tuple[PairDataset, Arrays]) -> None:
    data, arrays = prepared
    coupling = data.coupled(arrays, rng.stream("cost"), COUNT)
    costs = moved(data, coupling.source, coupling.target)
    error = np.hypot(costs.std() / np.sqrt(COUNT), arrays.get("standard_error", 0))
    assert abs(costs.mean() - data.distance(arrays)) <= 4 * error


def test_the_map_moves_sources_to_their_targets(prepared: tuple[PairDataset, Arrays]) -> None:
    data, arrays = prepared
    coupling = data.coupled(arrays, rng.stream("map"), 100)
    found = data.transport(arrays, coupling.source)
    if found is None:
        assert data.name == "two_point-20"
    else:
        np.testing.assert_allclose(found, coupling.target, rtol=1e-12, atol=1e-12)


def test_directions_lead_from_source_to_target(prepared: tuple[PairDataset, Arrays]) -> None:
    data, arrays = prepared
    coupling = data.coupled(arrays, rng.stream("direction"), 1000)
    assert (coupling.direction is None) == (data.cost == 2)
    if coupling.direction is not None:
        lengths = moved(data, coupling.source, coupling.target)[:, None]
        np.testing.assert_allclose(np.linalg.norm(coupling.direction, axis=1), 1, rtol=1e-12)
        np.testing.assert_allclose(coupling.source + lengths * coupling.direction, coupling.target, atol=1e-12)

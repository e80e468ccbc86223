"""Gaussian pairs against the formulas of Bures."""

from __future__ import annotations

import numpy as np
import pytest

from wgpipe import rng
from wgpipe.data import dataset
from wgpipe.data.gaussian_pair import GaussianPair
from wgpipe.errors import UserError
from wgpipe.theory.gaussian import bures_map, w2_between


@pytest.mark.parametrize("dimension", [1, 2, 8, 64, 100])
def test_map_and_distance_are_those_of_bures(dimension: int) -> None:
    data = GaussianPair.from_name(f"gaussian_pair-{dimension}")
    arrays = data.prepare({})
    source, target = arrays["source_covariance"], arrays["target_covariance"]
    np.testing.assert_allclose(arrays["map"], bures_map(source, target), rtol=1e-9, atol=1e-11)
    w2 = w2_between(arrays["source_mean"], source, arrays["target_mean"], target)
    np.testing.assert_allclose(data.distance(arrays), w2**2 / 2, rtol=1e-12)


@pytest.mark.parametrize("dimension", [2, 64])
def test_covariances_are_well_conditioned_and_no_map_is_trivial(dimension: int) -> None:
    arrays = GaussianPair.from_name(f"gaussian_pair-{dimension}").prepare({})
    assert max(np.linalg.cond(arrays[f"{side}_covariance"]) for side in ("source", "target")) <= 256
    assert np.linalg.norm(arrays["map"] - np.eye(dimension)) > 0.3


def test_both_laws_have_the_stated_moments() -> None:
    data = GaussianPair.from_name("gaussian_pair-3")
    arrays = data.prepare({})
    for side, draw in (("source", data.draw_source), ("target", data.draw)):
        points = draw(arrays, rng.stream("moments"), 100_000)
        covariance = arrays[f"{side}_covariance"]
        scale = np.sqrt(np.trace(covariance))
        np.testing.assert_allclose(points.mean(axis=0), arrays[f"{side}_mean"], atol=0.02 * scale)
        np.testing.assert_allclose(np.cov(points.T), covariance, atol=0.02 * scale**2)


@pytest.mark.parametrize("name", ["gaussian_pair", "gaussian_pair-0", "gaussian_pair-2in4"])
def test_malformed_names_are_refused(name: str) -> None:
    with pytest.raises(UserError, match=r"accepted: gaussian_pair-<d>\."):
        dataset(name)

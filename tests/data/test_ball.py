"""The uniform law on a ball, by its radii and directions."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from wgpipe import rng
from wgpipe.data import dataset
from wgpipe.data.planted import RADIUS, DoesNotFitError


@pytest.mark.parametrize(("intrinsic", "dimension"), [(1, 1), (2, 2), (3, 3), (4, 4), (2, 5)])
def test_shares_of_volume_within_a_radius_are_uniform(intrinsic: int, dimension: int) -> None:
    data = dataset(f"ball-{intrinsic}in{dimension}")
    arrays = data.prepare({})
    points = data.draw(arrays, rng.stream("test", data.name), 20000)
    lengths = np.linalg.norm(points, axis=1)
    assert lengths.max() <= RADIUS
    assert stats.kstest((lengths / RADIUS) ** intrinsic, stats.uniform.cdf).pvalue > 1e-3
    own = points @ arrays["embedding"]
    np.testing.assert_allclose(np.linalg.norm(own, axis=1), lengths, rtol=1e-9)
    scatter = own.T @ own / len(own)
    expected = RADIUS**2 / (intrinsic + 2) * np.eye(intrinsic)
    np.testing.assert_allclose(scatter, expected, atol=6 * RADIUS**2 / np.sqrt(len(own)))
    np.testing.assert_allclose(own.mean(axis=0), 0, atol=5 * RADIUS / np.sqrt(len(own)))


def test_a_ball_needs_as_many_dimensions_as_it_has() -> None:
    with pytest.raises(DoesNotFitError):
        dataset("ball-3in2")

"""Exact distances in feature space, where they are known."""

from __future__ import annotations

import numpy as np
import pytest

from tests.metrics.flat_images import Images
from tests.metrics.points import Points
from wgpipe.data.pixels import images
from wgpipe.extractors.reference import reference_rows
from wgpipe.metrics.feature_transport import FeatureTransport

pytestmark = pytest.mark.usefixtures("pixels_as_features")


def shifted(member: int, count: int) -> np.ndarray:
    """The held-out images that are compared with, all pixels darker by 0 or 3; a shift of 3 · sqrt(49)."""
    block = Images()
    held_out = block.job.arrays["test"][reference_rows(block.job.dataset, block.job.arrays, "test", count)]
    return np.clip(images(block.job.dataset, held_out).astype(int), 3, 255).astype(np.uint8) - np.uint8(3 * member)


def test_a_shift_costs_its_length(monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.metrics import flat_images
    from wgpipe.metrics import feature_transport

    def clipped(*given: object) -> np.ndarray:
        return flat_images.reference_features(*given).clip(3)  # type: ignore[arg-type]

    monkeypatch.setattr(feature_transport, "reference_features", clipped)
    found = FeatureTransport(real=80, generated=80).measure(Images(shifted))  # type: ignore[arg-type]
    for name in ("feature_w1", "feature_w2"):
        np.testing.assert_allclose(found[name][0], [0, 3 * 7], atol=1e-9)
        assert found[name][1] == f"{name}[real=80,generated=80,in=classifier]"


def test_diverged_members_have_no_distance_and_other_data_nothing() -> None:
    found = FeatureTransport(real=20, generated=30).measure(Images(lost=(True, False)))  # type: ignore[arg-type]
    assert np.isfinite(found["feature_w1"][0]).tolist() == [False, True]
    assert FeatureTransport().measure(Points.of("ring-8", 4)) == {}  # type: ignore[arg-type]

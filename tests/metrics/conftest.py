"""What tests of image metrics share."""

from __future__ import annotations

import pytest

from tests.metrics.flat_images import by_pixels, features_of, reference_features
from wgpipe.metrics import feature_transport, image_birthday, image_neighbours


@pytest.fixture
def pixels_as_features(monkeypatch: pytest.MonkeyPatch) -> None:
    """Metrics see pixels through every extractor."""
    for module in (feature_transport, image_birthday, image_neighbours):
        monkeypatch.setattr(module, "features_of", features_of)
        monkeypatch.setattr(module, "reference_features", reference_features)
    monkeypatch.setattr(image_neighbours, "features_of_images", by_pixels)

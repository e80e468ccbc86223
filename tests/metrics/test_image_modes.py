"""Classes of generated images, counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from tests.metrics.flat_images import Images
from tests.metrics.points import Points
from wgpipe.metrics import image_modes
from wgpipe.metrics.image_modes import ImageModes, class_scores


def logits(counts: list[int], sure: float = 10.0) -> np.ndarray:
    """So many images of each class, with this logit for it and 0 for the others."""
    return sure * np.eye(len(counts))[np.repeat(np.arange(len(counts)), counts)]


def test_classes_are_counted_within_a_factor_of_two_of_the_datas_own_shares() -> None:
    shares = np.array([0.4, 0.2, 0.2, 0.2])
    assert class_scores(logits([40, 20, 20, 20]), shares, 0.9)["classes_balanced"] == 4
    assert class_scores(logits([50, 30, 11, 9]), shares, 0.9)["classes_balanced"] == 3
    assert class_scores(logits([100, 0, 0, 0]), shares, 0.9)["classes_balanced"] == 0


def test_imbalance_is_the_total_variation_distance() -> None:
    shares = np.array([0.25, 0.25, 0.25, 0.25])
    assert class_scores(logits([25, 25, 25, 25]), shares, 0.9)["class_imbalance"] == 0
    assert class_scores(logits([100, 0, 0, 0]), shares, 0.9)["class_imbalance"] == pytest.approx(0.75)


def test_the_classifier_is_sure_from_a_probability_on() -> None:
    """Of two classes, a logit of log 9 more is a probability of .9."""
    both = np.concatenate([logits([30, 0], np.log(9) + 0.01), logits([10, 0], np.log(9) - 0.01)])
    assert class_scores(both, np.array([0.5, 0.5]), 0.9)["confident"] == pytest.approx(0.75)


def test_the_metric_counts_each_member_against_the_labels(monkeypatch: pytest.MonkeyPatch) -> None:
    made = np.stack([logits([20] * 10), logits([200] + [0] * 9)])
    made[1, 0, 0] = np.nan
    monkeypatch.setattr(image_modes, "logits_of", lambda block, name, count: made[:, :count])
    found = ImageModes(real=2000, generated=200).measure(Images())  # type: ignore[arg-type]
    np.testing.assert_allclose(found["classes_balanced"][0], [10, np.nan])
    np.testing.assert_allclose(found["class_imbalance"][0], [0, np.nan])
    assert found["confident"][1] == "image_modes[real=2000,generated=200,confidence=0.9]"


def test_data_without_labels_have_nothing() -> None:
    assert ImageModes().measure(Points.of("ring-8", 4)) == {}  # type: ignore[arg-type]

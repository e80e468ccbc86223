"""The nearest-neighbour test on copies, on fresh images, and in between."""

from __future__ import annotations

import numpy as np
import pytest

from tests.metrics.flat_images import Images, fresh
from tests.metrics.points import Points
from wgpipe.metrics.image_neighbours import ImageNeighbours

pytestmark = pytest.mark.usefixtures("pixels_as_features")
SPACES = ("pixel", "feature")


def ratios(block: Images, generated: int = 300, real: int = 400) -> list[np.ndarray]:
    found = ImageNeighbours(generated=generated, real=real).measure(block)  # type: ignore[arg-type]
    return [found[f"{space}_neighbour_ratio"][0] for space in SPACES]


def copies(member: int, count: int) -> np.ndarray:
    return Images().training(member)[:count]


def test_fresh_images_are_as_near_to_the_training_as_to_held_out_ones() -> None:
    for found in ratios(Images()):
        np.testing.assert_allclose(found, 1, atol=0.02)


def test_copies_score_nothing() -> None:
    for found in ratios(Images(copies)):
        assert (found == 0).all()


def test_half_copies_score_a_half() -> None:
    for found in ratios(Images(lambda member, count: np.concatenate([copies(member, 150), fresh(member, 150)]))):
        np.testing.assert_allclose(found, 0.5, atol=0.02)


def test_copies_of_images_that_are_not_compared_with_are_not_found() -> None:
    for found in ratios(Images(lambda member, count: Images().training(member)), generated=400, real=100):
        np.testing.assert_allclose(found, 1 - 100 / 400, atol=0.02)


def test_held_out_images_stand_in_for_the_control_which_draws_training_images() -> None:
    for found in ratios(Images(copies, recipe="oracle")):
        np.testing.assert_allclose(found, 1, atol=0.02)


def test_a_diverged_member_has_no_ratio_and_the_other_its_own() -> None:
    for found in ratios(Images(lost=(True, False))):
        assert np.isfinite(found).tolist() == [False, True]


def test_the_protocol_says_sizes_and_spaces() -> None:
    found = ImageNeighbours(generated=50, real=1000).measure(Images())  # type: ignore[arg-type]
    assert found["pixel_neighbour_ratio"][1] == "neighbours[generated=50,sets=400,in=pixels]"
    assert found["feature_neighbour_ratio"][1] == "neighbours[generated=50,sets=400,in=classifier]"


def test_other_data_than_images_have_nothing() -> None:
    assert ImageNeighbours().measure(Points.of("ring-8", 4)) == {}  # type: ignore[arg-type]
    assert ImageNeighbours(datasets=("mnist-14x14",)).measure(Images()) == {}  # type: ignore[arg-type]

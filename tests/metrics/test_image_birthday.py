"""The birthday test on generators whose support is known."""

from __future__ import annotations

import numpy as np
import pytest

from tests.metrics.flat_images import Images, fresh
from tests.metrics.points import Points
from wgpipe.metrics.image_birthday import ImageBirthday
from wgpipe.rng import stream

pytestmark = pytest.mark.usefixtures("pixels_as_features")


@pytest.mark.parametrize("size", [50, 1000])
def test_a_generator_of_so_many_images_has_a_support_of_that_size(size: int) -> None:
    def few(member: int, count: int) -> np.ndarray:
        return fresh(0, size)[stream("test-few", member).integers(size, size=count)]

    metric = ImageBirthday(real=100, share=0.01, generated=3000, orders=2000)
    found = metric.measure(Images(few))["image_birthday_support"][0]  # type: ignore[arg-type]
    np.testing.assert_allclose(found, size, rtol=0.2)


def test_real_images_have_the_support_that_the_tolerance_says() -> None:
    """A share of the m held-out images has a duplicate among them: m² p = m · share, and the support is 1 / p."""
    metric = ImageBirthday(real=1000, share=0.1, generated=2000, orders=500)
    found, protocol = metric.measure(Images())["image_birthday_support"]  # type: ignore[arg-type]
    assert np.log(found.mean()) == pytest.approx(np.log(1000 / 0.1), abs=0.7)
    assert protocol == "image_birthday[real=1000,share=0.1,generated=2000,orders=500,in=classifier]"


def test_one_image_again_and_again_repeats_at_once_and_distinct_ones_never() -> None:
    metric = ImageBirthday(real=50, share=0.01, generated=60, orders=10)
    one = Images(lambda member, count: np.repeat(fresh(0, 1), count, axis=0))
    assert (metric.measure(one)["image_birthday_size"][0] == 2).all()  # type: ignore[arg-type]
    rare = ImageBirthday(real=2000, share=1e-4, generated=60, orders=10)
    assert (rare.measure(Images())["image_birthday_size"][0] == 60).all()  # type: ignore[arg-type]


def test_diverged_members_have_no_size_and_other_data_nothing() -> None:
    metric = ImageBirthday(real=50, generated=60, orders=10)
    found = metric.measure(Images(lost=(False, True)))["image_birthday_size"][0]  # type: ignore[arg-type]
    assert np.isfinite(found).tolist() == [True, False]
    assert metric.measure(Points.of("ring-8", 4)) == {}  # type: ignore[arg-type]

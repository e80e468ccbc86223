"""The birthday test on laws whose support is known."""

from __future__ import annotations

import numpy as np
import pytest

from tests.metrics.points import Points
from wgpipe.metrics.birthday import Birthday, first_duplicate
from wgpipe.rng import stream


@pytest.mark.parametrize("support", [365, 5000])
def test_equally_likely_values_repeat_as_the_birthday_problem_says(support: int) -> None:
    """23 of 365 days repeat one with probability 1/2; s² / (2 ln 2) gives the support within 10 %."""
    days = stream("test-birthday", support).integers(support, size=(8000, 1)).astype(float) * 10
    size = first_duplicate(days, 0.1, 4000, stream("test-orders"))
    found = size**2 / (2 * np.log(2))
    assert found == pytest.approx(support, rel=0.1)


def test_points_that_never_repeat_have_the_largest_size() -> None:
    assert first_duplicate(np.arange(50.0)[:, None], 0.5, 10, stream("test")) == 50


def test_points_that_are_all_the_same_repeat_at_the_second() -> None:
    assert first_duplicate(np.zeros((50, 2)), 0.5, 10, stream("test")) == 2


def test_a_generator_of_a_quarter_of_the_modes_has_a_quarter_of_the_support() -> None:
    def made(member: int, count: int) -> np.ndarray:
        points = Points.of("ring-8", 1).data
        few = {"modes": points.prepare({})["modes"][:2]}
        return points.draw(few, stream("test-few", member), count)

    metric = Birthday(generated=4096, orders=1000)
    whole, few = (metric.measure(Points.of("ring-8", 1, made=each)) for each in (None, made))
    ratio = few["birthday_support"][0] / whole["birthday_support"][0]
    np.testing.assert_allclose(ratio, 1 / 4, rtol=0.25)
    size, support = (whole[f"birthday_{name}"][0] for name in ("size", "support"))
    np.testing.assert_allclose(support, size**2 / (2 * np.log(2)))
    assert whole["birthday_size"][1] == "birthday[generated=4096,orders=1000,tolerance=0.1]"


def test_other_data_have_nothing_and_diverged_members_no_number() -> None:
    assert Birthday().measure(Points.of("ball-2in2", 1)) == {}
    lost = Points.of("ring-8", 1, made=lambda member, count: np.full((count, 2), np.nan if member else 0.0))
    sizes = Birthday(generated=20, orders=3).measure(lost)["birthday_size"][0]
    assert np.isfinite(sizes).tolist() == [True, False]

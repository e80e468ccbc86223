import numpy as np
import pytest

from wgpipe.rng import stream
from wgpipe.theory.curves import error_exponent, length_exponent, speed_exponent
from wgpipe.theory.walks import certificate, shortest_walk


def test_the_exponents_of_the_sum_of_squared_steps() -> None:
    assert [length_exponent(d) for d in (1, 2, 3, 4, 6)] == pytest.approx([-1, 0, 1 / 3, 1 / 2, 2 / 3])


@pytest.mark.parametrize("dimension", [2, 3, 5])
def test_the_exponents_fit_together(dimension: int) -> None:
    """W1 = S/(4K)."""
    assert length_exponent(dimension) - speed_exponent(dimension) == pytest.approx(error_exponent(dimension))


def test_on_the_line_walks_through_equal_gaps_grow_as_the_exponents_say() -> None:
    few, many = (shortest_walk(np.linspace(0, 1, n)[:, None]) for n in (9, 65))
    assert many.squared_length / few.squared_length == pytest.approx(8 ** length_exponent(1))
    assert (many.least_speed, few.least_speed) == pytest.approx((65 / 64, 9 / 8))


def test_a_certificate_of_unequal_masses_is_the_weighted_mean_of_the_distances() -> None:
    sample, points = stream("test-curves").random((2, 6, 3))
    nearest = np.linalg.norm(points[:, None] - sample, axis=2).min(axis=1)
    masses = np.arange(1.0, 7)
    assert certificate(points, sample, masses) == pytest.approx(masses @ nearest / 21)
    assert certificate(points, sample) == pytest.approx(nearest.mean())

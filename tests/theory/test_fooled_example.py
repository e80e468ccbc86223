"""The example of two laws with mean 0 and variance 1, against quantiles and sums."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from scipy.integrate import quad

from wgpipe.theory import fooled_example
from wgpipe.theory.relu_distance import relu_distance_line, sign_changes

LEVELS = (np.arange(20_000) + 0.5) / 20_000
NORMAL, EXPONENTIAL = stats.norm.ppf(LEVELS), stats.expon.ppf(LEVELS) - 1


@pytest.mark.parametrize(
    ("law", "density"),
    [("normal", fooled_example.normal_density), ("exponential", fooled_example.exponential_density)],
)
def test_densities_have_the_moments_that_are_written_down(law: str, density: object) -> None:
    for degree, moment in enumerate((1.0, *fooled_example.MOMENTS[law])):
        found = quad(lambda x, k=degree: x**k * float(density(np.array([x]))[0]), -12, 60, points=[-1], limit=400)[0]
        assert found == pytest.approx(moment, abs=1e-6)


def test_w1_and_the_neuron_are_those_of_fine_quantiles() -> None:
    assert fooled_example.distance() == pytest.approx(np.abs(NORMAL - EXPONENTIAL).mean(), abs=1e-4)
    assert fooled_example.neuron_supremum() == pytest.approx(relu_distance_line(NORMAL, EXPONENTIAL), abs=1e-4)
    assert len(fooled_example.sign_changes()) == sign_changes(NORMAL, EXPONENTIAL) == 2


def test_low_degrees_are_fooled_and_the_neuron_is_within_its_bounds() -> None:
    assert [fooled_example.degree_supremum(degree) for degree in (1, 2, 3)] == [0, 0, 2]
    assert fooled_example.degree_supremum(4) == pytest.approx(np.sqrt(40))
    neuron, w1 = fooled_example.neuron_supremum(), fooled_example.distance()
    assert neuron <= w1 <= 2 * 3 * neuron

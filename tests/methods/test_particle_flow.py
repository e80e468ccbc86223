"""Particles move down the exact gradient of the potential, and end as the sample is spread."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError
from scipy.spatial.distance import cdist

from wgpipe.data import dataset
from wgpipe.methods.particle_flow import ROWS, ParticleFlow
from wgpipe.metrics.energy import Energy

RING = dataset("ring-8")
MODES = RING.prepare({})["modes"]


@pytest.fixture
def sample() -> np.ndarray:
    return RING.draw({"modes": MODES}, np.random.default_rng(0), 200)


def potential(flow: ParticleFlow, at: np.ndarray, particles: np.ndarray, sample: np.ndarray) -> np.ndarray:
    def mean(charges: np.ndarray) -> np.ndarray:
        return np.asarray(((cdist(at, charges) ** 2 + flow.epsilon**2) ** (1 - flow.dimension / 2)).mean(axis=1))

    return mean(particles) - mean(sample)


@pytest.mark.parametrize(("dimension", "epsilon"), [(3.0, 1.0), (4.5, 0.4)])
@pytest.mark.parametrize("d", [1, 3])
def test_the_field_is_the_negative_gradient_of_the_potential(dimension: float, epsilon: float, d: int) -> None:
    random = np.random.default_rng(0)
    particles, charges = random.standard_normal((ROWS + 3, d)), 2 * random.standard_normal((40, d)) + 1
    flow, width = ParticleFlow(dimension=dimension, epsilon=epsilon), 1e-5
    shifts = width * np.eye(d)
    expected = [
        potential(flow, particles - shift, particles, charges) - potential(flow, particles + shift, particles, charges)
        for shift in shifts
    ]
    velocity, _ = flow.field(particles, charges)
    np.testing.assert_allclose(velocity, np.transpose(expected) / (2 * width), atol=1e-9)


def test_the_stiffness_is_that_of_a_spring_at_a_single_charge() -> None:
    """At one charge k falls by (D - 2) r² / 2ε^D; the particle itself counts as the other half of the bound."""
    flow = ParticleFlow(dimension=4, epsilon=0.5)
    assert flow.field(np.zeros((1, 2)), np.zeros((1, 2)))[1] == pytest.approx(2 * 2 / 0.5**4)
    pull = flow.field(np.array([[1e-4, 0.0]]), np.zeros((1, 2)))[0]
    np.testing.assert_allclose(pull, [[-1e-4 * 2 / 0.5**4, 0]], rtol=1e-6)


def test_two_particles_find_both_charges_in_space_and_may_be_stuck_at_one_of_them_on_a_line() -> None:
    """The kernel of D = 3 is superharmonic in R^3, and not in R^1."""
    flow = ParticleFlow(particles=2, epsilon=0.3)
    ends = [flow.fit(np.array([[-1.0], [1.0]]) * np.eye(d)[0])["particles"][:, 0] for d in (3, 1)]
    np.testing.assert_allclose(np.sort(ends[0]), [-1, 1], atol=1e-6)
    assert (ends[1] < 0).all()


def test_time_is_the_sum_of_the_steps() -> None:
    flow = ParticleFlow(particles=1, steps=7, rate=0.25, epsilon=0.5)
    found = flow.fit(np.zeros((3, 2)))
    np.testing.assert_array_equal(found["particles"], np.zeros((1, 2)))
    assert float(found["time"]) == pytest.approx(7 * 0.25 * 0.5**3 / 2)


def test_the_flow_covers_all_modes_as_the_sample_does(sample: np.ndarray) -> None:
    flow = ParticleFlow(particles=200, epsilon=0.3, steps=200)
    end, start = (
        flow.fit(sample)["particles"],
        flow.model_copy(update={"steps": 1, "rate": 1e-9}).fit(sample)["particles"],
    )
    distances = cdist(end, MODES)
    assert (cdist(start, MODES).min(axis=1) < 0.05).mean() < 0.05
    assert (distances.min(axis=1) < 0.05).mean() > 0.85
    of_sample = np.bincount(cdist(sample, MODES).argmin(axis=1))
    assert np.abs(np.bincount(distances.argmin(axis=1), minlength=8) - of_sample).max() <= 3
    energies = [Energy().compare(sample, points) for points in (start, end)]
    assert energies[1] < 0.05 * energies[0]


def test_the_flow_is_a_function_of_the_sample_alone(sample: np.ndarray) -> None:
    flow = ParticleFlow(particles=20, steps=3)
    first, again, other = flow.fit(sample), flow.fit(sample.copy()), flow.fit(sample[::-1])
    np.testing.assert_array_equal(first["particles"], again["particles"])
    assert not np.array_equal(first["particles"], other["particles"])


def test_particles_start_as_wide_as_the_sample_times_the_spread() -> None:
    sample = np.random.default_rng(0).standard_normal((500, 2)) * [1, 7] + 30
    found = ParticleFlow(particles=2000, steps=1, rate=1e-9, spread=2).fit(sample)["particles"]
    np.testing.assert_allclose(found.mean(axis=0), sample.mean(axis=0), atol=0.6)
    np.testing.assert_allclose(
        found.std(axis=0), 2 * np.sqrt(np.square(sample - sample.mean(axis=0)).mean()), rtol=0.05
    )


def test_draws_repeat_no_particle_while_there_are_enough(sample: np.ndarray) -> None:
    flow = ParticleFlow(particles=50, steps=1)
    state = flow.fit(sample)

    def draw(count: int) -> np.ndarray:
        return flow.draw(state, RING, {}, np.random.default_rng(1), count)

    np.testing.assert_array_equal(np.unique(draw(50), axis=0), np.unique(state["particles"], axis=0))
    assert len(np.unique(draw(20), axis=0)) == 20
    assert len(draw(120)) == 120
    np.testing.assert_array_equal(draw(30), draw(30))


@pytest.mark.parametrize("settings", [{"dimension": 2}, {"particles": 0}, {"steps": 0}, {"rate": 0}, {"epsilon": 0}])
def test_meaningless_settings_are_refused(settings: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        ParticleFlow.model_validate(settings)

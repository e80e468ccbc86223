"""Density along the flow of charges, against motions whose expansion is known and against the theory of the flow."""

from __future__ import annotations

import numpy as np
import pytest

from tests.metrics.points import Points
from wgpipe.methods.particle_flow import ParticleFlow
from wgpipe.metrics.flow_density import FlowDensity, expansion, snapshots
from wgpipe.theory.coulomb import NORMALISED, first_rate

FLOW = ParticleFlow(particles=512, rate=0.1)
METRIC = FlowDensity(core=128, snapshots=3)


def test_the_expansion_of_an_affine_motion_is_its_determinant() -> None:
    random = np.random.default_rng(0)
    start, turn = random.standard_normal((40, 3)), random.standard_normal((3, 3))
    nearest = np.argsort(random.random((5, 40)), axis=1)[:, :12]
    found = expansion(start, start @ turn + 3, nearest)
    np.testing.assert_allclose(found, abs(np.linalg.det(turn)), rtol=1e-9)


def test_snapshots_are_the_first_steps_that_reach_a_time() -> None:
    sample = np.zeros((3, 3))
    start = np.eye(3)
    every = [(NORMALISED * time, points) for time, (points) in _first(FLOW, start, sample, 6)]
    times = np.array([every[1][0] * 0.999, every[1][0], every[1][0] * 1.001, every[4][0]])
    found = snapshots(FLOW, start, sample, times)
    assert [time for time, _ in found] == [every[place][0] for place in (1, 1, 2, 4)]
    np.testing.assert_array_equal(found[-1][1], every[4][1])


def _first(flow: ParticleFlow, start: np.ndarray, sample: np.ndarray, count: int) -> list[tuple[float, np.ndarray]]:
    steps = flow.flow(start, sample)
    return [next(steps) for _ in range(count)]


def test_off_the_support_density_decays_at_the_rate_of_theory() -> None:
    found = {name: values for name, (values, _) in METRIC.measure(Points.of("sphere-2in3", 512, method=FLOW)).items()}
    np.testing.assert_allclose(found["decay_rate"], 1, atol=0.08)
    assert (np.diff([found[f"flow_density:{k}"] for k in range(4)], axis=0) < 0).all()
    np.testing.assert_allclose(found["flow_density:0"], 1)
    np.testing.assert_allclose(found["flow_density:3"] * (1 + found["flow_time:3"]), 1, atol=0.08)


def test_the_smoothed_kernel_keeps_its_share_of_the_rate() -> None:
    """At the centre (1 + ε²)^(-3/2), less what the smoothed sphere of data pulls there."""
    metric = FlowDensity(core=12, snapshots=1, neighbours=12, until_sphere=0.01)
    found = metric.measure(Points.of("sphere-2in3", 256, method=ParticleFlow(particles=2048, rate=0.02), seeds=(0,)))
    for epsilon in (0.5, 1.0, 2.0):
        np.testing.assert_allclose(found[f"first_rate:{epsilon:g}"][0], first_rate(epsilon, metric.start), rtol=0.02)


def test_on_the_support_density_follows_the_logistic_curve() -> None:
    found = FlowDensity(core=256, snapshots=2).measure(
        Points.of("ball-3in3", 4096, method=ParticleFlow(particles=1024, rate=0.1), seeds=(0,))
    )
    np.testing.assert_allclose(found["logistic_rate"][0], 1, atol=0.1)
    np.testing.assert_allclose(found["flow_density:0"][0], 8)


@pytest.mark.parametrize("name", ["ring-8", "ball-2in2", "ball-4in4", "sphere-3in4", "sphere-1in3"])
def test_other_data_have_nothing(name: str) -> None:
    assert FlowDensity().measure(Points.of(name, 8, method=FLOW)) == {}


def test_other_methods_have_nothing() -> None:
    assert FlowDensity().measure(Points.of("ball-3in3", 8)) == {}

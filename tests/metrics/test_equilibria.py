"""The kernel's Laplacian against its closed form, and flows whose resting places are known."""

from __future__ import annotations

import numpy as np
import pytest

from tests.metrics.points import Points
from wgpipe.methods.kernels import Plummer
from wgpipe.methods.particle_flow import ParticleFlow
from wgpipe.metrics.equilibria import RADII, Equilibria, largest_laplacian, rest
from wgpipe.theory.coulomb import laplacian, superharmonic


@pytest.mark.parametrize("m", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("dimension", [2.5, 3.0, 4.0, 5.0, 6.0])
@pytest.mark.parametrize("epsilon", [1.0, 0.2])
def test_differences_find_the_largest_laplacian_and_its_sign(m: int, dimension: float, epsilon: float) -> None:
    values = laplacian(dimension, epsilon, m, epsilon * RADII)
    found = largest_laplacian(Plummer(dimension=dimension, epsilon=epsilon), m)
    assert found == pytest.approx(values.max() / abs(values[0]), rel=1e-4, abs=1e-11)
    assert (found <= 0) == superharmonic(dimension, m)


def test_particles_in_space_rest_at_the_charges() -> None:
    flow, sample = ParticleFlow(epsilon=0.3, particles=2), np.array([[-1.0, 0, 0], [1.0, 0, 0]])
    end = rest(flow, flow.start(sample), sample, 500)
    np.testing.assert_allclose(end[np.argsort(end[:, 0])], sample, atol=1e-4)


def test_on_a_line_two_particles_may_rest_at_one_charge() -> None:
    flow, sample = ParticleFlow(epsilon=0.3, particles=2), np.array([[-1.0], [1.0]])
    end = rest(flow, np.array([[-1.2], [-0.8]]), sample, 500)
    assert (end < 0).all()
    assert np.abs(flow.field(end, sample)[0]).max() < 1e-6


def test_what_is_measured_for_each_dimension() -> None:
    metric = Equilibria(dimensions=(2.5, 5.0), charges=6, iterations=2000)
    found = metric.measure(Points.of("ball-3in3", 20, method=ParticleFlow()))
    assert set(found) == {f"{name}:{d}" for name in ("laplacian", "stuck", "residual") for d in ("2.5", "5")}
    assert found["laplacian:2.5"][0].max() < 0 < found["laplacian:5"][0].min()
    for d in ("2.5", "5"):
        shares = found[f"stuck:{d}"][0] * 6
        np.testing.assert_allclose(shares, shares.round(), atol=1e-9)
        assert (found[f"residual:{d}"][0] < 1e-4).all()
    assert found["stuck:5"][1] == "equilibria[charges=6,epsilon=0.1,iterations=2000]"


def test_other_data_and_methods_have_nothing() -> None:
    assert Equilibria().measure(Points.of("ring-8", 8, method=ParticleFlow())) == {}
    assert Equilibria().measure(Points.of("ball-3in3", 8)) == {}

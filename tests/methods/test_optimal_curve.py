"""The optimal curve as a control."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

from wgpipe.data import Dataset
from wgpipe.errors import UserError
from wgpipe.methods.optimal_curve import OptimalCurve, curve_at
from wgpipe.metrics.transport import exact_cost
from wgpipe.rng import stream


@pytest.fixture
def sample() -> np.ndarray:
    return stream("test-optimal-curve").random((25, 2))


def draws(control: OptimalCurve, state: dict[str, np.ndarray], count: int) -> np.ndarray:
    return control.draw(state, Dataset(name="unit-square"), {}, stream("test-draw"), count)


def test_its_law_has_the_w1_that_it_states(sample: np.ndarray) -> None:
    for control in (OptimalCurve(), OptimalCurve(slack=2.0)):
        state = control.fit(sample)
        curve = curve_at(state, (np.arange(25 * 200) + 0.5) / (25 * 200))
        stated = state["squared_length"][0] / (4 * state["speed"][0])
        assert exact_cost(curve, sample, 1) == pytest.approx(stated, rel=2e-3)


def test_draws_are_uniform_in_time(sample: np.ndarray) -> None:
    control = OptimalCurve()
    state = control.fit(sample)
    points = draws(control, state, 100_000)
    assert points.dtype == np.float64
    expected = curve_at(state, (np.arange(100_000) + 0.5) / 100_000)
    np.testing.assert_allclose(points.mean(axis=0), expected.mean(axis=0), atol=5 * 0.3 / 100_000**0.5)
    np.testing.assert_array_equal(points, curve_at(state, stream("test-draw").random(100_000)))


def test_its_speed_is_the_least_times_the_slack_or_the_one_given(sample: np.ndarray) -> None:
    least = OptimalCurve().fit(sample)["least_speed"]
    assert OptimalCurve().fit(sample)["speed"] == least
    assert OptimalCurve(slack=1.5).fit(sample)["speed"] == 1.5 * least
    assert OptimalCurve(speed=100.0).fit(sample)["speed"] == 100


def test_a_speed_below_the_least_is_refused(sample: np.ndarray) -> None:
    with pytest.raises(UserError, match=r"optimal_curve: speed 0.5 is below [\d.]+, .*; leave speed out, or give a l"):
        OptimalCurve(speed=0.5).fit(sample)


def test_a_speed_with_slack_is_refused() -> None:
    with pytest.raises(ValidationError, match="speed 9 is the speed itself, so it cannot have slack 2 too"):
        OptimalCurve(speed=9.0, slack=2.0)


def test_its_speed_may_grow_with_the_sample_but_is_never_below_the_least() -> None:
    sample = stream("test-growing-curve").random((64, 3))
    for n in (8, 64):
        state = OptimalCurve(growth=5.0).fit(sample[:n])
        assert state["speed"] == pytest.approx(5 * n ** (2 / 3))
        assert state["speed"] > state["least_speed"]
    held = OptimalCurve(growth=0.1).fit(sample)
    assert held["speed"] == held["least_speed"] == OptimalCurve().fit(sample)["speed"]


@pytest.mark.parametrize("other", [{"speed": 9.0}, {"slack": 2.0}])
def test_a_growth_with_another_speed_is_refused(other: dict[str, float]) -> None:
    with pytest.raises(ValidationError, match="growth 5 is a law of the speed, so it cannot have speed or slack too"):
        OptimalCurve(growth=5.0, **other)


def test_a_stack_of_members_is_each_member_alone(sample: np.ndarray) -> None:
    """Members need different numbers of knots, and one has repeated points; what is stored has one shape."""
    control = OptimalCurve()
    members = [sample, sample**3, np.repeat(sample[:5], 5, axis=0), np.ones((25, 2))]
    alone = [control.fit(member) for member in members]
    stacked = {name: np.stack([state[name] for state in alone]) for name in alone[0]}
    assert len({len(np.unique(knots)) for knots in stacked["knots"]}) > 1
    for row, member in enumerate(members):
        points = draws(control, {name: value[row] for name, value in stacked.items()}, 500)
        np.testing.assert_array_equal(points, draws(control, control.fit(member), 500))
        assert (points >= member.min(axis=0) - 1e-12).all()
        assert (points <= member.max(axis=0) + 1e-12).all()

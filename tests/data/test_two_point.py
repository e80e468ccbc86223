"""The two-point pair against the linear programme of its four points."""

from __future__ import annotations

import numpy as np
import ot
import pytest

from wgpipe import rng
from wgpipe.data import dataset
from wgpipe.data.two_point import TwoPoint
from wgpipe.errors import UserError


@pytest.mark.parametrize("percent", [1, 10, 25, 49])
def test_distance_and_plan_are_those_of_the_linear_programme(percent: int) -> None:
    data = TwoPoint.from_name(f"two_point-{percent}")
    arrays = data.prepare({})
    a, u, v = percent / 100, arrays["u"], arrays["v"]
    costs = ot.dist(np.array([-v, v]), np.array([-u, u])) / 2
    plan, log = ot.emd(np.array([0.5 - a, 0.5 + a]), np.array([0.5, 0.5]), costs, log=True)
    np.testing.assert_allclose(data.distance(arrays), log["cost"], rtol=1e-12)
    coupling = data.coupled(arrays, rng.stream("plan"), 100_000)
    for i, start in enumerate((-v, v)):
        for j, end in enumerate((-u, u)):
            together = (coupling.source == start).all(axis=1) & (coupling.target == end).all(axis=1)
            np.testing.assert_allclose(together.mean(), plan[i, j], atol=0.008)


def test_the_laws_have_two_points_of_the_stated_masses() -> None:
    data = TwoPoint.from_name("two_point-20")
    arrays = data.prepare({})
    source, target = (draw(arrays, rng.stream("masses"), 100_000) for draw in (data.draw_source, data.draw))
    for points, point, mass in ((source, arrays["v"], 0.7), (target, arrays["u"], 0.5)):
        at_point = (points == point).all(axis=1)
        assert ((points == -point).all(axis=1) | at_point).all()
        np.testing.assert_allclose(at_point.mean(), mass, atol=0.008)
    assert data.card().radius == pytest.approx(np.linalg.norm(arrays["u"]))


@pytest.mark.parametrize("name", ["two_point-0", "two_point-50", "two_point-2.5", "two_point"])
def test_malformed_names_are_refused(name: str) -> None:
    with pytest.raises(UserError, match=r"accepted: two_point-<a in percent, 1 to 49>\."):
        dataset(name)

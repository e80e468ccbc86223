"""Points to be drawn are the generated ones."""

from __future__ import annotations

import numpy as np

from tests.metrics.points import Points
from wgpipe.metrics.scatter import Scatter

METRIC = Scatter(generated=5, datasets=("ring-8", "ball-3in3"))


def test_each_coordinate_of_each_point_is_a_quantity() -> None:
    block = Points.of("ring-8", 1)
    found = METRIC.measure(block)
    assert len(found) == 10
    points = block.generated(5)
    for place in range(5):
        np.testing.assert_array_equal(found[f"scatter_x:{place}"][0], points[:, place, 0])
        np.testing.assert_array_equal(found[f"scatter_y:{place}"][0], points[:, place, 1])
    assert {protocol for _, protocol in found.values()} == {"scatter[generated=5]"}


def test_other_data_and_other_dimensions_have_nothing() -> None:
    assert METRIC.measure(Points.of("ring-7", 1)) == {}
    assert METRIC.measure(Points.of("ball-3in3", 1)) == {}

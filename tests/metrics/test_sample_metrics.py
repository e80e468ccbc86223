"""What all metrics that compare two samples have in common."""

from __future__ import annotations

import numpy as np
import pytest

from wgpipe import registry
from wgpipe.metrics import SampleMetric
from wgpipe.rng import stream

NAMES = ["energy", "sliced_w2", "spread", "w1", "w2"]


class Samples:
    """Three members on the plane; the second one's generator has diverged."""

    dataset_name = "toy"

    def real(self, count: int) -> np.ndarray:
        return stream("test-real").standard_normal((3, min(count, 40), 2))

    def generated(self, count: int) -> np.ndarray:
        points = stream("test-generated").standard_normal((3, count, 2)).astype(np.float32)
        points[1, 0, 0] = np.nan
        return points

    def training_sample(self) -> np.ndarray:
        return self.real(10)


@pytest.fixture(params=NAMES)
def metric(request: pytest.FixtureRequest) -> SampleMetric:
    made: SampleMetric = registry.load("metric", request.param)(real=64, generated=50)
    return made


def test_a_diverged_member_is_nan_and_the_others_are_measured(metric: SampleMetric) -> None:
    (values, _), *others = metric.measure(Samples()).values()
    assert not others
    assert values.dtype == np.float64
    assert np.isfinite(values).tolist() == [True, False, True]
    block = Samples()
    assert values[2] == metric.compare(block.real(64)[2], block.generated(50)[2].astype(np.float64))


def test_the_protocol_tells_the_sizes_that_were_measured_and_every_other_setting(metric: SampleMetric) -> None:
    ((name, (_, protocol)),) = metric.measure(Samples()).items()
    more = ",projections=128" if name == "sliced_w2" else ""
    assert protocol == f"{name}[real=40,generated=50{more}]"


def test_a_dataset_may_ask_for_other_sizes() -> None:
    metric = registry.load("metric", "w1")(real=64, generated=50, points={"toy": 30, "another": 7})
    ((_, protocol),) = metric.measure(Samples()).values()
    assert protocol == "w1[real=30,generated=30]"


def test_a_metric_may_be_kept_to_some_datasets() -> None:
    load = registry.load("metric", "energy")
    (kept,) = load(real=64, generated=50, datasets=("toy",)).measure(Samples()).items()
    assert kept[1][1] == "energy[real=40,generated=50]"
    assert load(real=64, generated=50, datasets=("another",)).measure(Samples()) == {}


def test_measuring_twice_gives_the_same_bytes(metric: SampleMetric) -> None:
    (first,), (second,) = (metric.measure(Samples()).values() for _ in range(2))
    assert first[0].tobytes() == second[0].tobytes()


def test_w2_is_smaller_by_default_than_w1() -> None:
    w1, w2 = registry.load("metric", "w1")(), registry.load("metric", "w2")()
    assert (w1.real, w1.generated, w2.real, w2.generated) == (4096, 4096, 1024, 1024)

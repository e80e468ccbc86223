"""The kernel distance against its definition."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

from tests.metrics.points import Points
from wgpipe.metrics.plummer_mmd import ROWS, PlummerMmd


def by_hand(x: np.ndarray, y: np.ndarray, d: float, epsilon: float) -> float:
    def mean(a: np.ndarray, b: np.ndarray) -> float:
        return float(np.mean([(np.sum((p - q) ** 2) + epsilon**2) ** (-d / 2) for p in a for q in b]))

    return float(np.sqrt(mean(x, x) + mean(y, y) - 2 * mean(x, y)))


@pytest.mark.parametrize(("dimension", "epsilon"), [(3.0, 0.3), (4.0, 1.0)])
def test_it_is_its_definition(dimension: float, epsilon: float) -> None:
    random = np.random.default_rng(0)
    x, y = random.standard_normal((12, 2)), 1 + random.standard_normal((9, 2))
    metric = PlummerMmd(dimension=dimension, epsilon=epsilon)
    assert metric.compare(x, y) == pytest.approx(by_hand(x, y, dimension - 2, epsilon), rel=1e-10)
    assert metric.compare(x, x[::-1]) == pytest.approx(0, abs=1e-7)


def test_blocks_of_rows_do_not_change_it() -> None:
    x = np.random.default_rng(0).standard_normal((2 * ROWS + 5, 2))
    distances = np.sum((x[:, None] - x[None, :3]) ** 2, axis=2) + 0.09
    own = np.sum((x[:, None] - x[None]) ** 2, axis=2) + 0.09
    few = np.sum((x[:3, None] - x[None, :3]) ** 2, axis=2) + 0.09
    expected = np.sqrt(np.mean(own**-0.5) + np.mean(few**-0.5) - 2 * np.mean(distances**-0.5))
    assert PlummerMmd(epsilon=0.3).compare(x, x[:3]) == pytest.approx(expected, rel=1e-9)


def test_two_samples_of_one_law_are_apart_by_their_self_terms() -> None:
    """E MMD² = (1/m + 1/k) (k(0) - E k(x, x')) for independent samples; within 4 standard errors."""
    random = np.random.default_rng(1)
    x, y = random.random((2, 400, 40, 1))
    squared = np.array([PlummerMmd(epsilon=0.5).compare(*pair) ** 2 for pair in zip(x, y, strict=True)])
    apart = np.mean((np.square(random.random(10**6) - random.random(10**6)) + 0.25) ** -0.5)
    assert squared.mean() == pytest.approx(2 / 40 * (2 - apart), abs=4 * squared.std() / 20)


def test_a_dataset_may_have_a_kernel_of_its_own_and_the_protocol_tells_it() -> None:
    metric = PlummerMmd.model_validate(
        {"real": 30, "generated": 20, "epsilon": 0.3, "kernels": {"ring-8": {"dimension": 4, "epsilon": 0.7}}}
    )
    block = Points.of("ring-8", 1)
    ((name, (values, protocol)),) = metric.measure(block).items()
    assert (name, protocol) == ("plummer_mmd", "plummer_mmd[real=30,generated=20,dimension=4.0,epsilon=0.7]")
    assert values[1] == pytest.approx(by_hand(block.real(30)[1], block.generated(20)[1], 2.0, 0.7), rel=1e-9)
    ((_, (_, other)),) = metric.measure(Points.of("ring-7", 1)).items()
    assert other == "plummer_mmd[real=30,generated=20,dimension=3.0,epsilon=0.3]"


def test_the_constant_kernel_is_refused() -> None:
    with pytest.raises(ValidationError):
        PlummerMmd(dimension=2)

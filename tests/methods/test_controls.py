"""Controls draw what their names say."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from wgpipe.data import Arrays, Dataset, FiniteDataset
from wgpipe.methods import Control
from wgpipe.methods.empirical import Empirical
from wgpipe.methods.gaussian import Gaussian
from wgpipe.methods.oracle import Oracle


class Exponentials(Dataset):
    """A stand-in whose oracle is known: exponentials with the scale that its arrays hold."""

    def oracle_sample(self, arrays: Arrays, stream: np.random.Generator, count: int) -> np.ndarray:
        return stream.exponential(arrays["scale"], (count, 2))


DATASET = Exponentials(name="exponentials")
ARRAYS: Mapping[str, np.ndarray] = {"scale": np.array([1.0, 5.0])}


@pytest.fixture
def sample() -> np.ndarray:
    return np.random.default_rng(0).standard_normal((50, 3)) @ np.array([[1, 0.5, 0], [0, 2, 0], [0, 0, 0]]) + 4


def test_the_empirical_control_resamples_its_points_uniformly(sample: np.ndarray) -> None:
    control = Empirical()
    points = control.draw(control.fit(sample), DATASET, ARRAYS, np.random.default_rng(1), 100_000)
    found, counts = np.unique(points, axis=0, return_counts=True)
    np.testing.assert_array_equal(found, np.unique(sample, axis=0))
    np.testing.assert_allclose(counts, 2000, atol=5 * 2000**0.5)


def test_the_gaussian_control_has_the_moments_of_its_sample(sample: np.ndarray) -> None:
    control = Gaussian()
    points = control.draw(control.fit(sample), DATASET, ARRAYS, np.random.default_rng(1), 200_000)
    np.testing.assert_allclose(points.mean(axis=0), sample.mean(axis=0), atol=0.02)
    np.testing.assert_allclose(np.cov(points.T), np.cov(sample.T, bias=True), atol=0.05)
    assert np.abs(points[:, 2] - 4).max() < 1e-6


def test_the_gaussian_control_of_one_coordinate(sample: np.ndarray) -> None:
    state = Gaussian().fit(sample[:, :1])
    assert state["root"].shape == (1, 1)
    assert abs(state["root"].item()) == pytest.approx(sample[:, 0].std())


def test_the_oracle_draws_fresh_points_of_the_dataset() -> None:
    control = Oracle()
    points = control.draw(control.fit(np.zeros((5, 2))), DATASET, ARRAYS, np.random.default_rng(3), 7)
    np.testing.assert_array_equal(points, DATASET.oracle_sample(ARRAYS, np.random.default_rng(3), 7))


@pytest.mark.parametrize("control", [Empirical(), Gaussian(), Oracle()])
def test_a_control_draws_the_same_points_from_the_same_stream(
    control: Empirical | Gaussian | Oracle, sample: np.ndarray
) -> None:
    state = control.fit(sample)
    first, second = (control.draw(state, DATASET, ARRAYS, np.random.default_rng(2), 9) for _ in range(2))
    assert first.dtype == np.float64
    np.testing.assert_array_equal(first, second)


class Rows(FiniteDataset):
    """Ten rows of bytes, which stand for tenths."""

    def points(self, rows: np.ndarray) -> np.ndarray:
        return rows / 10


ROWS = Rows(name="rows")
BYTES = {"train": np.arange(20, dtype=np.uint8).reshape(10, 2), "test": np.zeros((0, 2), dtype=np.uint8)}


def test_of_finite_data_the_empirical_control_keeps_the_numbers_of_its_rows() -> None:
    control = Empirical()
    state = control.fit_drawn(ROWS, BYTES, np.random.default_rng(0), 4)
    assert {name: kept.shape for name, kept in state.items()} == {"rows": (4,)}
    sample = ROWS.training_sample(BYTES, np.random.default_rng(0), 4)
    expected = control.draw(control.fit(sample), ROWS, BYTES, np.random.default_rng(1), 100)
    np.testing.assert_array_equal(control.draw(state, ROWS, BYTES, np.random.default_rng(1), 100), expected)


@pytest.mark.parametrize(
    ("control", "finite", "other"), [(Oracle(), False, False), (Empirical(), False, True), (Gaussian(), True, True)]
)
def test_which_controls_hold_the_points_of_a_sample(control: Control, finite: bool, other: bool) -> None:
    assert (control.needs_points(ROWS), control.needs_points(DATASET)) == (finite, other)

    class Drawn(Rows):
        def training_sample(self, arrays: Arrays, stream: np.random.Generator, n: int) -> np.ndarray:
            raise AssertionError("the sample is drawn")

    if finite:
        with pytest.raises(AssertionError, match="drawn"):
            control.fit_drawn(Drawn(name="drawn"), BYTES, np.random.default_rng(0), 4)
    else:
        control.fit_drawn(Drawn(name="drawn"), BYTES, np.random.default_rng(0), 4)

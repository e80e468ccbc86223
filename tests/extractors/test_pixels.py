"""Points of [-1, 1]^d as bytes."""

from __future__ import annotations

import numpy as np

from wgpipe.data import FiniteDataset, dataset
from wgpipe.data.pixels import images, to_bytes


def test_the_ends_the_middle_and_what_lies_outside() -> None:
    points = np.array([[-1, 1, 0.001, -7, 7, np.nan, np.inf, -np.inf, 0.2]])
    expected = [0, 255, 128, 0, 255, 0, 255, 0, 153]
    assert to_bytes(points, (1, 3, 3)).ravel().tolist() == expected


def test_rows_are_cut_by_channel_row_and_column() -> None:
    made = to_bytes(np.arange(24).reshape(1, 2, 12) / 12 - 1, (3, 2, 2))
    assert made.shape == (1, 2, 3, 2, 2)
    assert (np.diff(made.reshape(2, 12).astype(int), axis=1) > 0).all()


def test_bytes_go_to_points_and_back() -> None:
    """What colour datasets store is what an extractor is given."""
    cifar10 = dataset("cifar10-32x32")
    assert isinstance(cifar10, FiniteDataset)
    rows = np.random.default_rng(0).integers(0, 256, (5, 3072), dtype=np.uint8)
    assert np.array_equal(to_bytes(cifar10.points(rows), (3, 32, 32)), images(cifar10, rows))


def test_stored_floats_are_rounded() -> None:
    mnist = dataset("mnist-7x7")
    assert isinstance(mnist, FiniteDataset)
    rows = np.linspace(-1, 1, 49 * 3, dtype=np.float32).reshape(3, 49)
    assert np.array_equal(images(mnist, rows), to_bytes(rows.astype(np.float64), (1, 7, 7)))

"""MNIST and Fashion-MNIST: the idx format, the reduction, and the real files where there is a mirror."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest

from wgpipe import rng
from wgpipe.data import dataset
from wgpipe.data.idx import read, reduce
from wgpipe.errors import UserError
from wgpipe.fetch import fetch

VALUES = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
CONTENT = struct.pack(">BBBBIII", 0, 0, 8, 3, 2, 3, 4) + VALUES.tobytes()


def test_an_idx_file_is_read_as_written(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(CONTENT)
    np.testing.assert_array_equal(read(path, (2, 3, 4)), VALUES)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "begins with bytes"),
        (b"\0\0\x0d\x03" + CONTENT[4:], r"begins with bytes 00000d03; accepted: 00000803"),
        (CONTENT[:3] + b"\x02" + CONTENT[4:], r"begins with bytes 00000802; accepted: 00000803"),
        (CONTENT[:7] + b"\x03" + CONTENT[8:], r"is not an idx array of shape \(2, 3, 4\)"),
        (CONTENT[:-1], "holds 23 values; accepted: 24"),
        (CONTENT + b"\0", "holds 25 values; accepted: 24"),
    ],
)
def test_anything_else_is_refused(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "x"
    path.write_bytes(content)
    with pytest.raises(UserError, match=reason):
        read(path, (2, 3, 4))


@pytest.mark.parametrize(("side", "block"), [(28, 1), (14, 2), (7, 4)])
def test_reduction_averages_squares(side: int, block: int) -> None:
    images = rng.stream("images").integers(0, 256, size=(3, 28, 28), dtype=np.uint8)
    reduced = reduce(images, side)
    assert reduced.shape == (3, side**2)
    assert reduced.dtype == np.float32
    for row in range(side):
        for column in range(side):
            square = images[:, row * block : (row + 1) * block, column * block : (column + 1) * block]
            expected = square.mean(axis=(1, 2)) / 127.5 - 1
            np.testing.assert_allclose(reduced[:, row * side + column], expected, atol=1e-6)


@pytest.mark.parametrize("family", ["mnist", "fashion_mnist"])
def test_the_real_files_give_the_whole_dataset(family: str, mirror: Path, tmp_path: Path) -> None:
    data = dataset(f"{family}-7x7")
    arrays = data.prepare({s.file: fetch(s, tmp_path, mirror, progress=False) for s in data.sources()})
    card = data.card()
    assert arrays["train"].shape == (card.train_size, card.dimension) == (60000, 49)
    assert arrays["test"].shape == (card.test_size, card.dimension) == (10000, 49)
    assert arrays["train"].dtype == np.float32
    assert arrays["train"].min() == -1
    assert 0.98 < arrays["train"].max() <= 1
    classes = np.bincount(arrays["train_labels"])
    assert len(classes) == 10
    if family == "fashion_mnist":
        np.testing.assert_array_equal(classes, 6000)
    else:
        np.testing.assert_array_equal(classes, [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949])
        assert arrays["train"].mean() == pytest.approx(2 * 0.1307 - 1, abs=2e-4)  # torchvision's constant for MNIST


def test_three_sizes_exist_and_others_do_not() -> None:
    assert [dataset(f"mnist-{side}x{side}").card().dimension for side in (28, 14, 7)] == [784, 196, 49]
    for name in ("mnist", "mnist-8x8", "mnist-14x7", "mnist-28"):
        with pytest.raises(UserError, match="accepted: mnist-28x28, mnist-14x14, mnist-7x7"):
            dataset(name)

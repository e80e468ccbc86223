"""Patches of photographs inside installed packages: what they are, and that no pixel is in both splits."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from skimage.data import astronaut
from sklearn.datasets import load_sample_image

from tests.data.encoded import encoded, pixels
from wgpipe.data import Arrays, dataset
from wgpipe.data.patches import PHOTOGRAPHS, count, patches
from wgpipe.errors import UserError
from wgpipe.fetch import fetch

DATA = dataset("patches-32x32")


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("photographs")
    return {s.file: fetch(s, folder, mirror=None, progress=False) for s in DATA.sources()}


@pytest.fixture(scope="module")
def arrays(files: dict[str, Path]) -> Arrays:
    return DATA.prepare(files)


def test_sizes_are_those_of_the_card(arrays: Arrays) -> None:
    card = DATA.card()
    assert card.shape == (3, 32, 32)
    for split, size in (("train", card.train_size), ("test", card.test_size)):
        assert (arrays[split].shape, arrays[split].dtype) == ((size, 3072), np.uint8)


@pytest.mark.parametrize(
    ("photograph", "package_reads", "before"),
    [(PHOTOGRAPHS[0], lambda: load_sample_image("china.jpg"), 0), (PHOTOGRAPHS[2], astronaut, 2)],
)
def test_patches_are_pieces_of_what_the_packages_load(
    arrays: Arrays, photograph: object, package_reads: object, before: int
) -> None:
    assert callable(package_reads)
    image = package_reads()
    first = sum(count(one.cut, one.height) for one in PHOTOGRAPHS[:before])
    across = (PHOTOGRAPHS[before].cut - 32) // 4 + 1
    for row, column in ((0, 0), (3, 5), (20, across - 1)):
        patch = arrays["train"][first + row * across + column].reshape(3, 32, 32)
        expected = image[4 * row : 4 * row + 32, 4 * column : 4 * column + 32].transpose(2, 0, 1)
        np.testing.assert_array_equal(patch, expected)


def test_no_pixel_is_in_both_splits() -> None:
    """Each pixel of a photograph that stands for all is its own number, so patches tell where they come from."""
    for one in PHOTOGRAPHS:
        columns = np.broadcast_to(np.arange(one.width, dtype=np.int64)[None, :, None], (one.height, one.width, 3))
        left, right = patches(columns[:, : one.cut]), patches(columns[:, one.cut :])
        assert left.max() < one.cut <= right.min()
        assert (len(left), len(right)) == (count(one.cut, one.height), count(one.width - one.cut, one.height))


def test_a_part_that_is_smaller_than_a_patch_gives_none() -> None:
    assert [count(31, 100), count(32, 32), count(36, 39), count(36, 40)] == [0, 1, 4, 6]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (encoded(pixels(427, 640)[:, :, 0]), "is grey"),
        (encoded(pixels(400, 640)), "has 640×400 pixels; accepted: 640×427"),
        (b"", "cannot be read as a picture"),
    ],
)
def test_another_photograph_is_refused(files: dict[str, Path], tmp_path: Path, content: bytes, reason: str) -> None:
    file = tmp_path / "photograph-china.jpg"
    file.write_bytes(content)
    with pytest.raises(UserError, match=rf"photograph-china\.jpg {reason}"):
        DATA.prepare({**files, file.name: file})


def test_it_is_called_patches() -> None:
    card = DATA.card()
    assert "patches" in card.title
    assert "cifar" not in repr(card).lower()
    with pytest.raises(UserError, match="accepted: patches-32x32"):
        dataset("patches-64x64")


def test_a_training_sample_is_kept_as_bytes(arrays: Arrays) -> None:
    draws = [np.random.default_rng(3) for _ in range(2)]
    rows, points = DATA.training_rows(arrays, draws[0], 100), DATA.training_sample(arrays, draws[1], 100)
    assert (rows.dtype, points.dtype) == (np.uint8, np.float64)
    np.testing.assert_array_equal(rows / 127.5 - 1, points)

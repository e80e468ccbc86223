"""CIFAR-10's binary archive: records of a label's byte, then red, green and blue planes of 32 rows."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from tests.data.encoded import write_tar
from wgpipe import rng
from wgpipe.data import dataset
from wgpipe.data.cifar10 import SOURCE, Cifar10
from wgpipe.errors import UserError
from wgpipe.fetch import fetch

COUNT = 3
FOLDER = "cifar-10-batches-bin"
NAMES = [*(f"data_batch_{i}.bin" for i in range(1, 6)), "test_batch.bin"]


def batch(key: int) -> bytes:
    labels = np.arange(COUNT, dtype=np.uint8)[:, None]
    pixels = rng.stream("batch", key).integers(0, 256, size=(COUNT, 3072), dtype=np.uint8)
    return np.hstack([labels, pixels]).tobytes()


@pytest.fixture
def members() -> dict[str, bytes]:
    batches = {f"{FOLDER}/{name}": batch(key) for key, name in enumerate(NAMES)}
    return {f"{FOLDER}/readme.html": b"about", **batches}


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> Cifar10:
    monkeypatch.setattr(Cifar10, "batch", COUNT)
    return Cifar10(name="cifar10-32x32")


def prepared(small: Cifar10, path: Path, members: dict[str, bytes]) -> dict[str, np.ndarray]:
    return small.prepare({SOURCE.file: write_tar(path / "archive.tar.gz", members)})


def test_labels_and_planes_come_in_the_order_of_the_batches(
    small: Cifar10, members: dict[str, bytes], tmp_path: Path
) -> None:
    arrays = prepared(small, tmp_path, members)
    assert {name: (a.shape, a.dtype) for name, a in arrays.items()} == {
        "train": ((15, 3072), np.uint8),
        "train_labels": ((15,), np.uint8),
        "test": ((3, 3072), np.uint8),
        "test_labels": ((3,), np.uint8),
    }
    np.testing.assert_array_equal(arrays["train_labels"], [0, 1, 2] * 5)
    second = members[f"{FOLDER}/data_batch_2.bin"][3073:6146]  # its record 1
    image = arrays["train"][COUNT + 1].reshape(small.shape)
    assert image[1, 2, 7] == second[1 + 1024 + 2 * 32 + 7]  # green, row 2, column 7


def test_points_are_between_minus_one_and_one(small: Cifar10, members: dict[str, bytes], tmp_path: Path) -> None:
    arrays = prepared(small, tmp_path, members)
    points = small.test_sample(arrays, rng.stream("test"), COUNT)
    assert (points.dtype, points.shape) == (np.float64, (COUNT, 3072))
    order = rng.stream("test").permutation(COUNT)
    np.testing.assert_allclose(points, arrays["test"][order] / 127.5 - 1, atol=1e-15)
    assert small.points(np.array([0, 255], dtype=np.uint8)).tolist() == [-1, 1]


@pytest.mark.parametrize("keep", [30, 500, -200])
def test_a_truncated_archive_is_refused(small: Cifar10, members: dict[str, bytes], tmp_path: Path, keep: int) -> None:
    path = write_tar(tmp_path / "whole.tar.gz", members)
    cut = tmp_path / "cut.tar.gz"
    cut.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(UserError, match=r"cut\.tar\.gz cannot be read .*; it is truncated or damaged"):
        small.prepare({SOURCE.file: cut})


def test_an_archive_without_a_batch_is_refused(small: Cifar10, members: dict[str, bytes], tmp_path: Path) -> None:
    del members[f"{FOLDER}/data_batch_4.bin"]
    with pytest.raises(UserError, match=rf"does not hold {FOLDER}/data_batch_4\.bin\.$"):
        prepared(small, tmp_path, members)


def test_a_batch_of_another_length_is_refused(small: Cifar10, members: dict[str, bytes], tmp_path: Path) -> None:
    members[f"{FOLDER}/test_batch.bin"] += b"\0"
    with pytest.raises(UserError, match=r"test_batch\.bin holds 9220 bytes; accepted: 9219, 3 records of 3073 each"):
        prepared(small, tmp_path, members)


def test_a_label_that_is_none_is_refused(small: Cifar10, members: dict[str, bytes], tmp_path: Path) -> None:
    members[f"{FOLDER}/test_batch.bin"] = b"\x0a" + members[f"{FOLDER}/test_batch.bin"][1:]
    with pytest.raises(UserError, match="has label 10; accepted: 0 to 9"):
        prepared(small, tmp_path, members)


@pytest.mark.parametrize("name", ["../evil", "/etc/evil", f"{FOLDER}/../../evil", "C:\\evil", "..\\evil"])
def test_a_member_that_leads_out_is_refused(
    small: Cifar10, members: dict[str, bytes], tmp_path: Path, name: str
) -> None:
    with pytest.raises(UserError, match="which leads out of its folder"):
        prepared(small, tmp_path, {**members, name: b"evil"})
    assert [path.name for path in tmp_path.iterdir()] == ["archive.tar.gz"]


def test_the_archive_is_known_by_the_md5_of_the_file_itself(members: dict[str, bytes], tmp_path: Path) -> None:
    packed = write_tar(tmp_path / "x.tar.gz", members)
    copy = tmp_path / "mirror" / "www.cs.toronto.edu" / "~kriz" / "cifar-10-binary.tar.gz"
    copy.parent.mkdir(parents=True)
    copy.write_bytes(gzip.decompress(packed.read_bytes()))
    first = type(SOURCE)(SOURCE.file, SOURCE.urls[:1], md5=SOURCE.md5)
    with pytest.raises(UserError, match=f"wrong md5, expected {SOURCE.md5}"):
        fetch(first, tmp_path / "new", tmp_path / "mirror", progress=False)
    assert list((tmp_path / "new").iterdir()) == []


def test_there_is_one_size() -> None:
    with pytest.raises(UserError, match=r"dataset 'cifar10-28x28' is unknown; accepted: cifar10-32x32\."):
        dataset("cifar10-28x28")


def test_the_real_archive_gives_the_whole_dataset(mirror: Path, tmp_path: Path) -> None:
    if not (mirror / "www.cs.toronto.edu" / "~kriz" / SOURCE.file).is_file():
        pytest.skip("the mirror does not have CIFAR-10")
    data = dataset("cifar10-32x32")
    arrays = data.prepare({SOURCE.file: fetch(SOURCE, tmp_path, mirror, progress=False)})
    np.testing.assert_array_equal(np.bincount(arrays["train_labels"]), 5000)
    np.testing.assert_array_equal(np.bincount(arrays["test_labels"]), 1000)
    channels = arrays["train"].reshape(-1, 3, 1024).mean(axis=(0, 2)) / 255
    np.testing.assert_allclose(channels, [0.4914, 0.4822, 0.4465], atol=1e-4)  # published means

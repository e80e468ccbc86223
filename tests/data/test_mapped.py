"""Large arrays are mapped from the file; what comes is what was saved, and damage is noticed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from wgpipe.data import dataset, mapped
from wgpipe.data.prepared import load, save
from wgpipe.errors import UserError

DATA = dataset("patches-32x32")
ARRAYS = {
    "a": np.arange(3000, dtype=np.uint8).reshape(30, 100),
    "b": np.asfortranarray(np.arange(600.0).reshape(20, 30)),
    "small": np.zeros((2, 0)),
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(mapped, "LARGE", 1000)
    save(tmp_path, DATA, ARRAYS)
    return tmp_path


def is_mapped(array: np.ndarray) -> bool:
    base: object = array
    while isinstance(base, np.ndarray) and base.base is not None and not isinstance(base, np.memmap):
        base = base.base
    return isinstance(base, np.memmap)


def test_arrays_come_back_as_they_were(folder: Path) -> None:
    card, arrays = load(folder)
    assert card.shape == (3, 32, 32)
    for name, array in arrays.items():
        np.testing.assert_array_equal(array, ARRAYS[name])
        assert array.dtype == ARRAYS[name].dtype
    assert {name: is_mapped(array) for name, array in arrays.items()} == {"a": True, "b": True, "small": False}


def test_they_cannot_be_changed_and_are_plain_arrays(folder: Path) -> None:
    _, arrays = load(folder)
    assert type(arrays["a"]) is np.ndarray
    with pytest.raises(ValueError, match="read-only"):
        arrays["a"][0] = 1


def test_compressed_and_pickled_arrays_are_not_mapped(folder: Path) -> None:
    np.savez_compressed(folder / "x.npz", **ARRAYS)
    arrays = mapped.read(folder / "x.npz")
    np.testing.assert_array_equal(arrays["a"], ARRAYS["a"])
    assert not is_mapped(arrays["a"])
    np.savez(folder / "y.npz", a=np.array([{}] * 1000))
    with pytest.raises(ValueError, match="Python objects"):
        mapped.read(folder / "y.npz")


def test_no_changed_byte_goes_unnoticed(folder: Path) -> None:
    path = folder / "data.npz"
    content = path.read_bytes()
    noticed = 0
    for position in (*range(0, 300, 3), *range(300, len(content), 97)):
        path.write_bytes(content[:position] + bytes([content[position] ^ 0xFF]) + content[position + 1 :])
        try:
            _, arrays = load(folder)
        except UserError:
            noticed += 1
        else:
            assert all(np.array_equal(arrays[name], ARRAYS[name]) for name in ARRAYS)
    assert noticed > 50


@pytest.mark.parametrize("keep", [0, 10, 2000, -1])
def test_truncated_data_are_named(folder: Path, keep: int) -> None:
    path = folder / "data.npz"
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(UserError, match=r"data\.npz is damaged"):
        load(folder)

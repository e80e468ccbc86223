"""What is saved comes back, the same arrays give the same bytes, and damage is noticed."""

from __future__ import annotations

import json
import time
from pathlib import Path

import numpy as np
import pytest

from wgpipe.data import dataset
from wgpipe.data.prepared import checksum, load, load_card, save
from wgpipe.errors import UserError

DATA = dataset("surface-2in8")
ARRAYS = {**DATA.prepare({}), "labels": np.arange(7, dtype=np.uint8), "images": np.zeros((3, 0), dtype=np.float32)}


def test_card_and_arrays_come_back(tmp_path: Path) -> None:
    saved = save(tmp_path / "new", DATA, ARRAYS)
    card, arrays = load(tmp_path / "new")
    assert card == saved == load_card(tmp_path / "new")
    assert card.checksums.keys() == arrays.keys() == ARRAYS.keys()
    assert card.cites == DATA.card().cites
    for name, array in arrays.items():
        assert array.dtype == ARRAYS[name].dtype
        np.testing.assert_array_equal(array, ARRAYS[name])
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == ["card.json", "data.npz"]


def test_a_dataset_without_arrays_can_be_saved(tmp_path: Path) -> None:
    save(tmp_path, dataset("gaussian-2"), {})
    card, arrays = load(tmp_path)
    assert (card.name, arrays) == ("gaussian-2", {})


def test_the_bytes_depend_neither_on_the_clock_nor_on_the_order_of_arrays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(tmp_path / "a", DATA, ARRAYS)
    later = time.time() + 1e8
    monkeypatch.setattr(time, "time", lambda: later)
    monkeypatch.setattr(time, "localtime", lambda *_: time.gmtime(later))
    save(tmp_path / "b", DATA, dict(reversed(ARRAYS.items())))
    for name in ("data.npz", "card.json"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_a_checksum_tells_type_shape_and_values_but_not_memory_order() -> None:
    array = np.arange(6.0).reshape(2, 3)
    different = [array, array.reshape(3, 2), array.astype(np.float32), array + 1]
    assert len({checksum(x) for x in different}) == len(different)
    assert checksum(np.asfortranarray(array)) == checksum(array)


def test_python_objects_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="array 'names' holds Python objects"):
        save(tmp_path, DATA, {"names": np.array(["a", None], dtype=object)})
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    save(tmp_path, DATA, ARRAYS)
    return tmp_path


@pytest.mark.parametrize("name", ["data.npz", "card.json"])
def test_a_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(UserError, match=f"{name} is missing"):
        load(folder)


@pytest.mark.parametrize("keep", [0, 10, 200, -1])
def test_truncated_data_are_named(folder: Path, keep: int) -> None:
    path = folder / "data.npz"
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(UserError, match=r"data\.npz is damaged"):
        load(folder)


def test_no_changed_byte_of_the_data_goes_unnoticed(folder: Path) -> None:
    """Bytes that zip does not check may change without harm; then the arrays are unchanged."""
    path = folder / "data.npz"
    content = path.read_bytes()
    noticed = 0
    for position in range(0, len(content), 37):
        path.write_bytes(content[:position] + bytes([content[position] ^ 0xFF]) + content[position + 1 :])
        try:
            _, arrays = load(folder)
        except UserError:
            noticed += 1
        else:
            assert all(np.array_equal(arrays[name], ARRAYS[name]) for name in ARRAYS)
    assert noticed > 10


def test_other_arrays_than_the_card_lists_are_noticed(folder: Path) -> None:
    np.savez(folder / "data.npz", **{**ARRAYS, "labels": ARRAYS["labels"] + 1})
    with pytest.raises(
        UserError, match=r"data\.npz has array 'labels' with sha256 \w{64}, but card\.json expects \w{64}"
    ):
        load(folder)
    np.savez(folder / "data.npz", labels=ARRAYS["labels"])
    with pytest.raises(UserError, match=r"data\.npz holds \['labels'\], but card\.json lists"):
        load(folder)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"name": "x", "cites": []}', "{"])
def test_a_damaged_card_is_named(folder: Path, content: str) -> None:
    (folder / "card.json").write_text(content)
    with pytest.raises(UserError, match=r"card\.json is not a card"):
        load(folder)


def test_the_card_is_plain_json(folder: Path) -> None:
    facts = json.loads((folder / "card.json").read_text())
    assert (facts["name"], facts["dimension"], facts["intrinsic"]) == ("surface-2in8", 8, 2)

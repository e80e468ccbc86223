"""LSUN bedrooms from an lmdb, a folder or a .zip file: the same pictures give the same data."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from pathlib import Path

import lmdb
import numpy as np
import pytest

from tests.data.encoded import encoded, pixels, write_zip
from wgpipe.cli import main
from wgpipe.data import dataset, lsun_bedroom
from wgpipe.data.lsun_bedroom import LsunBedroom, room
from wgpipe.data.prepared import load
from wgpipe.errors import UserError

NAME = "lsun_bedroom-64x64-4"
KEYS = [hashlib.sha1(bytes([number])).hexdigest() for number in range(7)]
PICTURES = {key: encoded(pixels(64 + number, 80, number)) for number, key in enumerate(KEYS)}


def write_lmdb(folder: Path) -> None:
    with lmdb.open(str(folder / "bedroom_train_lmdb"), map_size=1 << 24) as place, place.begin(write=True) as all_:
        for key, content in PICTURES.items():
            all_.put(key.encode(), content)


def write_folder(folder: Path) -> None:
    for key, content in PICTURES.items():
        file = folder / "lsun_bedroom" / key[0] / key[1] / f"{key}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    (folder / "lsun_bedroom" / "about.txt").write_text("not a picture")


def write_archive(folder: Path) -> None:
    write_zip(folder / "lsun_bedroom.zip", {f"data0/{key[0]}/{key}.png": c for key, c in PICTURES.items()})


PLACES = {"lmdb": write_lmdb, "folder": write_folder, "zip": write_archive}


@pytest.fixture
def by_hand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(LsunBedroom, "test", 2)
    folder = tmp_path / "by hand"
    folder.mkdir()
    return folder


def run(by_hand: Path, name: str = NAME) -> int:
    return fetch(by_hand, name) or prepare(by_hand, name)


def fetch(by_hand: Path, name: str = NAME) -> int:
    downloads = str(by_hand.parent / "downloads")
    return main(["fetch", name, "--file", "lsun_bedroom.json", "--out", downloads, "--placed", str(by_hand)])


def prepare(by_hand: Path, name: str = NAME) -> int:
    return main(
        ["prepare", name, "--downloads", str(by_hand.parent / "downloads"), "--out", str(by_hand.parent / "data")]
    )


def refused(by_hand: Path, capsys: pytest.CaptureFixture[str], reason: str, name: str = NAME) -> None:
    capsys.readouterr()
    assert run(by_hand, name) == 2
    [message] = [line for line in capsys.readouterr().err.splitlines() if line.startswith("wgpipe:")]
    assert re.search(reason, message), message
    data = by_hand.parent / "data"
    assert not data.exists() or [file for file in data.rglob("*") if file.is_file()] == []


@pytest.mark.parametrize("write", PLACES.values(), ids=PLACES.keys())
def test_pictures_are_taken_in_the_order_of_their_keys(by_hand: Path, write: Callable[[Path], None]) -> None:
    write(by_hand)
    assert run(by_hand) == 0
    card, arrays = load(by_hand.parent / "data")
    assert (card.train_size, card.test_size, card.shape) == (4, 2, (3, 64, 64))
    both = np.concatenate([arrays["test"], arrays["train"]])
    np.testing.assert_array_equal(both, [room(PICTURES[key], "") for key in sorted(KEYS)[:6]])
    assert (both.dtype, len(arrays["test"])) == (np.uint8, 2)


def test_the_record_has_size_and_sha256_of_first_use(by_hand: Path) -> None:
    write_archive(by_hand)
    assert run(by_hand) == 0
    content = (by_hand / "lsun_bedroom.zip").read_bytes()
    assert json.loads((by_hand.parent / "downloads" / "lsun_bedroom.json").read_text()) == {
        "path": str(by_hand / "lsun_bedroom.zip"),
        "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
    }


@pytest.mark.parametrize("verb", [run, prepare])
def test_other_data_than_on_first_use_are_refused(
    by_hand: Path, capsys: pytest.CaptureFixture[str], verb: Callable[[Path], int]
) -> None:
    write_folder(by_hand)
    assert run(by_hand) == 0
    [first, *_] = sorted((by_hand / "lsun_bedroom").rglob("*.png"))
    first.write_bytes(encoded(pixels(64, 64, 99)))
    assert verb(by_hand) == 2
    assert re.search(
        r"has \d+ bytes and sha256 \w{64}, but had \d+ bytes and sha256 \w{64} on first use; put the old data back",
        capsys.readouterr().err,
    )


def test_the_first_use_outlives_its_record_which_a_forced_rerun_deletes(
    by_hand: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_archive(by_hand)
    assert fetch(by_hand) == 0
    archive, record = by_hand / "lsun_bedroom.zip", by_hand.parent / "downloads" / "lsun_bedroom.json"
    kept = record.parent / "first_use" / record.name
    old, before = archive.read_bytes(), kept.read_bytes()
    new = old + b"\0"
    archive.write_bytes(new)
    record.unlink()
    assert fetch(by_hand) == 2
    [message] = capsys.readouterr().err.splitlines()
    assert f"{len(new)} bytes and sha256 {hashlib.sha256(new).hexdigest()}" in message
    assert f"had {len(old)} bytes and sha256 {hashlib.sha256(old).hexdigest()} on first use" in message
    assert not record.exists()
    assert kept.read_bytes() == before
    kept.unlink()
    assert fetch(by_hand) == 0
    assert record.read_bytes() == kept.read_bytes() != before


def test_reading_an_lmdb_does_not_change_what_it_is(by_hand: Path) -> None:
    write_lmdb(by_hand)
    assert run(by_hand) == 0
    with lmdb.open(str(by_hand / "bedroom_train_lmdb"), readonly=True) as place, place.begin() as reader:
        assert reader.stat()["entries"] == len(KEYS)
    assert run(by_hand) == 0


def test_without_any_it_says_what_may_be_placed(by_hand: Path, capsys: pytest.CaptureFixture[str]) -> None:
    refused(
        by_hand,
        capsys,
        r"not there; download bedroom_train_lmdb or lsun_bedroom or lsun_bedroom\.zip by hand, from https",
    )
    assert list(by_hand.parent.iterdir()) == [by_hand]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (encoded(pixels(63, 90)), "has 90×63 pixels; accepted: at least 64 a side"),
        (encoded(pixels(64, 64)[:, :, 0]), r"is grey \(mode L\)"),
        (PICTURES[KEYS[0]][:2000], "cannot be read as a picture"),
    ],
)
def test_another_picture_is_refused_by_its_name(
    by_hand: Path, capsys: pytest.CaptureFixture[str], content: bytes, reason: str
) -> None:
    write_folder(by_hand)
    key = sorted(KEYS)[3]
    (by_hand / "lsun_bedroom" / key[0] / key[1] / f"{key}.png").write_bytes(content)
    refused(by_hand, capsys, rf"lsun_bedroom: {key[0]}/{key[1]}/{key}\.png {reason}")


@pytest.mark.parametrize("keep", [50, -20])
def test_a_truncated_archive_is_refused(by_hand: Path, capsys: pytest.CaptureFixture[str], keep: int) -> None:
    write_archive(by_hand)
    file = by_hand / "lsun_bedroom.zip"
    file.write_bytes(file.read_bytes()[:keep])
    refused(by_hand, capsys, r"lsun_bedroom\.zip cannot be read .*it is truncated or damaged")


def test_a_damaged_member_is_refused(by_hand: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_archive(by_hand)
    file = by_hand / "lsun_bedroom.zip"
    content = file.read_bytes()
    file.write_bytes(content[:200] + bytes(50) + content[250:])
    refused(by_hand, capsys, r"lsun_bedroom\.zip cannot be read \(Bad CRC-32")


def test_a_damaged_lmdb_is_refused(by_hand: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_lmdb(by_hand)
    (by_hand / "bedroom_train_lmdb" / "data.mdb").write_bytes(bytes(8192))
    refused(by_hand, capsys, "bedroom_train_lmdb cannot be read")


def test_a_member_that_leads_out_is_refused(by_hand: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_zip(by_hand / "lsun_bedroom.zip", {"/x.png": b""})
    refused(by_hand, capsys, "holds '/x.png', which leads out of its folder")


def test_too_few_pictures_come_with_the_name_that_fits(by_hand: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_folder(by_hand)
    reason = r"holds 7 pictures, and lsun_bedroom-64x64-6 needs 8; accepted: lsun_bedroom-64x64-5, or smaller\."
    refused(by_hand, capsys, reason, "lsun_bedroom-64x64-6")


def test_preparing_goes_on_where_it_was_cut_off(by_hand: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_folder(by_hand)
    read = []

    def cut_off(content: bytes, name: str) -> np.ndarray:
        if len(read) == 4:
            raise KeyboardInterrupt
        read.append(Path(name).stem)
        return room(content, name)

    monkeypatch.setattr(lsun_bedroom, "room", cut_off)
    with pytest.raises(KeyboardInterrupt):
        run(by_hand)
    read.clear()
    assert run(by_hand) == 0
    assert read == sorted(KEYS)[4:6]


def test_the_middle_square_is_reduced() -> None:
    array = np.zeros((128, 256, 3), dtype=np.uint8)
    array[:, 64:192] = (10, 20, 30)
    expected = np.broadcast_to(np.array([10, 20, 30])[:, None, None], (3, 64, 64))
    np.testing.assert_array_equal(room(encoded(array), "x").reshape(3, 64, 64), expected)


def test_names_say_how_many_pictures() -> None:
    assert dataset("lsun_bedroom-64x64").card().train_size == 3_023_042
    assert dataset("lsun_bedroom-64x64-290000").card().train_size == 290_000
    for name in ("lsun_bedroom", "lsun_bedroom-32x32", "lsun_bedroom-64x64-0", "lsun_bedroom-64x64-3023043"):
        with pytest.raises(UserError, match=f"dataset '{name}' is unknown; accepted: lsun_bedroom-64x64, or"):
            dataset(name)

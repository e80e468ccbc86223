"""CelebA from an archive of the publisher's form, with a few pictures."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import numpy as np
import pytest

from tests.data.encoded import encoded, pixels, write_zip
from wgpipe.cli import main
from wgpipe.data import celeba
from wgpipe.data.celeba import CelebA, face
from wgpipe.data.prepared import load
from wgpipe.errors import UserError

CODES = "0120011200"  # of ten pictures
COUNTS = {"train": 5, "test": 2}
TEST = ["000003.jpg", "000008.jpg"]


def picture(number: int) -> bytes:
    return encoded(pixels(218, 178, number), "jpeg")


@pytest.fixture
def by_hand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with both files, which are those that the publisher's checksums say."""
    folder = tmp_path / "by hand"
    folder.mkdir()
    names = [f"{number:06}.jpg" for number in range(1, 11)]
    (folder / "list_eval_partition.txt").write_text("".join(f"{n} {c}\n" for n, c in zip(names, CODES, strict=True)))
    write_zip(
        folder / "img_align_celeba.zip",
        {"img_align_celeba/": b"", **{f"img_align_celeba/{name}": picture(i) for i, name in enumerate(names, 1)}},
    )
    monkeypatch.setattr(CelebA, "counts", COUNTS)
    publish(folder, monkeypatch)
    return folder


def publish(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for constant in ("PICTURES", "PARTITION"):
        source = getattr(celeba, constant)
        md5 = hashlib.md5((folder / source.urls[0].removeprefix("placed:")).read_bytes()).hexdigest()
        monkeypatch.setattr(celeba, constant, type(source)(source.file, source.urls, md5=md5, page=source.page))


def run(by_hand: Path) -> int:
    """Fetch both files and prepare, as the workflow does; the first code that is not 0."""
    folder = by_hand.parent
    for file in ("img_align_celeba.zip", "list_eval_partition.txt"):
        fetch = ["fetch", "celeba-64x64", "--file", file, "--out", str(folder / "downloads")]
        if code := main([*fetch, "--placed", str(by_hand)]):
            return code
    out = ["--downloads", str(folder / "downloads"), "--out", str(folder / "data")]
    return main(["prepare", "celeba-64x64", *out])


def test_pictures_of_both_splits_are_prepared_in_order(by_hand: Path) -> None:
    assert run(by_hand) == 0
    data = by_hand.parent / "data"
    card, arrays = load(data)
    assert card.shape == (3, 64, 64)
    assert {name: (a.shape, a.dtype) for name, a in arrays.items()} == {
        "train": ((5, 12288), np.uint8),
        "test": ((2, 12288), np.uint8),
    }
    for row, number in zip(arrays["test"], (3, 8), strict=True):
        np.testing.assert_array_equal(row, face(picture(number), ""))
    assert sorted(path.name for path in data.iterdir()) == ["card.json", "data.npz", "provenance.json"]
    assert (by_hand.parent / "downloads" / "img_align_celeba.zip").is_symlink()


def test_a_face_is_the_reduced_middle(by_hand: Path) -> None:
    """Colour by colour; the cut is 108 pixels a side, and outside of it nothing counts."""
    array = np.zeros((218, 178, 3), dtype=np.uint8)
    array[55:163, 35:143] = (10, 20, 30)
    row = face(encoded(array), "x").reshape(3, 64, 64)
    np.testing.assert_array_equal(row, np.broadcast_to(np.array([10, 20, 30])[:, None, None], (3, 64, 64)))
    ramp = np.broadcast_to(np.arange(178, dtype=np.uint8)[None, :, None], (218, 178, 3))
    centres = 35 + (np.arange(64) + 0.5) * 108 / 64 - 0.5
    inside = face(encoded(np.ascontiguousarray(ramp)), "x").reshape(3, 64, 64)[:, :, 1:-1]
    np.testing.assert_allclose(inside, np.broadcast_to(centres[1:-1], inside.shape), atol=0.51)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (encoded(pixels(218, 179)), "has 179×218 pixels; accepted: 178×218, width by height"),
        (encoded(pixels(218, 178)[:, :, 0]), r"is grey \(mode L\); accepted: colour pictures of mode RGB"),
        (picture(1)[:3000], "cannot be read as a picture"),
        (b"", "cannot be read as a picture"),
    ],
)
def test_another_picture_is_refused_by_its_name(
    by_hand: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], content: bytes, reason: str
) -> None:
    names = [f"img_align_celeba/{number:06}.jpg" for number in range(1, 11)]
    members = {name: picture(i) for i, name in enumerate(names, 1)}
    write_zip(by_hand / "img_align_celeba.zip", {**members, "img_align_celeba/000005.jpg": content})
    publish(by_hand, monkeypatch)
    refused(by_hand, capsys, rf"img_align_celeba\.zip: img_align_celeba/000005\.jpg {reason}")


def refused(by_hand: Path, capsys: pytest.CaptureFixture[str], reason: str) -> None:
    """With one sentence, and nothing is left of the data."""
    capsys.readouterr()
    assert run(by_hand) == 2
    message = [line for line in capsys.readouterr().err.splitlines() if line.startswith("wgpipe:")]
    assert len(message) == 1
    assert re.search(reason, message[0]), message[0]
    data = by_hand.parent / "data"
    assert not data.exists() or [file for file in data.rglob("*") if file.is_file()] == []


def test_a_picture_that_lacks_is_named(
    by_hand: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_zip(by_hand / "img_align_celeba.zip", {"img_align_celeba/000001.jpg": picture(1)})
    publish(by_hand, monkeypatch)
    refused(by_hand, capsys, r"lacks 6 of 7 pictures, such as img_align_celeba/000003\.jpg")


@pytest.mark.parametrize("keep", [100, -30])
def test_a_truncated_archive_is_refused_by_its_checksum_first(
    by_hand: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], keep: int
) -> None:
    archive = by_hand / "img_align_celeba.zip"
    archive.write_bytes(archive.read_bytes()[:keep])
    refused(by_hand, capsys, r"has the wrong md5, expected \w{32}, found \w{32}")
    publish(by_hand, monkeypatch)
    refused(by_hand, capsys, r"img_align_celeba\.zip cannot be read .*it is truncated or damaged")


def test_a_member_that_leads_out_is_refused(
    by_hand: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_zip(by_hand / "img_align_celeba.zip", {"../evil.jpg": picture(1)})
    publish(by_hand, monkeypatch)
    refused(by_hand, capsys, r"holds '\.\./evil\.jpg', which leads out of its folder")


@pytest.mark.parametrize("file", ["img_align_celeba.zip", "list_eval_partition.txt"])
def test_a_file_that_is_not_there_comes_with_what_to_do(
    by_hand: Path, capsys: pytest.CaptureFixture[str], file: str
) -> None:
    (by_hand / file).unlink()
    refused(by_hand, capsys, rf"not there; download {file} by hand, from https://mmlab.*, into .*by hand")


def test_without_a_folder_it_says_what_to_set(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fetch = ["fetch", "celeba-64x64", "--file", "img_align_celeba.zip", "--out", str(tmp_path)]
    assert main(fetch) == 2
    assert "into the folder that 'placed' in the configuration names" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("000001.jpg 0\n", r"lists {'train': 1, 'test': 0} pictures; accepted: {'train': 5, 'test': 2}"),
        ("000001.jpg 0\n000002.jpg 3\n", r"line 2: '000002\.jpg 3'; accepted: a name and 0, 1 or 2"),
    ],
)
def test_another_partition_is_refused(
    by_hand: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], content: str, reason: str
) -> None:
    (by_hand / "list_eval_partition.txt").write_text(content)
    publish(by_hand, monkeypatch)
    refused(by_hand, capsys, reason)


def test_a_placed_file_that_changes_later_is_noticed(by_hand: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(by_hand) == 0
    (by_hand / "list_eval_partition.txt").write_text("000001.jpg 0\n")
    folder = by_hand.parent
    out = ["--downloads", str(folder / "downloads"), "--out", str(folder / "data")]
    assert main(["prepare", "celeba-64x64", *out]) == 2
    assert "list_eval_partition.txt has the wrong md5" in capsys.readouterr().err


def test_preparing_goes_on_where_it_was_cut_off(by_hand: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read = []

    def cut_off(content: bytes, name: str) -> np.ndarray:
        if len(read) == 4:
            raise KeyboardInterrupt
        read.append(name.rpartition("/")[2])
        return face(content, name)

    monkeypatch.setattr(celeba, "face", cut_off)
    with pytest.raises(KeyboardInterrupt):
        run(by_hand)
    first, read[:] = list(read), []
    assert run(by_hand) == 0
    assert first == ["000001.jpg", "000004.jpg", "000005.jpg", "000009.jpg"]
    assert read == ["000010.jpg", *TEST]
    _, arrays = load(by_hand.parent / "data")
    np.testing.assert_array_equal(arrays["train"][1], face(picture(4), ""))


def test_there_is_one_size() -> None:
    with pytest.raises(UserError, match="accepted: celeba-64x64"):
        CelebA.from_name("celeba")

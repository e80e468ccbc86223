"""Records of files that have no published checksum."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from wgpipe.errors import UserError
from wgpipe.placed import check, measured, record, sha256

URLS = ("placed:first", "placed:second")


def test_the_first_that_is_there_is_recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "second").write_bytes(b"abc")
    file = record(URLS, "", Path("~"), tmp_path / "new" / "record.json")
    assert check(file) == tmp_path / "second"
    assert sha256(file) == hashlib.sha256(b"abc").hexdigest()


def test_a_folder_is_known_by_names_and_contents_in_any_order(tmp_path: Path) -> None:
    for name, files in {"a": ["x", "y/z"], "b": ["y/z", "x"], "c": ["x", "y_z"], "d": ["x"]}.items():
        for file in files:
            path = tmp_path / name / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(file[-1].encode())
    found = {name: measured(tmp_path / name) for name in "abcd"}
    assert found["a"] == found["b"]
    assert found["a"]["bytes"] == 2
    assert len({one["sha256"] for one in found.values()}) == 3


def test_the_same_data_may_move_and_other_data_may_not_take_their_place(tmp_path: Path) -> None:
    file = tmp_path / "record.json"
    for place in ("old", "new"):
        (tmp_path / place).mkdir()
        (tmp_path / place / "first").write_bytes(b"abc")
        record(URLS, "", tmp_path / place, file)
        assert check(file) == tmp_path / place / "first"
    (tmp_path / "old" / "first").write_bytes(b"abd")
    before = file.read_text()
    with pytest.raises(UserError, match=r"old/first has 3 bytes .*, but had 3 bytes .* on first use"):
        record(URLS, "", tmp_path / "old", file)
    assert file.read_text() == before


def test_data_that_are_gone_are_named(tmp_path: Path) -> None:
    (tmp_path / "first").write_bytes(b"abc")
    file = record(URLS, "", tmp_path, tmp_path / "record.json")
    (tmp_path / "first").unlink()
    with pytest.raises(UserError, match=r"record\.json records .*first, which is not there; put it back"):
        check(file)
    with pytest.raises(UserError, match=r"not there; download first or second by hand, from page, into "):
        record(URLS, "page", tmp_path, file)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"path": "x"}'])
def test_something_else_is_no_record(tmp_path: Path, content: str) -> None:
    file = tmp_path / "record.json"
    file.write_text(content)
    with pytest.raises(UserError, match=r"record\.json is not a record of placed files; delete it"):
        check(file)

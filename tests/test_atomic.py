"""A file is there as a whole, or not at all."""

from __future__ import annotations

import errno
from pathlib import Path
from types import SimpleNamespace

import pytest

from wgpipe.atomic import atomic
from wgpipe.dag import Dag
from wgpipe.errors import UserError


def test_a_write_that_fails_leaves_what_was_there(tmp_path: Path) -> None:
    file = tmp_path / "x"
    file.write_text("before")
    with pytest.raises(ValueError, match="invalid literal"), atomic(file) as path:
        int(str(path.write_text("half")) + "?")
    assert list(tmp_path.iterdir()) == [file]
    assert file.read_text() == "before"


def test_an_error_of_a_library_on_a_full_disk_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=0))
    with pytest.raises(OSError, match="No space left") as found, atomic(tmp_path / "x"):
        raise ValueError("serializing failed")
    assert (found.value.errno, found.value.filename) == (errno.ENOSPC, str(tmp_path / "x"))


def test_a_run_does_not_begin_on_a_full_disk(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=0))
    with pytest.raises(UserError, match="is full: make room, and start again"):
        Dag.open([], {"scale": "smoke"}, main_process=True)

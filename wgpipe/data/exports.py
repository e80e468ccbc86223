"""Many encoded pictures in one place: a .zip file, a folder, or an lmdb. Each is read in place, one by one."""

from __future__ import annotations

import zipfile
import zlib
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol

from wgpipe.data.archives import check_names, damaged
from wgpipe.errors import UserError

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")


class Pictures(AbstractContextManager["Pictures"], Protocol):
    """Names of pictures, in the order of the place, and what each holds."""

    names: list[str]

    def read(self, name: str) -> bytes:
        """Encoded content; `UserError` if it cannot be read."""


class ZipPictures(Pictures):
    """Of a .zip file; `UserError` if it is damaged or has a member that leads out of its folder."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self.archive = zipfile.ZipFile(path)
        except (zipfile.BadZipFile, EOFError, OSError) as error:
            raise damaged(path, error) from None
        names = self.archive.namelist()
        check_names(path, names)
        self.names = [name for name in names if name.lower().endswith(SUFFIXES)]

    def __exit__(self, *_: object) -> None:
        self.archive.close()

    def read(self, name: str) -> bytes:
        try:
            return self.archive.read(name)
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError) as error:
            raise damaged(self.path, error) from None


class FolderPictures(Pictures):
    """Of a folder and the folders in it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        found = (file for file in path.rglob("*") if file.name.lower().endswith(SUFFIXES) and file.is_file())
        self.names = [file.relative_to(path).as_posix() for file in found]

    def __exit__(self, *_: object) -> None:
        """Nothing is open."""

    def read(self, name: str) -> bytes:
        try:
            return (self.path / name).read_bytes()
        except OSError as error:
            raise UserError(f"{self.path / name} cannot be read ({error.strerror}).") from None


class LmdbPictures(Pictures):
    """Of an lmdb, whose keys are the names; `UserError` if it is damaged, or where package lmdb is not installed."""

    def __init__(self, path: Path) -> None:
        try:
            import lmdb
        except ImportError:
            raise UserError(f"{path} is an lmdb; install the package lmdb, or export its pictures.") from None
        self.path = path
        self.error: type[Exception] = lmdb.Error
        try:
            self.environment: Any = lmdb.open(str(path), readonly=True, lock=False, readahead=False)
            with self.environment.begin() as transaction:
                keys = transaction.cursor().iternext(keys=True, values=False)
                self.names = [key.decode("ascii", errors="replace") for key in keys]
        except lmdb.Error as error:
            raise damaged(path, error) from None

    def __exit__(self, *_: object) -> None:
        self.environment.close()

    def read(self, name: str) -> bytes:
        try:
            with self.environment.begin() as transaction:
                return bytes(transaction.get(name.encode("ascii"), default=b""))
        except self.error as error:
            raise damaged(self.path, error) from None


def pictures(path: Path) -> Pictures:
    """Of whichever kind of place this is; `UserError` if it is none."""
    if (path / "data.mdb").is_file():
        return LmdbPictures(path)
    return FolderPictures(path) if path.is_dir() else ZipPictures(path)

"""Files that a person downloads, since their hosts do not let a program: where they lie, and what they were at first.

A file with a published checksum is checked by it. Of others, a record of path, size and sha256 is written on first use,
and nothing that differs from it is taken for the same data later. It stands twice: where rules look for it, and below
`first_use`, which no rule writes or deletes, so that it outlives a forced rerun.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from wgpipe import hashes
from wgpipe.atomic import atomic
from wgpipe.errors import UserError

PLACED = "placed:"
FIRST_USE = "first_use"


def located(url: str, folder: Path | None) -> Path | None:
    """`placed:x.zip` -> the file or folder of that name among the placed ones, if it is there."""
    path = None if folder is None else folder.expanduser().resolve() / url.removeprefix(PLACED)
    return path if path is not None and path.exists() else None


def advice(urls: tuple[str, ...], page: str, folder: Path | None) -> str:
    """What a person has to do if none of these files is there."""
    names = " or ".join(url.removeprefix(PLACED) for url in urls)
    where = "the folder that 'placed' in the configuration names" if folder is None else str(folder)
    return f"not there; download {names} by hand, from {page}, into {where}"


def record(urls: tuple[str, ...], page: str, folder: Path | None, file: Path) -> Path:
    """Write path, size and sha256 of the first of these that is there to `file`, if they are those of the first use.

    Raises `UserError` if none is there, or if it is not what was recorded on first use.
    """
    found = [path for url in urls if (path := located(url, folder))]
    if not found:
        raise UserError(f"What {file} records is {advice(urls, page, folder)}.")
    facts = {"path": str(found[0]), **measured(found[0])}
    first = first_use(file)
    if first.is_file():
        _same(_facts(first), facts, file)
    first.parent.mkdir(parents=True, exist_ok=True)
    for target in (first, file):
        with atomic(target) as path:
            path.write_text(json.dumps(facts, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return file


def first_use(file: Path) -> Path:
    """Where a record is kept for good."""
    return file.parent / FIRST_USE / file.name


def check(file: Path) -> Path:
    """Where the recorded data lie; `UserError` if they are gone or not what they were on first use."""
    recorded = _facts(file)
    path = Path(recorded["path"])
    if not path.exists():
        raise UserError(f"{file} records {path}, which is not there; put it back, or fetch it again from where it is.")
    _same(recorded, {"path": str(path), **measured(path)}, file)
    return path


def measured(path: Path) -> dict[str, Any]:
    """Size in bytes and sha256 of a file; of a folder: sum of sizes, and sha256 of names and sha256 of its files.

    Of a folder with an lmdb only `data.mdb` counts, since its lock file changes whenever it is read.
    """
    if path.is_file():
        return {"bytes": path.stat().st_size, "sha256": hashes.sha256(path)}
    if (path / "data.mdb").is_file():
        return measured(path / "data.mdb")
    digest, size = hashlib.sha256(), 0
    for name in sorted(item.relative_to(path).as_posix() for item in path.rglob("*") if item.is_file()):
        one = measured(path / name)
        digest.update(f"{name}\0{one['sha256']}\n".encode())
        size += one["bytes"]
    return {"bytes": size, "sha256": digest.hexdigest()}


def sha256(file: Path) -> str:
    """What a record says, without looking at the data."""
    return str(_facts(file)["sha256"])


def _facts(file: Path) -> dict[str, Any]:
    try:
        facts = json.loads(file.read_text(encoding="utf-8"))
        return {key: facts[key] for key in ("path", "bytes", "sha256")}
    except (OSError, ValueError, KeyError, TypeError):
        raise UserError(f"{file} is not a record of placed files; delete it.") from None


def _same(first: dict[str, Any], now: dict[str, Any], file: Path) -> None:
    if (first["bytes"], first["sha256"]) != (now["bytes"], now["sha256"]):
        raise UserError(
            f"{now['path']} has {now['bytes']} bytes and sha256 {now['sha256']}, but had {first['bytes']} bytes and"
            f" sha256 {first['sha256']} on first use; put the old data back, or delete {file} and {first_use(file)} to"
            " use the new."
        )

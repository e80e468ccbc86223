"""The manifest of a results folder: which files it holds, with the sha256 of each, independent of .snakemake."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wgpipe.atomic import atomic
from wgpipe.errors import UserError

MANIFEST = "manifest.json"
# What a clock or a machine decides lies beside the results and is no part of them.
LEFT_OUT = ("*.log", "cost.json", "checkpoint.safetensors", "report.html", ".*", MANIFEST)


@dataclass(frozen=True, order=True)
class Difference:
    """A file that is not as the manifest says."""

    file: str
    what: str  # changed, missing or unlisted

    def __str__(self) -> str:
        return f"{self.file} is {self.what}"


def write_manifest(folder: Path) -> Path:
    """manifest.json of all results below `folder`, with the sha256 of its own list, so that none changes unseen."""
    if not folder.is_dir():
        raise UserError(f"{folder} is no folder; give one of results, such as results/quick.")
    files = {name: {"bytes": (folder / name).stat().st_size, "sha256": sha256(folder / name)} for name in _held(folder)}
    manifest = folder / MANIFEST
    with atomic(manifest) as path:
        path.write_text(json.dumps({"sha256": _of_list(files), "files": files}, indent=1) + "\n", encoding="utf-8")
    return manifest


def read_manifest(folder: Path) -> dict[str, dict[str, Any]]:
    """Bytes and sha256 by file; `UserError` if there is no manifest or if it was changed."""
    manifest = folder / MANIFEST
    if not manifest.is_file():
        raise UserError(f"{manifest} does not exist; `wgpipe audit manifest {folder}` writes one.")
    try:
        content = json.loads(manifest.read_bytes())
        files: dict[str, dict[str, Any]] = content["files"]
        whole = content == {"sha256": _of_list(files), "files": files}
    except (ValueError, TypeError, KeyError):
        whole = False
    if not whole:
        raise UserError(f"{manifest} was changed: its list of files does not have the sha256 that it states.")
    return files


def differences(folder: Path) -> list[Difference]:
    """Files that changed, are missing or are not listed, by name; empty: the folder is what its manifest says."""
    listed, held = read_manifest(folder), set(_held(folder))
    return sorted(
        [Difference(name, "missing") for name in listed.keys() - held]
        + [Difference(name, "unlisted") for name in held - listed.keys()]
        + [
            Difference(name, "changed")
            for name in listed.keys() & held
            if sha256(folder / name) != listed[name]["sha256"]
        ]
    )


def sha256(file: Path) -> str:
    """Of a file's bytes."""
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _held(folder: Path) -> Iterator[str]:
    """Names of all results below a folder, in order, with slashes."""
    for path in sorted(folder.rglob("*")):
        relative = path.relative_to(folder)
        hidden = any(part.startswith(".") for part in relative.parts)
        if path.is_file() and not hidden and not any(path.match(pattern) for pattern in LEFT_OUT):
            yield relative.as_posix()


def _of_list(files: dict[str, dict[str, Any]]) -> str:
    return hashlib.sha256(json.dumps(files, sort_keys=True).encode()).hexdigest()

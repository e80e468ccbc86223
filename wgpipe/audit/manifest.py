"""The manifest of a results folder: which files it holds, with the sha256 of each, independent of .snakemake.

The manifest states the sha256 of its own list and is written in one form only, so that no byte of it changes unseen.
Who changes a file *and* its line and that sum leaves no trace in the folder: against this stands the sum itself, the
folder's `digest`, written down elsewhere (`wgpipe audit verify --digest`), what the records of the runs say about each
other (`records.py`), and training again (`rerun.py`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from wgpipe.atomic import atomic
from wgpipe.errors import UserError
from wgpipe.hashes import sha256

MANIFEST = "manifest.json"
# What a clock or a machine decides lies beside the results and is no part of them.
LEFT_OUT = (
    "*.log",
    "cost.json",
    "provenance.json",
    "*.provenance.json",
    "checkpoint.safetensors",
    "report.html",
    ".*",
    MANIFEST,
)

Problem = Literal[
    "changed", "missing", "unlisted", "an orphan", "inconsistent", "of other code", "of other data", "a link or no file"
]


@dataclass(frozen=True, order=True)
class Finding:
    """A file that is not as it should be."""

    file: str
    what: Problem
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.file} is {self.what}" + (f": {self.detail}" if self.detail else "")


def write_manifest(folder: Path) -> Path:
    """manifest.json of all results below `folder`, with the sha256 of its own list, so that none changes unseen."""
    if not folder.is_dir():
        raise UserError(f"{folder} is no folder; give one of results, such as results/quick.")
    files = {name: {"bytes": (folder / name).stat().st_size, "sha256": sha256(folder / name)} for name in held(folder)}
    manifest = folder / MANIFEST
    with atomic(manifest) as path:
        path.write_text(written(files), encoding="utf-8")
    return manifest


def written(files: Mapping[str, Mapping[str, Any]], left_out: Sequence[str] = ()) -> str:
    """The text of a manifest; `left_out` are listed files that a copy of the folder goes without."""
    gone = {"left_out": sorted(left_out)} if left_out else {}
    return json.dumps({"sha256": digest(files), **gone, "files": files}, indent=1) + "\n"


def read_manifest(folder: Path) -> dict[str, dict[str, Any]]:
    """Bytes and sha256 by file; `UserError` if there is no manifest or if it was changed."""
    return _read(folder)[0]


def left_out(folder: Path) -> list[str]:
    """Listed files that this copy of a folder goes without, as its manifest says; likewise."""
    return _read(folder)[1]


def digest(files: Mapping[str, Mapping[str, Any]]) -> str:
    """sha256 of a manifest's list: one number for a whole folder."""
    return hashlib.sha256(json.dumps(files, sort_keys=True).encode()).hexdigest()


def hashes(folder: Path) -> dict[str, str]:
    """sha256 of every result below a folder, by name."""
    return {name: sha256(folder / name) for name in held(folder)}


def differences(folder: Path, found: Mapping[str, str] | None = None) -> list[Finding]:
    """Files that changed, are missing or are not listed, by name; empty: the folder is what its manifest says.

    `found` are the folder's `hashes`, where they are known already.
    """
    listed, gone = _read(folder)
    present = hashes(folder) if found is None else found
    return sorted(
        [Finding(name, "missing") for name in listed.keys() - present.keys() - set(gone)]
        + [Finding(name, "unlisted") for name in present.keys() - listed.keys()]
        + [
            Finding(name, "changed")
            for name in listed.keys() & present.keys()
            if present[name] != listed[name]["sha256"]
        ]
    )


def held(folder: Path) -> Iterator[str]:
    """Names of all results below a folder, in order, with slashes."""
    for path in sorted(folder.rglob("*")):
        relative = path.relative_to(folder)
        hidden = any(part.startswith(".") for part in relative.parts)
        if (
            path.is_file()
            and not path.is_symlink()
            and not hidden
            and not any(path.match(pattern) for pattern in LEFT_OUT)
        ):
            yield relative.as_posix()


def _read(folder: Path) -> tuple[dict[str, dict[str, Any]], list[str]]:
    manifest = folder / MANIFEST
    if not manifest.is_file():
        raise UserError(f"{manifest} does not exist; `wgpipe audit manifest {folder}` writes one.")
    try:
        text = manifest.read_bytes().decode()
        content = json.loads(text)
        files: dict[str, dict[str, Any]] = content["files"]
        gone: list[str] = content.get("left_out", [])
        whole = text == written(files, gone) and files.keys() >= set(gone)
        whole = whole and all(isinstance(entry["sha256"], str) for entry in files.values())
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
        whole = False
    if not whole:
        raise UserError(f"{manifest} was changed: its list of files does not have the sha256 that it states.")
    return files, gone

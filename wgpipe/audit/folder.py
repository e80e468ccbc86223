"""A results folder wherever it lies: the grid that its own configuration asks for, with all paths below it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from wgpipe.audit.fingerprint import PACKAGE
from wgpipe.dag import Dag
from wgpipe.errors import UserError
from wgpipe.grid import RESOLVED
from wgpipe.resolve import OWN_KINDS, Resolved

CRATE = "ro-crate-metadata.json"  # at the root of an archive
OWN = "own"  # folder of an archive with the user's files that lay outside the project


class NoGridError(UserError):
    """A folder does not say what it should hold, in a way that this version understands."""


def open_folder(folder: Path, trusted: bool | None = None) -> Dag:
    """The grid that `folder`/config asks for; `NoGridError` says why there is none.

    The user's own pieces are looked for where the configuration says, then beside the folder's project. Their code runs
    only if the folder is `trusted`; None: if it belongs to the project whose code runs, or to the current one.
    """
    check_links(folder)
    file = folder / "config" / RESOLVED
    if not file.is_file():
        raise NoGridError(f"{file} does not exist, so nothing says what {folder} should hold.")
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        _find_own_files(content["config"], project_of(folder))
        return Dag(Resolved.from_json(content, belongs_here(folder) if trusted is None else trusted), folder)
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError, OSError, UserError) as error:
        reason = " ".join(str(error).split())
        raise NoGridError(f"{file} cannot be used by this version of wgpipe: {reason}") from None


def belongs_here(folder: Path) -> bool:
    """Whether results lie in the project whose code runs or in the current one, and not in an archive."""
    project = project_of(folder)
    return project in (PACKAGE.parent, Path.cwd().resolve()) and not (project / CRATE).is_file()


def outside(folder: Path) -> list[str]:
    """Links and what is neither file nor folder, below a folder, with slashes: reading them may lead anywhere."""
    return sorted(
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_symlink() or not (path.is_file() or path.is_dir())
    )


def check_links(folder: Path) -> None:
    """Raise `NoGridError` for a folder that holds any of these."""
    led = outside(folder)
    if led:
        raise NoGridError(f"{folder} holds {led[0]}, which is a link or no file, so what is there may lie elsewhere.")


def project_of(folder: Path) -> Path:
    """What holds results/<scale>."""
    return folder.resolve().parents[1]


def name_in(folder: Path, path: Path | str) -> str:
    """A path below a folder as the manifest names it."""
    return Path(path).relative_to(folder).as_posix()


def _find_own_files(config: dict[str, Any], project: Path) -> None:
    for kind in OWN_KINDS:
        for name, file in (config.get(f"{kind}s") or {}).items():
            if "\0" in file:
                raise ValueError(f"'{name}' has no file")
            places = [project / file, project / OWN / Path(file).name]
            if not Path(file).expanduser().is_file():
                config[f"{kind}s"][name] = str(next((place for place in places if place.is_file()), file))

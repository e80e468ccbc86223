"""A results folder wherever it lies: the grid that its own configuration asks for, with all paths below it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from wgpipe.dag import Dag
from wgpipe.errors import UserError
from wgpipe.grid import RESOLVED
from wgpipe.resolve import OWN_KINDS, Resolved

OWN = "own"  # folder of an archive with the user's files that lay outside the project


class NoGridError(UserError):
    """A folder does not say what it should hold, in a way that this version understands."""


def open_folder(folder: Path) -> Dag:
    """The grid that `folder`/config asks for; `NoGridError` says why there is none.

    The user's own pieces are looked for where the configuration says, then beside the folder's project.
    """
    file = folder / "config" / RESOLVED
    if not file.is_file():
        raise NoGridError(f"{file} does not exist, so nothing says what {folder} should hold.")
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        _find_own_files(content["config"], project_of(folder))
        return Dag(Resolved.from_json(content), folder)
    except (ValueError, TypeError, KeyError, AttributeError, ValidationError, UserError) as error:
        reason = " ".join(str(error).split())
        raise NoGridError(f"{file} cannot be used by this version of wgpipe: {reason}") from None


def project_of(folder: Path) -> Path:
    """What holds results/<scale>."""
    return folder.resolve().parents[1]


def name_in(folder: Path, path: Path | str) -> str:
    """A path below a folder as the manifest names it."""
    return Path(path).relative_to(folder).as_posix()


def _find_own_files(config: dict[str, Any], project: Path) -> None:
    for kind in OWN_KINDS:
        for name, file in (config.get(f"{kind}s") or {}).items():
            places = [project / file, project / OWN / Path(file).name]
            if not Path(file).expanduser().is_file():
                config[f"{kind}s"][name] = str(next((place for place in places if place.is_file()), file))

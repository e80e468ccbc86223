"""Members of archives, read in place: nothing is extracted to disk, and no name that leads out of a folder is taken."""

from __future__ import annotations

import tarfile
import zlib
from collections.abc import Collection, Iterable
from pathlib import Path, PurePosixPath, PureWindowsPath

from wgpipe.errors import UserError


def read_tar(path: Path, wanted: Collection[str]) -> dict[str, bytes]:
    """Contents of these members of a .tar or .tar.gz file.

    Raises `UserError` if the file is damaged, lacks one, or holds a member that would be written outside its folder.
    """
    found: dict[str, bytes] = {}
    try:
        with tarfile.open(path) as archive:
            for member in archive:
                check_names(path, [member.name])
                if member.isfile() and member.name in wanted and (content := archive.extractfile(member)) is not None:
                    found[member.name] = content.read()
    except (tarfile.TarError, EOFError, OSError, zlib.error) as error:
        raise damaged(path, error) from None
    if missing := sorted(set(wanted) - found.keys()):
        raise UserError(f"{path} does not hold {', '.join(missing)}.")
    return found


def check_names(path: Path, names: Iterable[str]) -> None:
    """`UserError` for a member that would be written outside the folder into which the archive is extracted."""
    for name in names:
        windows = PureWindowsPath(name)
        if PurePosixPath(name).is_absolute() or windows.drive or windows.root or ".." in windows.parts:
            raise UserError(f"{path} holds '{name}', which leads out of its folder; accepted: relative paths inside.")


def damaged(path: Path, error: Exception) -> UserError:
    """What to say of an archive that cannot be read."""
    return UserError(f"{path} cannot be read ({error}); it is truncated or damaged, so fetch it again.")

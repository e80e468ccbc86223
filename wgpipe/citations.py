"""BibTeX entries of what methods, data, metrics and tools ask to be cited; they stand in `citations.bib`."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable
from pathlib import Path

from wgpipe.errors import UserError, suggestion

FILE = Path(__file__).with_name("citations.bib")
START = re.compile(r"^@\w+\{\s*(?P<key>[^,\s]+)\s*,", re.MULTILINE)


def known() -> list[str]:
    """Every citation key, sorted."""
    return sorted(_entries(FILE))


def entry(key: str, own: Iterable[Path] = ()) -> str:
    """The BibTeX entry of a key such as `gulrajani2017`; a `UserError` with a suggestion if there is none.

    What a user's `own` .py files cite may stand in a .bib file beside each, of the same name.
    """
    beside = [file.with_suffix(".bib") for file in own]
    files = [FILE, *(file for file in dict.fromkeys(beside) if file.is_file())]
    for file in files:
        if key in _entries(file):
            return _entries(file)[key]
    places = ", ".join([FILE.name, *map(str, dict.fromkeys(beside))])
    every = [known_key for file in files for known_key in _entries(file)]
    raise UserError(f"{places}: citation '{key}' is unknown{suggestion(key, every)}")


@functools.cache
def _entries(file: Path) -> dict[str, str]:
    """Keys to entries. An entry begins with `@` at the start of a line and ends with the brace that closes it."""
    text = file.read_text(encoding="utf-8")
    return {match["key"]: text[match.start() : _end(text, match, file)] for match in START.finditer(text)}


def _end(text: str, match: re.Match[str], file: Path) -> int:
    depth = 0
    for brace in re.finditer(r"[{}]", text[match.start() :]):
        depth += 1 if brace[0] == "{" else -1
        if depth == 0:
            return match.start() + brace.end()
    raise UserError(f"{file}: the entry of '{match['key']}' has no closing brace.")

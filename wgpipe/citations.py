"""BibTeX entries of what methods, data, metrics and tools ask to be cited; they stand in `citations.bib`."""

from __future__ import annotations

import functools
import re
from pathlib import Path

from wgpipe.errors import UserError, suggestion

FILE = Path(__file__).with_name("citations.bib")
ENTRY = re.compile(r"^@\w+\{(?P<key>[^,\s]+),\n.*?^\}$", re.MULTILINE | re.DOTALL)


def known() -> list[str]:
    """Every citation key, sorted."""
    return sorted(_entries())


def entry(key: str) -> str:
    """The BibTeX entry of a key such as `gulrajani2017`; a `UserError` with a suggestion if there is none."""
    if key not in _entries():
        raise UserError(f"{FILE.name}: citation '{key}' is unknown{suggestion(key, _entries())}")
    return _entries()[key]


@functools.cache
def _entries() -> dict[str, str]:
    """Keys to entries. An entry begins with `@` and ends with `}`, each at the start of a line."""
    return {match["key"]: match[0] for match in ENTRY.finditer(FILE.read_text(encoding="utf-8"))}

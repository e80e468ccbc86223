"""Names that configurations give: each becomes a folder, a file or a word of a shell line, so few characters do."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
LONGEST = 100  # characters: file systems take 255 for a name with all that is put after it


def checked(value: str) -> str:
    """The name itself; `ValueError` for one that could lead out of a folder, or that a shell would take apart."""
    if not NAME.fullmatch(value):
        raise ValueError("must be letters, digits, '_', '-' and '.', since it names a folder")
    if len(value) > LONGEST:
        raise ValueError(f"must be at most {LONGEST} characters, since it names a folder")
    return value


Name = Annotated[str, AfterValidator(checked)]

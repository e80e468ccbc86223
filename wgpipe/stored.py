"""Reading what another job has written: one sentence that names the file, if it is damaged or of another kind.

Nothing here can run code that a file brings: JSON, safetensors, parquet and CSV hold data alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from wgpipe.errors import UserError

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

Kind = Literal["name", "text", "whole", "number"]  # a text; one or nothing; an integer; any number or nothing
REMEDY = "delete it, and run the pipeline again"


@contextmanager
def reading(file: Path, remedy: str = REMEDY) -> Iterator[None]:
    """Around the reading of a file and of what must be in it: whatever a parser raises becomes a `UserError`.

    A missing file stays a `FileNotFoundError`.
    """
    try:
        yield
    except (UserError, FileNotFoundError):
        raise
    except Exception as error:  # parsers raise what they like on damaged bytes
        words = " ".join(str(error).split())
        reason = f"{type(error).__name__}: {words[:120]}" if words else type(error).__name__
        raise UserError(f"{file} is damaged or of another kind ({reason}); {remedy}.") from None


def read_json(file: Path, kinds: Mapping[str, type] = {}, remedy: str = REMEDY) -> dict[str, Any]:
    """The mapping in a file, which has at least these keys with values of these types."""
    with reading(file, remedy):
        content = json.loads(file.read_text(encoding="utf-8"))
        if not isinstance(content, dict):
            raise ValueError("it holds no mapping")
        for key, kind in kinds.items():
            if type(content.get(key)) is not kind:
                raise ValueError(f"'{key}' is no {kind.__name__}")
        return content


def read_arrays(file: Path, remedy: str = REMEDY) -> dict[str, np.ndarray]:
    """The arrays of a .safetensors file."""
    from safetensors.numpy import load_file

    with reading(file, remedy):
        arrays: dict[str, np.ndarray] = load_file(file)
        return arrays


def read_table(file: Path, columns: Mapping[str, Kind], remedy: str = REMEDY) -> pd.DataFrame:
    """A .parquet file, which has at least these columns, of these kinds."""
    import pandas as pd

    with reading(file, remedy):
        return _with_columns(pd.read_parquet(file), columns)


def read_csv(file: Path, columns: Mapping[str, Kind] = {}, remedy: str = REMEDY, **options: Any) -> pd.DataFrame:
    """A .csv file, which has at least these columns, of these kinds; `options` are those of pandas."""
    import pandas as pd

    texts = {name: str for name, kind in columns.items() if kind in ("name", "text")}
    with reading(file, remedy):
        return _with_columns(pd.read_csv(file, **{"dtype": texts, **options}), columns)


def _with_columns(table: pd.DataFrame, columns: Mapping[str, Kind]) -> pd.DataFrame:
    """Raises for a column that is not there, or has other values than its kind allows."""
    from pandas.api import types

    for name, kind in columns.items():
        if name not in table:
            raise ValueError(f"it has no column '{name}'")
        column = table[name]
        empty = not column.notna().any()
        match kind:
            case "name":
                fits = bool(column.map(lambda value: isinstance(value, str)).all())
            case "text":
                fits = bool(column.dropna().map(lambda value: isinstance(value, str)).all())
            case "whole":
                fits = types.is_integer_dtype(column) or (empty and not len(column))
            case "number":
                fits = types.is_numeric_dtype(column) or empty
        if not fits:
            raise ValueError(f"column '{name}' has values of another kind")
    return table

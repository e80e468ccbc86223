"""What the verbs that make tables and pages read: measures, and the tables that each study writes about its runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from wgpipe.errors import UserError
from wgpipe.hashes import sha256
from wgpipe.stored import Kind, read_json, read_table

MEASURED: dict[str, Kind] = {
    **dict.fromkeys(("dataset", "recipe", "status", "metric", "protocol"), "name"),
    **dict.fromkeys(("n", "seed"), "whole"),
    "value": "number",
}
FACTS: dict[str, Kind] = {"dimension": "whole", "intrinsic": "number"}  # of the data, which studies read besides
QUALITY: dict[str, dict[str, Kind]] = {
    "failures": {
        "method": "name",
        **dict.fromkeys(("runs", "missing", "diverged", "timeout", "no_value", "out_of_range"), "whole"),
    },
    "controls": {
        **dict.fromkeys(("control", "dataset", "expected", "as_expected", "reason"), "name"),
    },
    "floors": {
        **dict.fromkeys(("dataset", "recipe", "status"), "name"),
        "note": "text",
        **dict.fromkeys(("ns", "usable"), "whole"),
        **dict.fromkeys(("floor_share", "points_for_slope", "points_for_all"), "number"),
    },
}


def read_measures(files: Sequence[Path], facts: Mapping[str, Kind] = {}) -> pd.DataFrame:
    """Tables of `wgpipe measure` as one; `UserError` for one that is not what its record says, or none."""
    tables = []
    for file in files:
        table = read_table(file, {**MEASURED, **facts})
        record = file.with_suffix(".json")
        if record.is_file() and read_json(record).get("sha256", "unknown") != sha256(file):
            raise UserError(f"{file} is not what {record.name} records; delete both, and run the pipeline again.")
        tables.append(table)
    return pd.concat(tables, ignore_index=True)

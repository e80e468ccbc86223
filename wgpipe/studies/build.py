"""From measured tables to a study's folder."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from wgpipe import registry
from wgpipe.config import Study as Settings
from wgpipe.errors import UserError
from wgpipe.identity import study_code
from wgpipe.metrics.picture_file import read_pictures
from wgpipe.stored import read_json, reading
from wgpipe.studies import Study
from wgpipe.studies.claims import write_claims
from wgpipe.studies.controls import control_table
from wgpipe.studies.inputs import FACTS, read_measures
from wgpipe.studies.quality import RUN, failure_table, floor_table
from wgpipe.studies.tables import write_csv
from wgpipe.train.files import write_json

ORACLE = "oracle"


def build_study(
    study_file: Path, measures: Sequence[Path], pictures: Sequence[Path], out: Path, allow_missing: bool
) -> None:
    """Tables, figures, claims.csv, quality tables and study.json of one study, from the tables of its pairs.

    `pictures` are files of `wgpipe pictures`, of a study that draws images.

    `UserError` if runs of the grid are missing, unless that is allowed; then the log says how many there are.
    """
    settings, wanted = _asked(study_file)
    table = read_measures(measures, FACTS)
    runs = with_nulls(table.merge(wanted, on=RUN))
    found = len(runs[RUN].drop_duplicates())
    if found < len(wanted) and not allow_missing:
        raise UserError(
            f"study '{settings.study}': {found} of {len(wanted)} runs are measured; run the pipeline again,"
            " or set allow_missing: true to make tables from these."
        )
    sys.stderr.write(f"{found} of {len(wanted)} runs are measured\n")
    study: Study = registry.load("study", settings.study)()
    out.mkdir(parents=True, exist_ok=True)
    rows = study.build(settings, runs, out)
    study.draw_pictures(settings, [read_pictures(file) for file in pictures], out)
    write_claims(rows, out)
    write_csv(failure_table(settings, wanted, runs), out, "failures")
    write_csv(control_table(runs), out, "controls")
    write_csv(floor_table(settings, runs), out, "floors")
    write_json(out / "study.json", {"code": study_code(settings.study), "runs": found, "of": len(wanted)})


def _asked(file: Path) -> tuple[Settings, pd.DataFrame]:
    """A study's settings and one row for each of its runs, as `wgpipe resolve` wrote them."""
    content = read_json(file, {"study": dict, "blocks": list})
    with reading(file):
        rows = [(dataset, recipe, n, seed) for dataset, recipe, n, seeds in content["blocks"] for seed in seeds]
        wanted = pd.DataFrame(rows, columns=RUN).astype({"dataset": str, "recipe": str, "n": int, "seed": int})
        return Settings.model_validate(content["study"]), wanted


def with_nulls(table: pd.DataFrame) -> pd.DataFrame:
    """Adds `null`, the oracle's value of the same metric for the same dataset, n, seed and protocol, and `excess`."""
    keys = ["dataset", "n", "seed", "metric", "protocol"]
    oracle = table.loc[table["recipe"] == ORACLE, [*keys, "value"]].rename(columns={"value": "null"})
    joined = table.merge(oracle, on=keys, how="left", validate="many_to_one")
    joined["excess"] = joined["value"] - joined["null"]
    return joined

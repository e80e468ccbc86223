"""The claims ledger: every claim of every study in the order of the papers, beside where it is written and decided."""

from __future__ import annotations

import math
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

from wgpipe.config import Claim, Study
from wgpipe.settings import Loader, read_yaml, validated
from wgpipe.stats.estimates import Estimate
from wgpipe.stored import read_csv, read_json, reading
from wgpipe.studies.claims import ClaimRow, Standing, claim_row, read_claims
from wgpipe.studies.inputs import QUALITY
from wgpipe.studies.needs import Need, need
from wgpipe.studies.tables import number

PAPERS = (
    "capacity",
    "convex_potentials",
    "vanilla_rates",
    "univariate",
    "coulomb",
    "coulomb_images",
    "ground_truth",
)

VERDICTS: dict[Standing, str] = {
    "supported": "the whole interval agrees with the prediction",
    "contradicted": "the whole interval disagrees with the prediction; that is a result, and as welcome",
    "inconclusive": (
        "the interval reaches across the edge, or no verdict may rest on the runs: missing, few seeds, diverged (more"
        " than a tenth of the runs failed), floor (the null, or a floor of the curve, hides the rate) or unfit (a"
        " control fails, so that the protocol cannot tell)"
    ),
    "not run": "this scale leaves the claim's study out",
}
READING = (
    "Each claim was written down with its test, its band and its least number of seeds before anything ran. The"
    " estimate stands with its confidence interval, by cluster bootstrap over seeds where it is a slope or a ratio, by"
    " Wilson's or Newcombe's formula where it is a share. Where any of this was changed later, or a verdict says less"
    " than its statement, a caveat tells."
)
GRADES = (
    "Grades say how sure the statement itself is. READ: read in the paper. DERIVED: our own mathematics. RECALLED:"
    " reported from memory. CHECKED: a small numeric computation agrees. To measure: nobody promises it."
)


MARK = "†"  # behind a verdict that has a caveat
MARKED = f"{MARK} with a caveat, which stands with the claim."


@dataclass(frozen=True)
class Entry:
    """A claim with its settings, its study's title, where it is written down, and what would decide it.

    `place` is a file and line, `config/studies/vanilla_rates.yaml#L140`; `link` the same from the ledger's folder.
    """

    row: ClaimRow
    claim: Claim
    title: str
    place: str = ""
    link: str = ""
    need: Need | None = None

    @property
    def was_run(self) -> bool:
        """Whether there are files to look at."""
        return self.row.verdict != "not run"

    @property
    def figure(self) -> str:
        """The claim's figure, from the ledger's folder."""
        return f"studies/{self.row.study}/{self.row.figure}.svg"

    @property
    def table(self) -> str:
        """The claim's table, likewise."""
        return f"studies/{self.row.study}/{self.row.table}.csv"


def collect(folders: Sequence[Path], settings: Sequence[Path], configs: Sequence[Path], out: Path) -> list[Entry]:
    """Every claim, by paper and in the order of its study's settings.

    `folders` and `settings` are those of the studies that ran, `configs` the YAML files of all studies. A claim that a
    study ran without judging, or that was not run, has a row that says so.
    """
    ran = {}
    for folder, file in zip(folders, settings, strict=True):
        content = read_json(file, {"study": dict, "scale": str})
        with reading(file):
            ran[folder.name] = (Study.model_validate(content["study"]), content["scale"], folder)
    scale = next((scale for _, scale, _ in ran.values()), "")
    files = {file.stem: file for file in configs}
    entries = []
    for name in sorted({*files, *ran}, key=paper_order):
        if name in ran:
            found = _of_run(*ran[name])
        else:
            study = validated(Study, read_yaml(files[name]), str(files[name]))
            found = [_not_run(study, claim, scale) for claim in study.claims]
        entries += [_placed(entry, files[name], out) for entry in found] if name in files else found
    return entries


def entry_table(entries: Sequence[Entry]) -> pd.DataFrame:
    """claims.csv: the columns of a study's own, where the claim is written, what would decide it, its caveat."""
    rows = [
        {
            **vars(entry.row),
            "config": entry.place,
            "needs": entry.need.advice if entry.need else "",
            "caveat": entry.claim.caveat,
        }
        for entry in entries
    ]
    return pd.DataFrame(rows, columns=[*ClaimRow.__dataclass_fields__, "config", "needs", "caveat"])


def need_table(entries: Sequence[Entry]) -> pd.DataFrame:
    """One row for each inconclusive claim."""
    rows = [vars(entry.need) for entry in entries if entry.need]
    table = pd.DataFrame(rows, columns=list(Need.__dataclass_fields__))
    return table.astype(dict.fromkeys(("seeds_needed", "seeds_for_power", "seeds_if_predicted"), "Int64"))


def counted(entries: Sequence[Entry]) -> str:
    """`31 claims: 12 supported, 3 contradicted, 9 inconclusive, 7 not run.`"""
    counts = Counter(entry.row.verdict for entry in entries)
    return f"{len(entries)} claims: {', '.join(f'{counts[verdict]} {verdict}' for verdict in VERDICTS)}."


def interval(row: ClaimRow) -> str:
    """`-0.302 [-0.351, -0.253] slope`, or `none`."""
    if not math.isfinite(row.estimate):
        return "none"
    return f"{number(row.estimate)} [{number(row.ci_low)}, {number(row.ci_high)}] {row.unit}"


def paper_order(study: str) -> tuple[int, str]:
    """Sorts studies by paper; one of the user's own comes after them, by name."""
    return (PAPERS.index(study) if study in PAPERS else len(PAPERS)), study


def _of_run(study: Study, scale: str, folder: Path) -> list[Entry]:
    rows = {row.id: row for row in read_claims(folder / "claims.csv")}
    floors = read_csv(folder / "floors.csv", QUALITY["floors"])
    entries = []
    for name, claim in study.claims.items():
        row = rows.get(name) or _without_numbers(study, name, "inconclusive", "missing: the study has not judged it")
        entries.append(Entry(row, claim, study.title, need=need(row, claim, floors)))
    return entries


def _not_run(study: Study, name: str, scale: str) -> Entry:
    reason = f"scale '{scale}' does not run the study"
    return Entry(_without_numbers(study, name, "not run", reason), study.claims[name], study.title)


def _without_numbers(study: Study, name: str, verdict: Standing, reason: str) -> ClaimRow:
    nothing = Estimate(np.nan, np.nan, np.nan, "", 0, 0)
    return claim_row(study.study, name, study.claims[name], nothing, verdict, reason)


def _placed(entry: Entry, file: Path, out: Path) -> Entry:
    """With the line of the file at which the claim's settings begin."""
    line = claim_lines(file).get(entry.row.id)
    if line is None:
        return entry
    beside = Path(os.path.relpath(file, out))
    return replace(entry, place=f"{file.as_posix()}#L{line}", link=f"{beside.as_posix()}#L{line}")


def claim_lines(file: Path) -> dict[str, int]:
    """Claim -> line of a study's YAML file at which it begins, counted from 1."""
    loader = Loader(file.read_text(encoding="utf-8"))
    try:
        root: Any = loader.get_single_node()
    finally:
        loader.dispose()
    sections = {key.value: section for key, section in root.value} if isinstance(root, yaml.MappingNode) else {}
    claims = sections.get("claims")
    keys = [key for key, _ in claims.value] if isinstance(claims, yaml.MappingNode) else []
    return {key.value: key.start_mark.line + 1 for key in keys}

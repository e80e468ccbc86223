"""`python -m bench.dag`: what it costs to plan very many runs, of which nothing, or everything, is there already.

What a tenth of them costs, planned alone, and what each job on a cluster pays, since it reads the Snakefile again,
twice. Seconds are the processor's.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.many_runs import DATASETS, SCALE, SLOT, write_project
from bench.project import ROOT
from bench.tables import write

# recipes × slots: 12 400, 50 000 and 100 000 runs; of these with few pairs of dataset and recipe, and with one a bundle
GRIDS = ((61, 1), (249, 1), (24, 20), (499, 1))
QUICK_GRIDS = ((3, 2),)
MILLION_GRIDS = ((499, 10),)
TENTH = ("--batch", "measured=1/10", "measured")


@dataclass(frozen=True)
class Row:
    """One grid, of whose results none or all are there; or a part of it, without any."""

    what: str
    recipes: int
    slots: int
    runs: int
    jobs: int
    submissions: int
    seconds: float
    peak_mb: float


def main(out: Path, quick: bool = False) -> None:
    """Measure, and write `dag.csv`."""
    write(out / "dag.csv", measured_grids(QUICK_GRIDS if quick else GRIDS))


def measured_grids(grids: Sequence[tuple[int, int]]) -> list[Row]:
    """Of each grid, recipes × slots; a line is printed for each row."""
    rows = []
    for recipes, slots in grids:
        with tempfile.TemporaryDirectory() as folder:
            write_project(Path(folder), recipes, slots)
            for what in ("nothing there", "a tenth", "one job", "all there"):
                rows.append(measured(what, Path(folder), recipes, slots))
                print(
                    f"{rows[-1].runs} runs, {what}: {rows[-1].jobs} jobs in {rows[-1].submissions} submissions,"
                    f" {rows[-1].seconds:.1f} s, {rows[-1].peak_mb:.0f} MB",
                    flush=True,
                )
    return rows


def measured(what: str, folder: Path, recipes: int, slots: int) -> Row:
    """Plan a project in a process of its own, once its configuration is resolved."""
    if what == "nothing there":
        planned(folder, "--until", "prepare")  # resolves
    if what == "all there":
        run(folder, "-m", "bench.many_runs")
    target = f"train:dataset=cube-1in1,recipe=recipe-0,seeds=0-{SLOT - 1}"
    inside = ("--target-jobs", target, "--allowed-rules", "train", "--force", "--nolock", "--mode", "remote")
    arguments = {"a tenth": TENTH, "one job": inside}.get(what, ())
    found = planned(folder, *arguments, profile="" if what == "one job" else "slurm")
    return Row(
        what=what,
        recipes=recipes,
        slots=slots,
        runs=DATASETS * (recipes + 1) * slots * SLOT,
        jobs=sum(len(job["rules"]) for job in found["jobs"]),
        submissions=sum(bool(job["call"]) for job in found["jobs"]),
        seconds=found["seconds"],
        peak_mb=found["peak_mb"],
    )


def planned(folder: Path, *arguments: str, profile: str = "slurm") -> dict[str, Any]:
    """What `bench.submissions` writes about Snakemake in a folder."""
    chosen = ("--profile", profile, "-n") if profile else ("--cores", "1")
    run(folder, "-m", "bench.submissions", "seen.json", *chosen, "--configfile", f"config/{SCALE}.yaml", *arguments)
    found: dict[str, Any] = json.loads((folder / "seen.json").read_text(encoding="utf-8"))
    return found


def run(folder: Path, *arguments: str) -> None:
    """Python in a folder, with the project's own code there."""
    places = os.pathsep.join([str(folder), str(ROOT)])
    command = [sys.executable, *arguments]
    subprocess.run(command, cwd=folder, env={**os.environ, "PYTHONPATH": places}, check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m bench.dag", description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("bench/results"), help="folder of the table")
    parser.add_argument("--quick", action="store_true", help="a small grid, half a minute")
    parser.add_argument("--million", action="store_true", help="a million runs, written to dag_million.csv")
    options = parser.parse_args()
    if options.million:
        write(options.out / "dag_million.csv", measured_grids(MILLION_GRIDS))
    else:
        main(options.out, options.quick)

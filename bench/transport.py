"""`python -m bench.transport`: exact W1 between normal clouds by wgpipe and by the solvers that a user would pick.

Every solution has a process of its own on one thread; solvers take turns, round by round, so that whatever else the
machine does hits all alike.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import statistics
import subprocess
import sys
from dataclasses import asdict, dataclass, fields
from itertools import product
from pathlib import Path

from matplotlib.axes import Axes

from bench.processes import environment
from bench.transport_solvers import CLOUDS, SOLVERS
from wgpipe.atomic import atomic
from wgpipe.studies.style import (
    BLUE,
    GREEN,
    GREY,
    METADATA,
    ORANGE,
    PAGE,
    Look,
    label_edges,
    log_n,
    log_value,
    panels,
    paper,
)

SIZES, QUICK_SIZES = (1000, 4000, 8000), (1000, 2000)
DIMENSIONS = (2, 16)
ROUNDS, QUICK_ROUNDS = 3, 2
CAP = 60.0  # seconds from which a solver is not tried on more points
TIMEOUT = 300.0  # seconds after which a process is stopped
SAME = 1e-9  # relative difference up to which values are the same
LOOKS = {
    "simplex": Look(GREY, "s"),
    "lazy": Look(ORANGE, "^"),
    "assignment": Look(GREEN, "D"),
    "wgpipe": Look(BLUE, "o"),
}
NAMES = {
    "simplex": "POT, network simplex",
    "lazy": "POT, lazy network simplex",
    "assignment": "SciPy, linear_sum_assignment",
    "wgpipe": "wgpipe",
}


@dataclass(frozen=True)
class Row:
    """One solver on one problem; seconds are the median, the least and the most of its rounds."""

    solver: str
    n: int
    d: int
    cloud: str
    seconds: float
    lowest: float
    highest: float
    rounds: int
    peak_megabytes: float  # beyond what the process had before
    times_best: float  # of the seconds of the fastest other solver
    value: float


def main(out: Path, quick: bool = False) -> None:
    """Measure, print a line a problem, and write `transport.csv` after each of them, and `transport.svg`."""
    rows: list[Row] = []
    for d, cloud, n in product(DIMENSIONS, CLOUDS, QUICK_SIZES if quick else SIZES):
        slow = {row.solver for row in rows if (row.d, row.cloud) == (d, cloud) and row.seconds > CAP}
        found = measured([name for name in SOLVERS if name not in slow], n, d, cloud, QUICK_ROUNDS if quick else ROUNDS)
        rows += found
        write(out / "transport.csv", rows)
        times = ", ".join(f"{row.solver} {row.seconds:.3g} s" for row in found)
        print(f"W1, n = {n}, d = {d}, {cloud} clouds: {times}", flush=True)
    draw(rows, out)


def measured(solvers: list[str], n: int, d: int, cloud: str, rounds: int) -> list[Row]:
    """A row a solver; one that takes longer than `CAP` has one round. Raises `RuntimeError` if values differ."""
    results: dict[str, list[dict[str, float]]] = {solver: [] for solver in solvers}
    for _, solver in product(range(rounds), solvers):
        if not any(result["seconds"] > CAP for result in results[solver]):
            results[solver].append(solution(solver, n, d, cloud))
    values = {solver: result[0]["value"] for solver, result in results.items() if math.isfinite(result[0]["value"])}
    if max(values.values()) - min(values.values()) > SAME * max(values.values()):
        raise RuntimeError(f"W1 of n = {n}, d = {d}, {cloud} clouds differs between solvers: {values}")
    medians = {solver: statistics.median(one["seconds"] for one in result) for solver, result in results.items()}
    return [
        Row(
            solver,
            n,
            d,
            cloud,
            medians[solver],
            min(one["seconds"] for one in result),
            max(one["seconds"] for one in result),
            len(result),
            statistics.median(one["megabytes"] for one in result),
            medians[solver] / min(seconds for other, seconds in medians.items() if other != solver),
            result[0]["value"],
        )
        for solver, result in results.items()
    ]


def solution(solver: str, n: int, d: int, cloud: str) -> dict[str, float]:
    """Seconds, megabytes and value; infinitely many seconds if it takes longer than `TIMEOUT`."""
    command = [sys.executable, "-m", "bench.transport_solvers", solver, str(n), str(d), cloud]
    try:
        done = subprocess.run(
            command, env=environment(1), check=True, stdout=subprocess.PIPE, text=True, timeout=TIMEOUT
        )
    except subprocess.TimeoutExpired:
        return {"seconds": math.inf, "megabytes": math.nan, "value": math.nan}
    result: dict[str, float] = json.loads(done.stdout)
    return result


def write(file: Path, rows: list[Row]) -> None:
    with atomic(file) as path, path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, [field.name for field in fields(Row)], lineterminator="\n")
        writer.writeheader()
        for row in rows:
            values = asdict(row)
            digits = {name: f"{value:.4g}" for name, value in values.items() if isinstance(value, float)}
            writer.writerow({**values, **digits, "value": repr(row.value)})


def draw(rows: list[Row], out: Path) -> None:
    """Write `transport.svg`: a panel a dimension and pair of clouds, a line a solver."""
    places = list(dict.fromkeys((row.d, row.cloud) for row in rows))
    with paper():
        figure, axes = panels(len(places), len(places), PAGE, 2.0, 0.3, sharey=True)
        for one, (d, cloud) in zip(axes, places, strict=True):
            panel(one, [row for row in rows if (row.d, row.cloud) == (d, cloud)])
            one.set_title(f"d = {d}, {cloud} clouds")
        label_edges(axes, len(places), "points n of each cloud", "seconds")
        handles, labels = axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=len(labels))
        with atomic(out / "transport.svg") as path:
            figure.savefig(path, format="svg", metadata=METADATA["svg"])


def panel(axes: Axes, rows: list[Row]) -> None:
    for solver, look in LOOKS.items():
        found = [row for row in rows if row.solver == solver and math.isfinite(row.seconds)]
        ns = [row.n for row in found]
        axes.plot(ns, [row.seconds for row in found], color=look.colour, marker=look.marker, label=NAMES[solver])
        low, high = [row.lowest for row in found], [row.highest for row in found]
        axes.fill_between(ns, low, high, color=look.colour, alpha=0.2, linewidth=0)
    log_n(axes, sorted({row.n for row in rows}))
    log_value(axes)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m bench.transport", description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("bench/results"), help="folder of the table and the figure")
    parser.add_argument("--quick", action="store_true", help="fewer points and rounds")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    main(options.out, options.quick)

"""Training again: random blocks of a results folder in a temporary one, and what is compared then.

On the machine of the record (same processor, versions, device, threads and code) the bytes of a block are its identity:
weights and history must be the same. A machine that gives a file of weights to the byte, or all measured numbers to the
last digit, repeats the run, so that a file which it does not give was changed.

Elsewhere bytes need not be the same, and no comparison of weights means anything: training is chaotic, and rounding
grows to percents of a weight within a thousand steps. What must agree then is what the runs are made for: the *law* of
the measured numbers. So the block is measured again by the metrics of its studies, and each number is compared with the
recorded one of the same seed by the paired t test of `noise.py`, all numbers of a block as one family at 1 %, and the
failed runs by Fisher's test. That tolerance is the noise of seeds: with 8 of them a shift is found when it is several
times as large as the spread of single runs; with 2, hardly any is.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import numpy as np
import pandas as pd

from wgpipe.audit import commands, noise, provenance
from wgpipe.dag import Dag
from wgpipe.errors import UserError
from wgpipe.grid import Block
from wgpipe.hashes import sha256
from wgpipe.stats.rankings import adjusted
from wgpipe.stored import read_table
from wgpipe.studies.inputs import MEASURED
from wgpipe.train import files

Outcome = Literal["same bytes", "other bytes", "within noise", "different", "failed"]
COMPARED = (files.GENERATOR, files.CRITIC, files.HISTORY)
EMPTY = 16  # bytes of a file without weights
ONE_BY_ONE = ["n", "seed", "metric", "protocol"]


@dataclass(frozen=True)
class Rerun:
    """A block that was trained again. `why_numbers`: in what this machine differs from that of the record."""

    block: str
    outcome: Outcome
    detail: str
    why_numbers: str
    command: str
    seconds: float

    @property
    def agrees(self) -> bool:
        """The block is what its recipe and data give."""
        return self.outcome in ("same bytes", "within noise")

    def __str__(self) -> str:
        return f"{self.block}: {self.outcome}" + (f" ({self.detail})" if self.detail else "")


def sample(dag: Dag, count: int, seed: int) -> list[Block]:
    """That many trained blocks at random, in the order of the grid; controls train nothing and are left out."""
    trained = [
        block
        for block in dag.blocks
        if not dag.recipes[block.recipe].is_control and (dag.block_folder(block) / files.GENERATOR).is_file()
    ]
    if not trained:
        raise UserError(f"{dag.root} has no trained block with its models, so nothing can be trained again.")
    return sorted(random.Random(seed).sample(trained, min(count, len(trained))))


def rerun(dag: Dag, blocks: Sequence[Block], say: Callable[[str], None]) -> list[Rerun]:
    """Train each block again and compare; `say` gets a line before and after each."""
    results = []
    for index, block in enumerate(blocks, start=1):
        name = f"{block.dataset} {block.recipe} n={block.n} seeds {block.bundle.slot}"
        say(f"{index} of {len(blocks)}: {name}, training")
        with TemporaryDirectory(prefix="wgpipe-rerun-") as scratch:
            result = _rerun(dag, block, name, Path(scratch))
        results.append(result)
        say(f"{index} of {len(blocks)}: {result}, {result.seconds:.0f} s")
    return results


def to_json(results: Sequence[Rerun]) -> dict[str, Any]:
    """Plain data."""
    return {
        "agrees": all(result.agrees for result in results),
        "level": noise.LEVEL,
        "blocks": [asdict(result) for result in results],
    }


def elsewhere(dag: Dag, block: Block) -> list[str]:
    """In what this machine and code differ from those of a block's record; empty: bytes must be the same."""
    folder = dag.block_folder(block)
    run = _json(folder / files.RUN)
    found = []
    versions = run.get("versions")
    for name, version in versions.items() if isinstance(versions, dict) else ():
        try:
            present = metadata.version(name)
        except (metadata.PackageNotFoundError, ValueError):
            present = "none"
        if present.partition("+")[0] != str(version).partition("+")[0]:
            found.append(f"{name} {version}, here {present}")
    if run.get("code") != dag.training_code(*block.pair):
        found.append(f"code {run.get('code')}, here another")
    settings = dag.resolved.config
    if run.get("threads") != settings.threads:
        found.append(f"{run.get('threads')} threads, here {settings.threads}")
    if run.get("device") != "cpu":
        found.append(f"device {run.get('device')}")
    record = provenance.read(folder / provenance.FILE)
    if provenance.same_machine(record) is False:
        found.append(f"processor {record['machine'].get('cpu')}, here {provenance.cpu()}")
    return found


def _rerun(dag: Dag, block: Block, name: str, scratch: Path) -> Rerun:
    started = time.monotonic()
    command = commands.train(dag, block.bundle, [block.n], scratch)
    recorded = dag.block_folder(block)
    fresh = scratch / files.block(block.n)
    where = elsewhere(dag, block)
    reason = "; ".join(where)

    def done(outcome: Outcome, detail: str) -> Rerun:
        shown = commands.shown(commands.train(dag, block.bundle, [block.n], Path("FOLDER")))
        return Rerun(name, outcome, detail, reason, shown, round(time.monotonic() - started, 1))

    problem = _run(command)
    if problem:
        return done("failed", problem)
    other = [file for file in COMPARED if sha256(fresh / file) != sha256(recorded / file)]
    other += _other_facts(_json(fresh / files.RUN), _json(recorded / files.RUN))
    if not other:
        return done("same bytes", "")
    here = not where and provenance.same_machine(provenance.read(recorded / provenance.FILE))
    if here or any(file not in other for file in _weights(recorded)):
        return done("other bytes", ", ".join(other))
    table = scratch / "measures.parquet"
    problem = _run(commands.measure_again(dag, block.bundle, fresh, table))
    if problem:
        return done("failed", f"{', '.join(other)} differ, and measuring ended with: {problem}")
    measured = read_table(dag.measures_file(*block.pair), MEASURED)
    outcome, detail = compare_numbers(measured[measured["n"] == block.n], pd.read_parquet(table), block.seeds)
    if outcome == "same bytes":
        return done("other bytes", f"{', '.join(other)}; but what is measured is the same to the last digit")
    return done(outcome, detail)


def compare_numbers(recorded: pd.DataFrame, fresh: pd.DataFrame, seeds: Sequence[int]) -> tuple[Outcome, str]:
    """Whether two tables of measures of one block agree within the noise of seeds, and the largest difference.

    `same bytes`: every value is the same.
    """
    own = recorded[recorded["seed"].isin(seeds)]
    pairs = own.merge(fresh, on=ONE_BY_ONE, suffixes=("", "_again"), validate="one_to_one")
    if len(pairs) < len(own) or len(pairs) < len(fresh):
        return "different", f"{len(own)} recorded and {len(fresh)} new values have {len(pairs)} quantities in common"
    names, p_values = ["failed runs"], [_of_failures(own, fresh)]
    for name, rows in pairs.groupby(["metric", "protocol"], sort=True):
        x, y = rows["value"].to_numpy(float), rows["value_again"].to_numpy(float)
        there = np.isfinite(x) & np.isfinite(y)
        if (x[there] != y[there]).any():
            size = float(np.abs([x[there], y[there]]).max())
            p = noise.of_differences((x - y)[there], size)
            names.append(str(name[0]))
            p_values.append(np.nan if p is None else p)
    if len(names) == 1 and own["status"].tolist() == fresh["status"].tolist():
        return "same bytes", ""
    family = adjusted(p_values)
    least = int(np.nanargmin(family))
    text = f"{len(pairs)} values of {len(seeds)} seeds; least p = {family[least]:.2g} for {names[least]}, after Holm"
    return ("different" if family[least] < noise.LEVEL else "within noise"), text


def _weights(folder: Path) -> list[str]:
    """Files with weights: a recipe without a critic has an empty one."""
    return [file for file in (files.GENERATOR, files.CRITIC) if (folder / file).stat().st_size > EMPTY]


def _of_failures(recorded: pd.DataFrame, fresh: pd.DataFrame) -> float:
    counts = [(table.drop_duplicates("seed")["status"] != "ok") for table in (recorded, fresh)]
    return noise.of_counts(int(counts[0].sum()), len(counts[0]), int(counts[1].sum()), len(counts[1]))


def _other_facts(fresh: dict[str, Any], recorded: dict[str, Any]) -> list[str]:
    """Entries of run.json that differ, apart from the code and from what it may vary with."""
    ignored = ("code", "versions", "sha256")
    facts = [key for key in {**fresh, **recorded} if key not in ignored and fresh.get(key) != recorded.get(key)]
    return [f"{files.RUN}: {key}" for key in facts]


def _run(command: Sequence[str]) -> str:
    """Run a verb in a process of its own, as the rules do; the last line that it said if it failed."""
    started = [sys.executable, "-m", "wgpipe.cli", *command[1:]]
    done = subprocess.run(started, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    lines = done.stdout.strip().splitlines()
    return "" if done.returncode == 0 else (lines[-1] if lines else f"exit code {done.returncode}")


def _json(file: Path) -> dict[str, Any]:
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}

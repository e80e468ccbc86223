"""All metrics of a (dataset, recipe) as one tidy table; what the same code measured already is kept."""

from __future__ import annotations

import functools
import hashlib
import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from wgpipe import registry
from wgpipe.atomic import atomic
from wgpipe.errors import UserError
from wgpipe.extractors import extractor, wanted
from wgpipe.extractors.reference import FeatureFiles
from wgpipe.hashes import sha256
from wgpipe.identity import metric_code
from wgpipe.metrics import Metric
from wgpipe.stored import read_json, reading
from wgpipe.train import files
from wgpipe.train.evaluate import TrainedBlock
from wgpipe.train.job import Job, recipe_digest

Metrics = Sequence[tuple[str, dict[str, Any]]]  # names with settings
Row = tuple[Any, ...]
COLUMNS = ("dataset", "dimension", "intrinsic", "recipe", "n", "seed", "status", "metric", "value", "protocol")


def measure_block(
    job: Job, folder: Path, metrics: Metrics, threads: int, features: FeatureFiles | None = None
) -> list[Row]:
    """One row for every member and quantity of a trained block.

    A metric's values are kept in the block's folder, in metrics/, under everything that they depend on. Raises
    `UserError` if the block was trained with other settings.
    """
    run = files.read_run(folder)
    if run["settings"] != recipe_digest(job.recipe):
        raise UserError(f"{folder} was trained with other settings than those of recipe '{job.recipe_name}' as given.")
    status = run["status"]
    block = functools.cache(lambda: TrainedBlock(job, folder, features))
    card = job.dataset.card()
    rows: list[Row] = []
    for name, settings in metrics:
        metric: Metric = registry.load("metric", name)(**settings)
        if metric.needs_critic and job.recipe.is_control:
            continue
        identity = _identity(metric, settings, job, run["sha256"], threads, features)
        for quantity, (values, protocol) in _measured(metric, identity, block, folder).items():
            for seed, value in zip(job.seeds, values, strict=True):
                facts = (job.dataset.name, card.dimension, card.intrinsic, job.recipe_name, job.n, seed)
                rows.append((*facts, status[str(seed)], quantity, value, protocol))
    return rows


def _identity(
    metric: Metric,
    settings: dict[str, Any],
    job: Job,
    trained: dict[str, str],
    threads: int,
    features: FeatureFiles | None,
) -> dict[str, Any]:
    """Everything that the values of a metric depend on; `trained` are the sha256 of the block's files."""
    name = metric.registered_name
    seen = {}
    if features is not None:
        records = {each: features.record(extractor(each)) for each in wanted(settings, job.dataset)}
        seen = {each: sha256(record) for each, record in records.items()}
    return {
        "metric": name,
        "settings": settings,
        "code": metric_code(name),
        "generator": trained[files.GENERATOR],
        "critic": trained[files.CRITIC] if metric.needs_critic else None,
        "block": job.identity(),
        "threads": threads,
        **({"features": seen} if seen else {}),
    }


def _measured(
    metric: Metric, identity: dict[str, Any], block: Callable[[], TrainedBlock], folder: Path
) -> dict[str, tuple[list[float], str]]:
    """Quantity -> values and protocol, from the block's folder if the same code measured the same files already."""
    name = metric.registered_name
    part = folder / "metrics" / f"{name}-{_sha256(json.dumps(identity['settings'], sort_keys=True).encode())[:8]}.json"
    job = identity["block"]
    label = f"{job['dataset']} {job['recipe']} n={job['n']} seeds {job['seeds'][0]}-{job['seeds'][-1]}: {name}"
    kept = _kept(part, identity)
    if kept is not None:
        sys.stderr.write(f"{label} kept\n")
        return kept
    started = time.monotonic()
    values = metric.measure(block())
    part.parent.mkdir(exist_ok=True)
    measured = {quantity: (column.tolist(), protocol) for quantity, (column, protocol) in values.items()}
    files.write_json(part, {"identity": identity, "measured": measured, "sha256": _digest(measured)})
    sys.stderr.write(f"{label} measured in {time.monotonic() - started:.1f} s\n")
    return measured


def _kept(part: Path, identity: dict[str, Any]) -> dict[str, tuple[list[float], str]] | None:
    try:
        content = json.loads(part.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    same = isinstance(content, dict) and content.get("identity") == identity
    whole = same and content.get("sha256") == _digest(content.get("measured"))
    return content["measured"] if whole else None


def _digest(measured: Any) -> str:
    return _sha256(json.dumps(measured).encode())


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def write_measures(
    recipe: Path,
    data: Path,
    metrics_files: Sequence[Path],
    blocks: Sequence[Path],
    out: Path,
    threads: int,
    features: FeatureFiles | None = None,
) -> None:
    """Measure trained blocks of one dataset and recipe by all metrics of the given files, into one parquet file."""
    metrics: list[tuple[str, dict[str, Any]]] = []
    for file in metrics_files:
        for item in read_metrics(file):
            if item not in metrics:
                metrics.append(item)
    rows: list[Row] = []
    for folder in blocks:
        run = files.read_run(folder)
        job = Job.read(recipe, data, run["n"], tuple(run["seeds"]))
        rows += measure_block(job, folder, metrics, threads, features)
    table = pd.DataFrame(rows, columns=list(COLUMNS)).astype({"intrinsic": "float64", "value": "float64"})
    out.parent.mkdir(parents=True, exist_ok=True)
    with atomic(out) as path:
        table.to_parquet(path, index=False)
    code = " ".join(sorted({f"{name}={metric_code(name)}" for name, _ in metrics}))
    files.write_json(out.with_suffix(".json"), {"code": code, "sha256": sha256(out)})


def read_metrics(file: Path) -> Metrics:
    """Metrics of a study with their settings, as `wgpipe resolve` wrote them; `UserError` for another file."""
    content = read_json(file)
    with reading(file):
        for name, settings in content.items():
            registry.load("metric", name)(**settings)
    return list(content.items())

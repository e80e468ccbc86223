"""What the records in a results folder say about each other, and about the present code, configuration and data."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from wgpipe import identity
from wgpipe.audit import provenance
from wgpipe.audit.folder import name_in
from wgpipe.audit.manifest import Finding
from wgpipe.dag import Dag
from wgpipe.data import family
from wgpipe.data.prepared import CARD, DATA, load
from wgpipe.errors import UserError
from wgpipe.extractors import CLASSIFIER, RECORD
from wgpipe.grid import Block
from wgpipe.recipe import Recipe
from wgpipe.train import files
from wgpipe.train.job import recipe_digest

Hashes = Mapping[str, str]


def contradictions(dag: Dag, hashes: Hashes) -> Iterator[Finding]:
    """Records that do not fit the files beside them, the configuration, or each other.

    Files that are missing are no contradiction: the grid says which ones there must be.
    """
    checksums = {}
    for name in sorted({block.dataset for block in dag.blocks}):
        checksums[name] = yield from _data(dag, name)
    digests = {name: recipe_digest(recipe) for name, recipe in dag.recipes.items()}
    for name, digest in digests.items():
        yield from _recipe(dag, name, digest)
    for bundle, blocks in dag.bundles.items():
        yield from _bundle(dag, dag.bundle_folder(bundle) / files.BUNDLE, blocks, hashes)
        for block in blocks:
            yield from _block(dag, block, hashes, digests[block.recipe], checksums[block.dataset])
    for dataset, recipe in dag.pairs():
        yield from _measures(dag, dataset, recipe)


def other_code(dag: Dag) -> Iterator[Finding]:
    """Results whose record names another fingerprint than the present code has."""
    for name in sorted({block.dataset for block in dag.blocks}):
        made = provenance.code_of(dag.dataset_folder(name) / provenance.FILE)
        yield from _compared(dag, dag.dataset_folder(name) / DATA, made, identity.preparing_code(family(name)))
    training: dict[tuple[str, str], str] = {}
    for block in dag.blocks:
        if block.pair not in training:
            training[block.pair] = dag.training_code(*block.pair)
        run = dag.block_folder(block) / files.RUN
        yield from _compared(dag, run, _text(_read(run), "code"), training[block.pair])
    for dataset, recipe in dag.pairs():
        record = dag.measures_record(dataset, recipe)
        yield from _compared(dag, record, _text(_read(record), "code"), dag.measuring_code(dataset, recipe))
    for name in sorted({block.dataset for block in dag.blocks}):
        for network, chosen in dag.networks(name).items():
            folder = dag.features_folder(name) / network
            kinds = {RECORD: identity.features_code(chosen.name)}
            kinds |= {CLASSIFIER: identity.classifier_code()} if chosen.trained else {}
            for kind, code in kinds.items():
                yield from _compared(dag, folder / kind, _text(_read(folder / kind), "code"), code)
    for study in dag.resolved.studies:
        for pair in dag.pictured(study):
            drawn = dag.pictures_file(study, *pair)
            yield from _compared(dag, drawn, provenance.code_of(provenance.beside(drawn)), identity.picture_code())
        record = dag.study_record(study)
        yield from _compared(dag, record, _text(_read(record), "code"), identity.study_code(study))
    for file, present in (
        (dag.root / "claims.csv", identity.claims_code()),
        (Path(dag.ranking("ranking.csv")), identity.ranking_code()),
    ):
        yield from _compared(dag, file, provenance.code_of(provenance.beside(file)), present)


def wanted_metrics(dag: Dag, dataset: str, recipe: str) -> list[tuple[str, dict[str, Any]]]:
    """Metrics with their settings that studies ask for, for the blocks of a pair."""
    return [
        (name, settings)
        for study in dag.studies_of(dataset, recipe)
        for name, settings in dag.resolved.metrics[study].items()
    ]


def _compared(dag: Dag, file: Path, made: str | None, present: str) -> Iterator[Finding]:
    if made is not None and made != present:
        old, new = _changed_parts(made, present)
        yield Finding(name_in(dag.root, file), "of other code", f"made by {old}, present {new}")


def _changed_parts(made: str, present: str) -> tuple[str, str]:
    """Of two lists of fingerprints, those that differ."""
    old, new = made.split(), present.split()
    return " ".join(part for part in old if part not in new) or "more", " ".join(
        part for part in new if part not in old
    ) or "fewer"


def _data(dag: Dag, name: str) -> Iterator[Finding] | Any:
    """Yields what is wrong with a prepared dataset; returns the checksums of its card, or None."""
    folder = dag.dataset_folder(name)
    if not ((folder / DATA).is_file() and (folder / CARD).is_file()):
        return None
    try:
        return load(folder)[0].checksums
    except (UserError, TypeError, AttributeError) as error:
        reason = str(error).partition(";")[0].removeprefix(f"{folder / DATA} ").removeprefix(f"{folder / CARD} ")
        yield Finding(name_in(dag.root, folder / DATA), "inconsistent", f"{reason.rstrip('.')}")
        return None


def _recipe(dag: Dag, name: str, digest: str) -> Iterator[Finding]:
    file = dag.recipe_file(name)
    if not file.is_file():
        return
    try:
        same = recipe_digest(Recipe.model_validate_json(file.read_text(encoding="utf-8"))) == digest
    except ValueError:
        same = False
    if not same:
        yield Finding(name_in(dag.root, file), "inconsistent", "it is not the recipe of config/resolved.json")


def _bundle(dag: Dag, record: Path, blocks: Sequence[Block], hashes: Hashes) -> Iterator[Finding]:
    content = _read(record)
    if not record.is_file():
        return
    name = name_in(dag.root, record)
    runs = content.get("runs") if isinstance(content, dict) else None
    if not isinstance(runs, dict):
        yield Finding(name, "inconsistent", "it lists no runs")
        return
    for block in blocks:
        run = name_in(dag.root, dag.block_folder(block) / files.RUN)
        if run in hashes and runs.get(files.block(block.n)) != hashes[run]:
            yield Finding(name, "inconsistent", f"it has another sha256 for {run}")


def _block(dag: Dag, block: Block, hashes: Hashes, settings: str, checksums: Any) -> Iterator[Finding]:
    folder = dag.block_folder(block)
    file = folder / files.RUN
    if not file.is_file():
        return
    name, run = name_in(dag.root, file), _read(file)
    if not isinstance(run, dict):
        yield Finding(name, "inconsistent", "it is no record of a block")
        return
    facts = {"dataset": block.dataset, "recipe": block.recipe, "n": block.n, "seeds": list(block.seeds)}
    wrong = [key for key, value in facts.items() if run.get(key) != value]
    if wrong:
        yield Finding(name, "inconsistent", f"it records another {', '.join(wrong)} than its place")
    if run.get("settings") != settings:
        yield Finding(
            name, "inconsistent", f"it was trained with other settings than config/recipes/{block.recipe}.json"
        )
    if checksums is not None and run.get("data") != checksums:
        yield Finding(name, "of other data", f"it was trained on other data than data/{block.dataset}")
    recorded = run.get("sha256")
    for trained in files.TRAINED:
        beside = name_in(dag.root, folder / trained)
        if beside in hashes and not (isinstance(recorded, dict) and recorded.get(trained) == hashes[beside]):
            yield Finding(beside, "inconsistent", f"{name} records another sha256")
    on = dag.recipes[block.recipe].on
    if on:
        base = name_in(dag.root, folder.parents[2] / on / folder.parent.name / folder.name / files.GENERATOR)
        if base in hashes and run.get("base") != hashes[base]:
            yield Finding(name, "of other data", f"it was trained on another generator than {base}")
    yield from _parts(dag, block, run, hashes)


def _parts(dag: Dag, block: Block, run: dict[str, Any], hashes: Hashes) -> Iterator[Finding]:
    """Measured values that are kept beside a block."""
    wanted = wanted_metrics(dag, *block.pair)
    for file in sorted((dag.block_folder(block) / "metrics").glob("*.json")):
        name, content = name_in(dag.root, file), _read(file)
        known = content.get("identity") if isinstance(content, dict) else None
        if not isinstance(known, dict) or not isinstance(known.get("block"), dict):
            yield Finding(name, "inconsistent", "it is no record of measured values")
            continue
        if (known.get("metric"), known.get("settings")) not in wanted:
            yield Finding(name, "an orphan", "no study asks for this metric with these settings")
            continue
        for key, weights in (("generator", files.GENERATOR), ("critic", files.CRITIC)):
            beside = name_in(dag.root, file.parents[1] / weights)
            if known.get(key) is not None and beside in hashes and known[key] != hashes[beside]:
                yield Finding(beside, "inconsistent", f"{name} was measured on other weights")
        # Measuring reads a block without the one below it, whose generator the block's own file holds.
        if any(run.get(key) != value for key, value in known["block"].items() if key != "base"):
            yield Finding(name, "inconsistent", "it was measured on another block than run.json records")


def _measures(dag: Dag, dataset: str, recipe: str) -> Iterator[Finding]:
    """Rows of a pair's table that are not the values kept beside its blocks."""
    file = dag.measures_file(dataset, recipe)
    if not file.is_file():
        return
    name = name_in(dag.root, file)
    try:
        table = pd.read_parquet(file)
        rows = {
            (row.n, row.seed, row.metric, row.protocol): row.value
            for row in table[["n", "seed", "metric", "protocol", "value"]].itertuples(index=False)
        }
    except (OSError, ValueError, KeyError, TypeError, NotImplementedError) as error:
        yield Finding(name, "inconsistent", f"it is no table of measures ({type(error).__name__})")
        return
    wanted = wanted_metrics(dag, dataset, recipe)
    for block in dag.blocks_of(dataset, recipe):
        for part in sorted((dag.block_folder(block) / "metrics").glob("*.json")):
            for quantity, protocol, seed, value in _kept_values(_read(part), block, wanted):
                found = rows.get((block.n, seed, quantity, protocol))
                if not _is_same(found, value):
                    where = f"{quantity} at n={block.n}, seed {seed}"
                    yield Finding(name, "inconsistent", f"{where} is not what {name_in(dag.root, part)} says")
                    return


def _kept_values(content: Any, block: Block, wanted: list[tuple[str, Any]]) -> list[tuple[str, str, int, Any]]:
    """(quantity, protocol, seed, value) of a record of measured values; nothing of one that is none or not wanted."""
    try:
        if (content["identity"]["metric"], content["identity"]["settings"]) not in wanted:
            return []
        return [
            (quantity, protocol, seed, value)
            for quantity, (values, protocol) in content["measured"].items()
            for seed, value in zip(block.seeds, values, strict=True)
        ]
    except (TypeError, ValueError, KeyError, AttributeError):
        return []


def _is_same(found: Any, value: Any) -> bool:
    """Whether two numbers are the same, or both none (NaN)."""
    both_nan = isinstance(found, float) and math.isnan(found) and isinstance(value, float) and math.isnan(value)
    return both_nan or bool(found == value)


def _read(file: Path) -> Any:
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def _text(record: Any, key: str) -> str | None:
    """A record's entry; a record without it was made by code that is unknown."""
    if record is None:
        return None
    return str(record.get(key, "unknown")) if isinstance(record, dict) else "unknown"

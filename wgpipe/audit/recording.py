"""After a verb has made something: its provenance, beside it."""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from wgpipe import identity
from wgpipe.audit import provenance
from wgpipe.data import family
from wgpipe.data.prepared import CARD
from wgpipe.extractors import CLASSIFIER, RECORD, extractor
from wgpipe.train import files


@dataclass(frozen=True)
class Artefact:
    """Where its provenance goes, which code made it, from what."""

    file: Path
    code: str
    inputs: Sequence[Path]
    versions: Iterable[str]


def record(verb: str, options: Namespace, command: Sequence[str], clock: provenance.Clock) -> None:
    """Write the provenance of what a verb has made; nothing for verbs that make no result."""
    for made in _artefacts(verb, options):
        provenance.write(made.file, command, made.code, made.inputs, made.versions, clock)


def _artefacts(verb: str, options: Namespace) -> Iterator[Artefact]:
    match verb:
        case "prepare":
            code = identity.preparing_code(family(options.dataset))
            yield Artefact(options.out / provenance.FILE, code, [], ("numpy", "pillow"))
        case "classifier":
            record = options.out / CLASSIFIER
            inputs = [options.data / CARD]
            yield Artefact(provenance.beside(record), _code(record), inputs, identity.EXTRACTOR_VERSIONS)
        case "features":
            record = options.features / extractor(options.extractor).pass_name / RECORD
            inputs = [options.data / CARD]
            yield Artefact(provenance.beside(record), _code(record), inputs, identity.EXTRACTOR_VERSIONS)
        case "pictures":
            runs = [folder / files.RUN for folder in options.blocks]
            inputs = [options.recipe, options.data / CARD, *runs]
            file = provenance.beside(options.out)
            yield Artefact(file, identity.picture_code(), inputs, identity.MEASURING_VERSIONS)
        case "train":
            inputs = [options.recipe, options.data / CARD]
            for n in json.loads((options.out / files.COST).read_text(encoding="utf-8"))["trained"]:
                folder = options.out / files.block(n)
                base = [options.base / files.block(n) / files.RUN] if options.base else []
                code = _code(folder / files.RUN)
                yield Artefact(folder / provenance.FILE, code, [*inputs, *base], identity.TRAINING_VERSIONS)
        case "measure":
            runs = [folder / files.RUN for folder in options.blocks]
            inputs = [options.recipe, options.data / CARD, *options.metrics, *runs]
            code = _code(options.out.with_suffix(".json"))
            yield Artefact(provenance.beside(options.out), code, inputs, identity.MEASURING_VERSIONS)
        case "study":
            code = _code(options.out / "study.json")
            inputs = [options.study, *options.measures]
            yield Artefact(options.out / provenance.FILE, code, inputs, identity.STUDY_VERSIONS)
        case "ledger":
            inputs = [*(folder / "claims.csv" for folder in options.studies), *options.settings, *options.configs]
            file = provenance.beside(options.out / "claims.csv")
            yield Artefact(file, identity.claims_code(), inputs, ("numpy", "pandas", "scipy"))
        case "ranking":
            file = provenance.beside(options.out / "ranking.csv")
            inputs = [*options.recipes, *options.measures]
            yield Artefact(file, identity.ranking_code(), inputs, identity.STUDY_VERSIONS)


def _code(record: Path) -> str:
    return str(json.loads(record.read_text(encoding="utf-8"))["code"])

"""What the Snakefile asks: the grid of its configuration, and for each rule its inputs and parameters.

Reading the Snakefile imports no torch. The configuration is checked by `wgpipe resolve`, in a process of its own and
only when it, or the code, has changed; the Snakefile reads what that wrote.
"""

from __future__ import annotations

import functools
import gc
import hashlib
import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from wgpipe import identity
from wgpipe.config import study_file
from wgpipe.data import family
from wgpipe.data.prepared import CARD, DATA
from wgpipe.errors import UserError
from wgpipe.extractors import CLASSIFIER, FEATURES, RECORD, WEIGHTS, Extractor, wanted
from wgpipe.grid import (
    DIGEST,
    DOWNLOADS,
    EXCLUSIONS,
    NEEDS,
    RESOLVED,
    RESULTS,
    STUDY_QUALITY,
    Block,
    Bundle,
    Grid,
    written_digest,
)
from wgpipe.hashes import sha256
from wgpipe.resolve import OWN_KINDS, PLACES, raw_config, read_resolved
from wgpipe.train import files

Wildcards = Any
CONFIG_FOLDER = Path("config")
COLLECT_AFTER = 100_000  # objects
FULL_BYTES = 1_000_000  # a disk with less space is full: Snakemake could not write its own files


class Dag(Grid):
    """A grid, with the functions that rules name. Wildcards are dataset, recipe and seeds."""

    @classmethod
    def open(cls, configfiles: Iterable[str], merged: dict[str, Any], main_process: bool) -> Dag:
        """The grid of Snakemake's configuration: `configfiles` in any order, and the `merged` result with --config.

        Raises `UserError` with what `wgpipe resolve` says, or if the disk is full. In the main process, results of
        other code than the present are marked, so that they are made anew even where Snakemake's own records are gone.
        """
        if main_process and shutil.disk_usage(".").free < FULL_BYTES:
            raise UserError(f"The disk of {Path.cwd()} is full: make room, and start again.")
        gc.set_threshold(COLLECT_AFTER)  # jobs live to the end, and walking through them takes a third of the time
        base = CONFIG_FOLDER / "config.yaml"
        overlays = [Path(file) for file in configfiles if Path(file).resolve() != base.resolve()]
        paths = [base, *overlays]
        read = raw_config(paths, {})
        overrides = {key: value for key, value in merged.items() if key not in read or read[key] != value}
        digest = config_digest(paths, overrides)
        folder = RESULTS / str(merged.get("scale")) / "config"
        resolved_file = folder / RESOLVED
        if not resolved_file.is_file() or _digest_of(folder / DIGEST) != written_digest(folder, digest):
            _resolve(overlays, overrides)
        dag = cls(read_resolved(resolved_file))
        if main_process:
            dag.mark_stale()
        for key in PLACES:
            if merged.get(key):
                os.environ[f"WGPIPE_{key.upper()}"] = str(merged[key])  # for fetch: a parameter would trigger reruns
        return dag

    def mark_stale(self) -> None:
        """Have results made anew whose records disagree with the present code or settings.

        Measures and studies: by a new time stamp of their inputs. Features and classifiers, and bundles that lack a
        block or have a stale one: by taking away their record, since the blocks that bundles do have are kept. Such
        bundles are measured again even if training ends in the same bytes and is not followed by measuring at once:
        values are kept in the folders of blocks.
        """
        for bundle, blocks in self.bundles.items():
            expected = self.training_code(bundle.dataset, bundle.recipe)
            if not all(_is_whole(self.block_folder(block), expected) for block in blocks):
                (self.bundle_folder(bundle) / files.BUNDLE).unlink(missing_ok=True)
                self.measures_record(bundle.dataset, bundle.recipe).unlink(missing_ok=True)
        for dataset in self.datasets:
            for network, chosen in self.networks(dataset).items():
                folder = self.features_folder(dataset) / network
                _remove_if_stale(folder / RECORD, identity.features_code(chosen.name))
                if chosen.trained:
                    _remove_if_stale(folder / CLASSIFIER, identity.classifier_code())
        for dataset, recipe in self.pairs():
            expected = self.measuring_code(dataset, recipe)
            for study in self.studies_of(dataset, recipe):
                _touch_if_stale(self.measures_record(dataset, recipe), expected, self.metrics_file(study))
        for study in self.resolved.studies:
            _touch_if_stale(self.study_record(study), identity.study_code(study), self.study_file(study))

    # Wildcard patterns of what rules write.

    def bundle(self, file: str) -> str:
        """A file of any bundle."""
        return str(self.root / "runs" / "{dataset}" / "{recipe}" / "s{seeds}" / file)

    def dataset_file(self, file: str) -> str:
        """A file of any prepared dataset."""
        return str(self.dataset_folder("{dataset}") / file)

    def features_file(self, network: str, file: str) -> str:
        """A file of a network's folder, of any dataset."""
        return str(self.features_folder("{dataset}") / network / file)

    def measures(self, suffix: str) -> str:
        """The table of any pair, or what lies beside it."""
        return str(self.measures_file("{dataset}", "{recipe}").with_suffix(suffix))

    def pictures(self, suffix: str) -> str:
        """The images of any study and pair, or what lies beside them."""
        return str(self.pictures_file("{study}", "{dataset}", "{recipe}").with_suffix(suffix))

    # Inputs and parameters of rules, by wildcards.

    def sources(self, wildcards: Wildcards) -> list[str]:
        """Downloads of a dataset."""
        return [str(DOWNLOADS / source.file) for source in self.datasets[wildcards.dataset].sources()]

    def source_owner(self, wildcards: Wildcards) -> str:
        """A dataset or an extractor that a downloaded file belongs to."""
        for name, item in self.datasets.items():
            if any(source.file == wildcards.file for source in item.sources()):
                return name
        for chosen in self.all_networks.values():
            if any(source.file == wildcards.file for source in chosen.sources()):
                return chosen.name
        raise UserError(f"nothing in this configuration needs a file '{wildcards.file}'.")

    def extractor(self, wildcards: Wildcards) -> str:
        """An extractor of a network."""
        return self.all_networks[wildcards.network].name

    def network_weights(self, wildcards: Wildcards) -> str:
        """The weights of a network."""
        return str(self.weights_file(wildcards.dataset, self.all_networks[wildcards.network]))

    def reference_count(self, wildcards: Wildcards) -> int:
        """How many real images a network looks at."""
        return self.references(wildcards.dataset, wildcards.network)

    def references_of_pair(self, wildcards: Wildcards) -> list[str]:
        """Records of the features that a pair is measured by."""
        studies = self.studies_of(wildcards.dataset, wildcards.recipe)
        folder = self.features_folder(wildcards.dataset)
        return [str(folder / network / RECORD) for network in self.networks(wildcards.dataset, studies)]

    def weights_of_pair(self, wildcards: Wildcards) -> list[str]:
        """Weights of the networks that look at what a pair generates."""
        studies = self.studies_of(wildcards.dataset, wildcards.recipe)
        seen = self.networks(wildcards.dataset, studies).values()
        return sorted({str(self.weights_file(wildcards.dataset, chosen)) for chosen in seen})

    def features_option(self, wildcards: Wildcards) -> str:
        """The options that name their folders, and where images are looked at."""
        folder = shlex.quote(str(self.features_folder(wildcards.dataset)))
        return f"--features {folder} --device {self.looking_device}" if self.references_of_pair(wildcards) else ""

    @property
    def looking_device(self) -> str:
        """Where images are looked at: not `cuda`, since jobs that measure may land on machines without."""
        return "cpu" if self.resolved.config.device == "cpu" else "auto"

    def recipe_input(self, wildcards: Wildcards) -> str:
        """The recipe as `wgpipe resolve` wrote it."""
        return str(self.recipe_file(wildcards.recipe))

    def metrics_inputs(self, wildcards: Wildcards) -> list[str]:
        """Metrics of all studies that use a pair."""
        return [str(self.metrics_file(study)) for study in self.studies_of(wildcards.dataset, wildcards.recipe)]

    def trained(self, wildcards: Wildcards) -> list[str]:
        """Records of a pair's bundles; with `allow_missing`, of those that exist."""
        return self._wanted_records(block.bundle for block in self.blocks_of(wildcards.dataset, wildcards.recipe))

    def all_trained(self) -> list[str]:
        """Records of all bundles, so that a lost block is made again even if nothing else asks for it; likewise."""
        return self._wanted_records(self.bundles)

    def block_folders(self, wildcards: Wildcards) -> list[str]:
        """Folders of a pair's blocks, likewise."""
        return self._wanted_folders(self.blocks_of(wildcards.dataset, wildcards.recipe))

    def base(self, wildcards: Wildcards) -> list[str]:
        """Record of the bundle whose generators a recipe is trained on, if it is."""
        on = self.recipes[wildcards.recipe].on
        return [str(self.bundle_folder(replace(self._bundle(wildcards), recipe=on)) / files.BUNDLE)] if on else []

    def base_option(self, wildcards: Wildcards) -> str:
        """The option that names its folder."""
        return "".join(f"--base {shlex.quote(str(Path(record).parent))}" for record in self.base(wildcards))

    def sizes(self, wildcards: Wildcards) -> list[int]:
        """Sample sizes of a bundle's blocks."""
        return [block.n for block in self._blocks(wildcards)]

    def measured(self, study: str) -> list[str]:
        """Tables of all pairs of a study; with `allow_missing`, of those that can be made from what exists."""
        pairs = sorted({block.pair for block in self.study_blocks[study]})
        return [str(self.measures_file(*pair)) for pair in pairs if self._wanted_folders(self.blocks_of(*pair))]

    def study_pictures(self, study: str) -> list[str]:
        """Images that a study draws; with `allow_missing`, as `measured`."""
        drawn = [pair for pair in self.pictured(study) if self._wanted_folders(self.blocks_of(*pair))]
        return [str(self.pictures_file(study, *pair)) for pair in drawn]

    def picture_options(self, wildcards: Wildcards) -> str:
        """How many images of a study and pair are drawn, and what looks at them."""
        chosen = self.resolved.studies[wildcards.study].pictures
        assert chosen is not None
        metrics = self.resolved.metrics[wildcards.study].values()
        looks = [name for each in metrics for name in wanted(each, self.datasets[wildcards.dataset])]
        extractor = f" --extractor {looks[0]}" if looks else ""
        return f"--generated {chosen.generated} --neighbours {chosen.neighbours}{extractor}"

    def study_record(self, study: str) -> Path:
        """Which code made a study's folder."""
        return self.study_folder(study) / "study.json"

    def study_figures(self, study: str, suffix: str) -> list[str]:
        """Every figure of a study in one format."""
        return [str(self.study_folder(study) / f"{name}.{suffix}") for name in self.resolved.studies[study].figures]

    def study_latex(self, study: str) -> list[str]:
        """Tables of a study that LaTeX can input."""
        return [str(self.study_folder(study) / f"{name}.tex") for name in self.resolved.studies[study].latex]

    def reported_figures(self, study: str) -> list[tuple[str, str, str]]:
        """(name, file, caption) of every figure for the report."""
        return [
            (name, str(self.study_folder(study) / f"{name}.png"), f"../report/{study}/{name}.rst")
            for name in self.resolved.studies[study].figures
        ]

    def reported_tables(self, study: str) -> list[tuple[str, str, str]]:
        """(name, file, caption) of every table for the report."""
        return [
            (name, str(self.study_folder(study) / f"{name}.csv"), f"../report/{study}/{name}_table.rst")
            for name in self.resolved.studies[study].tables
        ]

    def study_quality(self, study: str) -> list[str]:
        """Tables about a study's runs, for the quality control."""
        return [str(self.study_folder(study) / f"{name}.csv") for name in STUDY_QUALITY]

    def study_outputs(self, study: str) -> list[str]:
        """Every file that a study writes."""
        figures = [file for kind in ("pdf", "svg", "png") for file in self.study_figures(study, kind)]
        tables = [file for _, file, _ in self.reported_tables(study)]
        claims = str(self.study_folder(study) / "claims.csv")
        quality = self.study_quality(study)
        return [*figures, *tables, *self.study_latex(study), *quality, claims, str(self.study_record(study))]

    def claims_inputs(self) -> list[str]:
        """The claims of each study, and what it says about its runs."""
        studies = self.resolved.studies
        claims = [str(self.study_folder(study) / "claims.csv") for study in studies]
        return [*claims, *(table for study in studies for table in self.study_quality(study))]

    def study_files(self) -> list[str]:
        """Settings of each study at this scale."""
        return [str(self.study_file(study)) for study in self.resolved.studies]

    def study_configs(self) -> list[str]:
        """Settings of all studies there are, run at this scale or not."""
        return sorted(map(str, study_file(CONFIG_FOLDER, "*").parent.glob("*.yaml")))

    def quality(self) -> list[str]:
        """Tables of the quality control."""
        return [str(self.root / "quality" / f"{name}.csv") for name in (*STUDY_QUALITY, NEEDS)]

    def ranking(self, file: str) -> str:
        """A file of the ranking over all studies."""
        return str(self.root / "ranking" / file)

    def ledger(self) -> list[str]:
        """Every file that the ledger and the quality control write."""
        pages = [f"claims.{kind}" for kind in ("csv", "html", "md", "tex")] + ["quality.html", "quality.md"]
        return [*(str(self.root / name) for name in pages), *self.quality()]

    def all_ranking(self) -> list[str]:
        """Every file that the ranking writes."""
        figures = [f"critical_difference.{kind}" for kind in ("pdf", "svg", "png")]
        tables = ["ranking.csv", "pairwise.csv", "ranking.md", "ranking.tex", "cells.csv"]
        return [self.ranking(name) for name in [*figures, *tables]]

    def configuration(self) -> list[str]:
        """Every file that `wgpipe resolve` writes."""
        folder = self.config_folder()
        own = [file for study in self.resolved.studies for file in (self.metrics_file(study), self.study_file(study))]
        return [*self.all_recipes(), *map(str, [*own, folder / EXCLUSIONS, folder / RESOLVED])]

    def prepared(self) -> list[str]:
        """Every prepared dataset."""
        names = sorted({block.dataset for block in self.blocks})
        return [str(self.dataset_folder(name) / file) for name in names for file in (DATA, CARD)]

    def all_features(self) -> list[str]:
        """Every file of the networks that look at images, without weights that are downloaded."""
        found: list[Path] = []
        for dataset in self.datasets:
            for network, chosen in self.networks(dataset).items():
                folder = self.features_folder(dataset) / network
                trained = [folder / WEIGHTS, folder / CLASSIFIER] if chosen.trained else []
                found += [*trained, folder / FEATURES, folder / RECORD]
        return [str(file) for file in found]

    def all_results(self) -> list[str]:
        """Every file that rules write below results/<scale>, without the manifest."""
        measured = self.all_measured()
        return [
            *self.configuration(),
            *self.prepared(),
            *self.all_features(),
            *self.all_trained(),
            *measured,
            *(str(Path(table).with_suffix(".json")) for table in measured),
            *(file for study in self.resolved.studies for file in self.study_pictures(study)),
            *(file for study in self.resolved.studies for file in self.study_outputs(study)),
            *self.ledger(),
            *self.all_ranking(),
        ]

    def all_recipes(self) -> list[str]:
        """Every recipe as `wgpipe resolve` wrote it."""
        return [str(self.recipe_file(recipe)) for recipe in self.recipes]

    def all_measured(self) -> list[str]:
        """Tables of all pairs of all studies, each once."""
        return sorted({table for study in self.resolved.studies for table in self.measured(study)})

    def own_files(self, wildcards: Wildcards) -> str:
        """Options that name the user's own pieces of a job."""
        pieces = [("dataset", family(wildcards.dataset))]
        if hasattr(wildcards, "recipe"):
            pieces += [(kind, piece.name) for kind, piece in self.recipes[wildcards.recipe].pieces()]
            pieces += [("metric", metric) for metric in self._metrics(wildcards)]
        config = self.resolved.config
        own = {(kind, name): getattr(config, f"{kind}s").get(name) for kind, name in pieces}
        return " ".join(f"--own {shlex.quote(f'{kind}:{name}={file}')}" for (kind, name), file in own.items() if file)

    def preparing(self, wildcards: Wildcards) -> str:
        """Fingerprint of the code that prepares a dataset."""
        return identity.preparing_code(family(wildcards.dataset))

    def featuring(self, wildcards: Wildcards) -> str:
        """Fingerprint of the code by which a network looks at images."""
        return identity.features_code(self.extractor(wildcards))

    def training(self, wildcards: Wildcards) -> str:
        """Fingerprint of the code that trains a block."""
        return self.training_code(wildcards.dataset, wildcards.recipe)

    def measuring(self, wildcards: Wildcards) -> str:
        """Fingerprints of the metrics of a pair."""
        return self.measuring_code(wildcards.dataset, wildcards.recipe)

    @functools.cached_property
    def all_networks(self) -> dict[str, Extractor]:
        """Networks that look at images of any dataset: folder -> an extractor."""
        return {name: chosen for dataset in self.datasets for name, chosen in self.networks(dataset).items()}

    def _metrics(self, wildcards: Wildcards) -> list[str]:
        studies = self.studies_of(wildcards.dataset, wildcards.recipe)
        return sorted({metric for study in studies for metric in self.resolved.metrics[study]})

    def _blocks(self, wildcards: Wildcards) -> list[Block]:
        return self.bundles[self._bundle(wildcards)]

    def _bundle(self, wildcards: Wildcards) -> Bundle:
        first, last = map(int, wildcards.seeds.split("-"))
        return Bundle(wildcards.dataset, wildcards.recipe, tuple(range(first, last + 1)))

    def _wanted_records(self, bundles: Iterable[Bundle]) -> list[str]:
        records = [self.bundle_folder(bundle) / files.BUNDLE for bundle in sorted(set(bundles))]
        return [str(record) for record in records if not self.resolved.config.allow_missing or record.is_file()]

    def _wanted_folders(self, blocks: Iterable[Block]) -> list[str]:
        """With `allow_missing`, of the blocks that are trained; otherwise of all."""
        folders = [self.block_folder(block) for block in blocks]
        every = not self.resolved.config.allow_missing
        return [str(folder) for folder in folders if every or (folder / files.RUN).is_file()]


def config_digest(paths: list[Path], overrides: dict[str, Any]) -> str:
    """sha256 of the configuration as given, its study files, the user's own files and the package's code."""
    raw = raw_config(paths, overrides)
    studies = raw.get("studies")
    named = [study_file(paths[0].parent, str(study)) for study in (studies if isinstance(studies, list) else [])]
    given = [raw.get(f"{kind}s") for kind in OWN_KINDS]
    own = [Path(str(file)) for files in given if isinstance(files, dict) for file in files.values()]
    content = [sha256(file) if file.is_file() else None for file in [*named, *own]]
    decisive = json.dumps([raw, content, identity.whole_code()], sort_keys=True, default=str)
    return hashlib.sha256(decisive.encode()).hexdigest()


def _resolve(overlays: list[Path], overrides: dict[str, Any]) -> None:
    command = [sys.executable, "-m", "wgpipe.cli", "resolve", *map(str, overlays), "--settings", json.dumps(overrides)]
    done = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise UserError(done.stderr.strip().removeprefix("wgpipe: "))


def _digest_of(file: Path) -> str | None:
    try:
        digest = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return str(digest)


def _is_whole(block: Path, code: str) -> bool:
    return _code_of(block / files.RUN) == code and all((block / name).is_file() for name in files.OUTPUTS)


def _touch_if_stale(record: Path, code: str, file: Path) -> None:
    if record.is_file() and _code_of(record) != code and file.stat().st_mtime <= record.stat().st_mtime:
        os.utime(file)


def _remove_if_stale(record: Path, code: str) -> None:
    if _code_of(record) != code:
        record.unlink(missing_ok=True)


def _code_of(record: Path) -> str | None:
    try:
        return str(json.loads(record.read_text(encoding="utf-8"))["code"])
    except (OSError, ValueError, KeyError, TypeError):
        return None

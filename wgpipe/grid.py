"""What is run, and where it lies: blocks, exclusions with reasons, and every path below results/<scale>."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

from wgpipe import registry
from wgpipe.data import Dataset, dataset, family
from wgpipe.data.planted import DoesNotFitError
from wgpipe.errors import UserError
from wgpipe.extractors import REFERENCE, Extractor, extractor, wanted, weights_file
from wgpipe.hashes import sha256
from wgpipe.identity import metric_code, training_code
from wgpipe.names import checked
from wgpipe.recipe import Recipe
from wgpipe.resolve import Resolved, read_resolved, write_if_changed
from wgpipe.train import files

Pair = tuple[str, str]  # (dataset, recipe)
Key = TypeVar("Key")

RESULTS = Path("results")
RESOLVED = "resolved.json"
DIGEST = ".digest"  # of the configuration as it was given, when it was last resolved, and of what that wrote
EXCLUSIONS = "exclusions.json"
DOWNLOADS = RESULTS / "downloads"
STUDY_QUALITY = ("failures", "controls", "floors")  # tables that every study writes about its runs
REAL = "oracle"  # the control that is real data
NEEDS = "needs"  # the table of what undecided claims need


@dataclass(frozen=True, order=True)
class Block:
    """Runs that differ only in the seed and train together."""

    dataset: str
    recipe: str
    n: int
    seeds: tuple[int, ...]

    @property
    def pair(self) -> Pair:
        """(dataset, recipe)."""
        return self.dataset, self.recipe

    @property
    def bundle(self) -> Bundle:
        """What it is trained with."""
        return Bundle(self.dataset, self.recipe, self.seeds)


@dataclass(frozen=True, order=True)
class Bundle:
    """Blocks of one dataset, recipe and slot, for every n: what is trained in one process."""

    dataset: str
    recipe: str
    seeds: tuple[int, ...]

    @property
    def slot(self) -> str:
        """`0-7`."""
        return f"{self.seeds[0]}-{self.seeds[-1]}"


@dataclass(frozen=True)
class Exclusion:
    """What a grid asks for and cannot have."""

    study: str
    dataset: str
    reason: str


class Grid:
    """All blocks of a resolved configuration, in a fixed order, each once however many studies ask for it.

    Results lie in results/<scale>, or wherever `root` says.
    """

    def __init__(self, resolved: Resolved, root: Path | None = None) -> None:
        self.resolved = resolved
        self.scale = resolved.config.scale
        self.recipes: dict[str, Recipe] = resolved.recipes
        self.datasets: dict[str, Dataset] = {}
        self.exclusions: list[Exclusion] = []
        self.study_blocks = {study: sorted(set(self._expand(study))) for study in resolved.studies}
        self.blocks = sorted({block for blocks in self.study_blocks.values() for block in blocks})
        self.root = root or RESULTS / self.scale
        self.bundles = _grouped(self.blocks, lambda block: block.bundle)
        self._blocks_of = _grouped(self.blocks, lambda block: block.pair)
        self._codes: dict[tuple[Any, ...], str] = {}  # fingerprints that were asked for
        self._study_pairs = {s: {block.pair for block in blocks} for s, blocks in self.study_blocks.items()}

    def pairs(self) -> list[Pair]:
        """(dataset, recipe) of all blocks: what is measured in one job."""
        return sorted(self._blocks_of)

    def blocks_of(self, dataset: str, recipe: str) -> list[Block]:
        """All blocks of a pair, by n and seeds."""
        return self._blocks_of[dataset, recipe]

    def studies_of(self, dataset: str, recipe: str) -> list[str]:
        """Studies that use a pair."""
        return [study for study, pairs in self._study_pairs.items() if (dataset, recipe) in pairs]

    def networks(self, dataset: str, studies: Iterable[str] | None = None) -> dict[str, Extractor]:
        """Networks by which the metrics of studies, or of all, look at a dataset's images: folder -> an extractor."""
        asked = [name for settings in self._metrics_of(studies) for name in wanted(settings, self.datasets[dataset])]
        return {chosen.pass_name: chosen for chosen in map(extractor, sorted(asked))}

    def references(self, dataset: str, network: str) -> int:
        """How many real images of each split these metrics compare with."""
        counts: list[int] = [
            settings.get("real", REFERENCE)
            for settings in self._metrics_of()
            for name in wanted(settings, self.datasets[dataset])
            if extractor(name).pass_name == network
        ]
        return max(counts)

    def _metrics_of(self, studies: Iterable[str] | None = None) -> Iterator[dict[str, Any]]:
        """Settings of all metrics of studies, or of all studies."""
        for study in self.resolved.studies if studies is None else studies:
            yield from self.resolved.metrics[study].values()

    def wants_gpu(self, recipe: str) -> bool:
        """Whether a study asks for a GPU for this recipe, on a cluster."""
        return any(recipe in study.scales[self.scale].gpu for study in self.resolved.studies.values())

    def pictured(self, study: str) -> list[Pair]:
        """Pairs whose images a study draws: all recipes, and real data, on datasets of images."""
        settings = self.resolved.studies[study]
        if settings.pictures is None:
            return []
        shown = {*settings.recipes, REAL}
        pairs = sorted(self._study_pairs[study])
        return [pair for pair in pairs if pair[1] in shown and self.datasets[pair[0]].card().shape is not None]

    # Paths: nothing else in the package knows them.

    def config_folder(self) -> Path:
        """What `wgpipe resolve` writes."""
        return self.root / "config"

    def recipe_file(self, recipe: str) -> Path:
        """One recipe with all its settings."""
        return self.config_folder() / "recipes" / f"{recipe}.json"

    def metrics_file(self, study: str) -> Path:
        """Metrics of a study with their settings."""
        return self.config_folder() / "metrics" / f"{study}.json"

    def study_file(self, study: str) -> Path:
        """A study's own settings and blocks."""
        return self.config_folder() / "studies" / f"{study}.json"

    def dataset_folder(self, dataset: str) -> Path:
        """data.npz and card.json."""
        return self.root / "data" / dataset

    def features_folder(self, dataset: str) -> Path:
        """A folder a network: features.safetensors and features.json, and weights of what is trained on the dataset."""
        return self.root / "features" / dataset

    def weights_file(self, dataset: str, chosen: Extractor) -> Path:
        """Weights of a network."""
        return weights_file(chosen, self.features_folder(dataset), DOWNLOADS)

    def bundle_folder(self, bundle: Bundle) -> Path:
        """bundle.json and a folder a block; cost.json, train.log and, while it trains, a checkpoint beside."""
        return self.root / "runs" / bundle.dataset / bundle.recipe / f"s{bundle.slot}"

    def block_folder(self, block: Block) -> Path:
        """generator.safetensors, critic.safetensors, history.parquet, run.json; metrics/ beside."""
        return self.bundle_folder(block.bundle) / files.block(block.n)

    def measures_file(self, dataset: str, recipe: str) -> Path:
        """All metrics of all blocks of a pair, tidy."""
        return self.root / "measures" / dataset / f"{recipe}.parquet"

    def measures_record(self, dataset: str, recipe: str) -> Path:
        """Which code measured it."""
        return self.measures_file(dataset, recipe).with_suffix(".json")

    def pictures_file(self, study: str, dataset: str, recipe: str) -> Path:
        """Images of a pair that a study draws."""
        return self.root / "pictures" / study / dataset / f"{recipe}.npz"

    def study_folder(self, study: str) -> Path:
        """Tables, figures and claims of a study."""
        return self.root / "studies" / study

    # Fingerprints: which code a result depends on.

    def training_code(self, dataset: str, recipe: str) -> str:
        """Of a block."""
        chosen = self.recipes[recipe]
        key = (family(dataset), *((kind, piece.name) for kind, piece in chosen.pieces()))
        if key not in self._codes:
            self._codes[key] = training_code(chosen, family(dataset))
        return self._codes[key]

    def measuring_code(self, dataset: str, recipe: str) -> str:
        """Of the measures of a pair: all metrics of the studies that use it."""
        studies = self.studies_of(dataset, recipe)
        key = ("metrics", *studies)
        if key not in self._codes:
            metrics = {metric for study in studies for metric in self.resolved.metrics[study]}
            self._codes[key] = " ".join(f"{metric}={metric_code(metric)}" for metric in sorted(metrics))
        return self._codes[key]

    def citations(self) -> list[str]:
        """Keys of everything that this configuration uses, sorted."""
        keys = {"molder2021", "paszke2019", "flamary2021"}
        for name in self.resolved.studies:
            keys |= set(self.resolved.studies[name].cites)
            keys |= {key for metric in self.resolved.metrics[name] for key in registry.load("metric", metric).cites}
        for name, item in self.datasets.items():
            keys |= set(item.card().cites)
            keys |= {key for chosen in self.networks(name).values() for key in chosen.cites}
        for recipe in self.recipes.values():
            for kind, piece in recipe.pieces():
                keys |= set(registry.load(kind, piece.name).cites)
        return sorted(keys)

    def write_config(self, digest: str) -> None:
        """The resolved configuration and its slices, each rewritten only if it changed: they are inputs of jobs."""
        for name, recipe in self.recipes.items():
            write_if_changed(self.recipe_file(name), recipe.model_dump(mode="json"))
        for study, blocks in self.study_blocks.items():
            write_if_changed(self.metrics_file(study), self.resolved.metrics[study])
            content = {"study": self.resolved.studies[study].model_dump(mode="json"), "scale": self.scale}
            rows = [[block.dataset, block.recipe, block.n, block.seeds] for block in blocks]
            write_if_changed(self.study_file(study), {**content, "blocks": rows})
        excluded = [asdict(exclusion) for exclusion in self.exclusions]
        write_if_changed(self.config_folder() / EXCLUSIONS, excluded)
        write_if_changed(self.config_folder() / RESOLVED, self.resolved.to_json())
        write_if_changed(self.config_folder() / DIGEST, written_digest(self.config_folder(), digest))

    def _expand(self, study: str) -> Iterator[Block]:
        given = self.resolved.studies[study]
        slots = self.resolved.config.blocks_of_seeds(given.scales[self.scale])
        for part in given.scales[self.scale].grid:
            for name in part.dataset_names():
                try:
                    self.datasets[name] = dataset(name)
                except DoesNotFitError as error:
                    self._exclude(Exclusion(study, name, str(error)))
                    continue
                bases = [base for recipe in part.recipes if (base := self.recipes[recipe].on)]
                for recipe in [*part.recipes, *bases, *given.controls]:
                    for n in part.n:
                        for seeds in slots:
                            yield Block(name, recipe, n, seeds)

    def _exclude(self, exclusion: Exclusion) -> None:
        if exclusion not in self.exclusions:
            self.exclusions.append(exclusion)


def _grouped(blocks: list[Block], key: Callable[[Block], Key]) -> dict[Key, list[Block]]:
    groups: dict[Key, list[Block]] = defaultdict(list)
    for block in blocks:
        groups[key(block)].append(block)
    return dict(groups)


def written_digest(folder: Path, digest: str) -> str:
    """sha256 of a digest and of the files that were resolved into a folder: a lost or damaged one is seen."""
    whole = hashlib.sha256(digest.encode())
    for file in sorted(folder.rglob("*.json")):
        whole.update(f"{file.relative_to(folder).as_posix()} {sha256(file)}\n".encode())
    return whole.hexdigest()


def resolved_grid(scale: str) -> Grid:
    """The grid of what `wgpipe resolve` last wrote for a scale; `UserError` if it never did."""
    try:
        file = RESULTS / checked(scale) / "config" / RESOLVED
    except ValueError as error:
        raise UserError(f"scale = {scale[:80]!r}: {error}.") from None
    if not file.is_file():
        raise UserError(f"{file} does not exist: nothing of scale '{scale}' was run here yet.")
    return Grid(read_resolved(file))

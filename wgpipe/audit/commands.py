"""The shell lines by which the rules make each result, so that it can be made again by hand."""

from __future__ import annotations

import shlex
from pathlib import Path
from types import SimpleNamespace

from wgpipe.dag import Dag
from wgpipe.grid import DOWNLOADS, Bundle

Command = list[str]


def shown(command: Command) -> str:
    """A line to paste into a shell."""
    return shlex.join(command)


def fetch(dag: Dag, dataset: str) -> list[Command]:
    """Download every file of a dataset, and weights of the networks that look at its images."""
    owned = {dataset: dag.datasets[dataset].sources()}
    owned |= {chosen.name: chosen.sources() for chosen in dag.networks(dataset).values()}
    return [
        ["wgpipe", "fetch", owner, "--file", source.file, "--out", str(DOWNLOADS)]
        for owner, sources in owned.items()
        for source in sources
    ]


def prepare(dag: Dag, dataset: str) -> Command:
    """Make data.npz and card.json."""
    folder = str(dag.dataset_folder(dataset))
    command = ["wgpipe", "prepare", dataset, "--downloads", str(DOWNLOADS), "--out", folder]
    return [*command, *shlex.split(dag.own_files(SimpleNamespace(dataset=dataset)))]


def look(dag: Dag, dataset: str) -> list[Command]:
    """Train the networks that look at a dataset's images, if they are not downloaded, and keep its features."""
    names = SimpleNamespace(dataset=dataset)
    data, threads = ["--data", str(dag.dataset_folder(dataset))], ["--threads", str(dag.resolved.config.threads)]
    folder, own = dag.features_folder(dataset), shlex.split(dag.own_files(names))
    made: list[Command] = []
    for network, chosen in dag.networks(dataset).items():
        if chosen.trained:
            made.append(["wgpipe", network, *data, "--out", str(folder / network), *threads, *own])
        looks = ["--extractor", chosen.name, "--count", str(dag.references(dataset, network))]
        places = ["--features", str(folder), "--downloads", str(DOWNLOADS)]
        device = ["--device", dag.looking_device]
        made.append(["wgpipe", "features", *data, *looks, *places, *threads, *device, *own])
    return made


def train(dag: Dag, bundle: Bundle, sizes: list[int] | None = None, out: Path | None = None) -> Command:
    """Train the blocks of a bundle, or those of some sizes, into its own folder or another."""
    names = _names(bundle)
    wanted = dag.sizes(names) if sizes is None else sizes
    settings = dag.resolved.config
    return [
        *("wgpipe", "train", "--recipe", str(dag.recipe_file(bundle.recipe))),
        *("--data", str(dag.dataset_folder(bundle.dataset)), "--n", *map(str, wanted), "--seeds", bundle.slot),
        *("--out", str(out or dag.bundle_folder(bundle)), "--threads", str(settings.threads)),
        *("--device", settings.device, *shlex.split(dag.base_option(names)), *shlex.split(dag.own_files(names))),
    ]


def measure(dag: Dag, dataset: str, recipe: str) -> Command:
    """Measure all blocks of a dataset and recipe."""
    names = SimpleNamespace(dataset=dataset, recipe=recipe)
    return _measure(dag, names, dag.block_folders(names), dag.measures_file(dataset, recipe))


def measure_again(dag: Dag, bundle: Bundle, block: Path, out: Path) -> Command:
    """Measure one block that lies elsewhere, as the blocks of its dataset and recipe are."""
    return _measure(dag, _names(bundle), [str(block)], out)


def pictures(dag: Dag, study: str, dataset: str, recipe: str) -> Command:
    """Images of a dataset and recipe that a study draws."""
    names = SimpleNamespace(study=study, dataset=dataset, recipe=recipe)
    return [
        *("wgpipe", "pictures", "--recipe", dag.recipe_input(names), "--data", str(dag.dataset_folder(dataset))),
        *("--blocks", *dag.block_folders(names), *shlex.split(dag.picture_options(names))),
        *("--out", str(dag.pictures_file(study, dataset, recipe)), "--threads", str(dag.resolved.config.threads)),
        *shlex.split(dag.features_option(names)),
        *shlex.split(dag.own_files(names)),
    ]


def study(dag: Dag, name: str) -> Command:
    """Tables, figures and claims of one study."""
    missing = ["--allow-missing"] if dag.resolved.config.allow_missing else []
    return [
        *("wgpipe", "study", "--study", str(dag.study_file(name)), "--measures", *dag.measured(name)),
        *("--pictures", *dag.study_pictures(name), "--out", str(dag.study_folder(name)), *missing),
    ]


def ledger(dag: Dag) -> Command:
    """The claims of all studies, and their quality control."""
    folders = [str(dag.study_folder(study)) for study in dag.resolved.studies]
    return [
        *("wgpipe", "ledger", "--studies", *folders, "--settings", *dag.study_files()),
        *("--configs", *dag.study_configs(), "--out", str(dag.root)),
    ]


def ranking(dag: Dag) -> Command:
    """Methods ranked over all studies."""
    inputs = ["--recipes", *dag.all_recipes(), "--measures", *dag.all_measured()]
    return ["wgpipe", "ranking", *inputs, "--out", str(Path(dag.ranking("ranking.csv")).parent)]


def _measure(dag: Dag, names: SimpleNamespace, blocks: list[str], out: Path) -> Command:
    return [
        *("wgpipe", "measure", "--recipe", dag.recipe_input(names)),
        *("--data", str(dag.dataset_folder(names.dataset)), "--metrics", *dag.metrics_inputs(names)),
        *("--blocks", *blocks, "--out", str(out), "--threads", str(dag.resolved.config.threads)),
        *shlex.split(dag.features_option(names)),
        *shlex.split(dag.own_files(names)),
    ]


def _names(bundle: Bundle) -> SimpleNamespace:
    """A bundle as the wildcards of its rule."""
    return SimpleNamespace(dataset=bundle.dataset, recipe=bundle.recipe, seeds=bundle.slot)

"""What a grid will cost, from a small model whose constants were measured, and how it is said."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from wgpipe.data import Dataset, dataset
from wgpipe.extractors import NEIGHBOURS, REFERENCE, Extractor, extractor, wanted
from wgpipe.grid import Block, Grid
from wgpipe.methods import Control
from wgpipe.recipe import Recipe
from wgpipe.train import sizing

# Measured on one core of a 2-core AVX-512 machine.
START_SECONDS = 2.6  # a process that imports torch and reads its inputs
CONTROL_SECONDS = 1.0  # a process that does not
BLOCK_SECONDS = 0.02  # writing a block, or fitting a control
UPDATE_SECONDS = {"analytic": 0.17e-3, "autograd": 0.7e-3, "pictures": 6e-3}  # dispatch of one update of one stack
FLOPS_PER_SECOND = {"analytic": 45e9, "autograd": 45e9, "pictures": 60e9}
INNER = {"w2-icnn": 18.0, "w2gn": 13.0, "seguy": 4.0}  # times that an update takes, over two passes of a critic
TRANSPORT_SECONDS = 0.35  # exact transport between 2048 and 2048 points, with the other core at work
CHEAP_SECONDS = 0.02  # any other comparison of 2048 and 2048 points
TRANSPORT_POWER = 1.0  # in the product of both sizes
CRITIC_STEP_SECONDS = 2e-3
POT_SECONDS = 1.5  # import of the transport library
STUDY_SECONDS = 12.0
STUDY_MB = 1200
PREPARE_SECONDS = 1.0  # a process without torch that writes exact laws
NUMBER_SECONDS = 2e-8  # preparing one number of an array that is read
PICTURE_SECONDS = {"celeba": 2e-3, "lsun_bedroom": 3e-3}  # decoding one picture
PREPARE_MB = 250
NEIGHBOUR_SECONDS = 3e-9  # comparing one number of a training image with that of a generated one
CLASSIFIER_SECONDS = 8e-7  # training the classifier, for a number of a training image: 60 000 of 14×14 take ten seconds
MEASURING_MB = 700  # a process with torch and the transport library
COST_BYTES = 10  # of exact transport, for a pair of points
FEATURE_BYTES = 4 * 4096  # of all layers of a network, for an image
IMAGE_BYTES = 2  # of generated images, for a number: the bytes of samples of several sizes
DRAWN_BYTES = 8  # of images that a control draws, all of a member at once, for a number
COMPARED_BYTES = 8 * 3  # of images whose neighbours are looked for, for a number of one of them, in double precision
BYTE_NUMBERS = 1 / 6  # of the memory that a sample takes otherwise, where its numbers are bytes
MEMORY_MARGIN = 1.3  # of requested over predicted memory
MARGIN = 3  # of requested over predicted time


def training_seconds(recipe: Recipe, blocks: Sequence[Block]) -> float:
    """Core-seconds of one bundle."""
    if recipe.is_control:
        return CONTROL_SECONDS + BLOCK_SECONDS * len(blocks)
    latent, dimension = _dimensions(recipe, blocks[0])
    generator = sizing.generator_size(recipe, latent, dimension).multiplications
    critic = sizing.critic_size(recipe, dimension).multiplications
    training = recipe.training
    members = sum(len(block.seeds) for block in blocks)
    points = 2.0 * members * training.batch
    penalised = 3 if sizing.penalised(recipe) else 0
    critic_updates = training.critic_steps if critic else 0
    critic_update = points * (generator + (6 + penalised) * critic)
    generator_update = points * (3 * generator + 2 * critic) if generator else 0
    flops = critic_updates * critic_update + generator_update
    nets = {net.name for net in (recipe.generator, recipe.critic) if net}
    path = "pictures" if sizing.has_pictures(recipe) else "analytic" if nets == {"mlp"} else "autograd"
    stacks = members if path == "pictures" else math.ceil(members / sizing.members_in_cache(recipe))
    updates = (critic_updates + (1 if generator else 0)) * stacks
    seconds = training.steps * (updates * UPDATE_SECONDS[path] + flops / FLOPS_PER_SECOND[path])
    seconds *= INNER.get(recipe.method.name, 1.0)
    return START_SECONDS + BLOCK_SECONDS * len(blocks) + seconds


def training_mb(recipe: Recipe, blocks: Sequence[Block]) -> float:
    """Peak memory of one bundle; samples of images are bytes."""
    kept = _kept(recipe, blocks[0])
    sizes = [math.ceil(kept * block.n) for block in blocks for _ in block.seeds]
    return sizing.training_mb(recipe, sizes, *_dimensions(recipe, blocks[0]))


def _kept(recipe: Recipe, block: Block) -> float:
    """The part of a training sample, in double and single precision, that a bundle has in memory."""
    given = dataset(block.dataset)
    if not recipe.is_control:
        return BYTE_NUMBERS if given.card().shape else 1.0
    method = recipe.method.build("method")
    return 0.0 if isinstance(method, Control) and not method.needs_points(given) else 1.0


def _dimensions(recipe: Recipe, block: Block) -> tuple[int, int]:
    """Of the latent space and of the data."""
    card = dataset(block.dataset).card()
    return recipe.latent_dimension(card.intrinsic or card.latent), card.dimension


def measuring_seconds(grid: Grid, dataset_name: str, recipe: str) -> float:
    """Core-seconds of one measuring job."""
    blocks = grid.blocks_of(dataset_name, recipe)
    seeds = sum(len(block.seeds) for block in blocks)
    control = grid.recipes[recipe].is_control
    seconds = POT_SECONDS + (CONTROL_SECONDS if control else START_SECONDS)
    for study in grid.studies_of(dataset_name, recipe):
        for name, settings in grid.resolved.metrics[study].items():
            seconds += _seen_seconds(settings, grid.datasets[dataset_name], seeds)
            if name == "critic":
                steps = settings.get("steps", 200)
                seconds += 0 if control else len(blocks) * steps * CRITIC_STEP_SECONDS + 0.1 * seeds
            elif name == "separation":
                chosen = grid.recipes[recipe]
                unbound = chosen.method.name == "vanilla" and chosen.constraint.name == "none" and not control
                seconds += len(blocks) * settings.get("steps", 4000) * CRITIC_STEP_SECONDS if unbound else 0
            else:
                size = pairs_of_points(settings, dataset_name) / 2048**2
                unit = TRANSPORT_SECONDS if name in ("w1", "w2", "generalisation") else CHEAP_SECONDS
                seconds += seeds * unit * size**TRANSPORT_POWER
    return seconds


def measuring_mb(grid: Grid, dataset_name: str, recipe: str) -> float:
    """Peak memory of one measuring job: the costs of the largest exact transport, or the images of a block."""
    given, most = grid.datasets[dataset_name], 0.0
    members = max(len(block.seeds) for block in grid.blocks_of(dataset_name, recipe))
    for study in grid.studies_of(dataset_name, recipe):
        for name, settings in grid.resolved.metrics[study].items():
            if wanted(settings, given):
                size, real = settings.get("generated", REFERENCE), settings.get("real", REFERENCE)
                images = members * size
                seen = FEATURE_BYTES * (images + 2 * real)
                compared = COMPARED_BYTES * real if name == "image_neighbours" else 0
                drawn = DRAWN_BYTES * size if grid.recipes[recipe].is_control else 0
                most = max(most, (IMAGE_BYTES * images + compared + drawn) * given.card().dimension + seen)
            else:
                most = max(most, COST_BYTES * pairs_of_points(settings, dataset_name))
    return MEASURING_MB + most / 2**20


def classifier_seconds(grid: Grid, dataset_name: str) -> float:
    """Core-seconds of the classifier of a dataset."""
    card = grid.datasets[dataset_name].card()
    return START_SECONDS + CLASSIFIER_SECONDS * (card.train_size or 0) * card.dimension


def featuring_seconds(chosen: Extractor, count: int) -> float:
    """Core-seconds of the features of so many images of each of two splits."""
    return START_SECONDS + 2 * count * chosen.milliseconds / 1000


def preparing_seconds(given: Dataset) -> float:
    """Core-seconds of one prepared dataset."""
    card = given.card()
    rows = (card.train_size or 0) + (card.test_size or 0)
    each = PICTURE_SECONDS.get(given.registered_name, NUMBER_SECONDS * card.dimension)
    return PREPARE_SECONDS + rows * each


def preparing_mb(given: Dataset) -> float:
    """Peak memory: the arrays twice; pictures that are decoded one by one are written to a file."""
    card = given.card()
    if given.registered_name in PICTURE_SECONDS:
        return PREPARE_MB
    rows = (card.train_size or 0) + (card.test_size or 0)
    number = 1 if card.shape else 8
    return PREPARE_MB + 2 * number * rows * card.dimension / 2**20


def classifier_mb(grid: Grid, dataset_name: str) -> float:
    """Peak memory of the classifier of a dataset: its images as they lie, in single precision, and once more."""
    card = grid.datasets[dataset_name].card()
    return MEASURING_MB + 9 * (card.train_size or 0) * card.dimension / 2**20


def featuring_mb(grid: Grid, dataset_name: str, count: int) -> float:
    """Peak memory of the features of so many images of each of two splits."""
    image = 2 * grid.datasets[dataset_name].card().dimension
    return MEASURING_MB + 2 * count * (2 * FEATURE_BYTES + image) / 2**20


def drawing_seconds(grid: Grid, study: str, dataset_name: str, recipe: str) -> float:
    """Core-seconds of the images that a study draws of a pair: the neighbours in pixels and in features."""
    chosen, given = grid.resolved.studies[study].pictures, grid.datasets[dataset_name]
    assert chosen is not None
    largest = max(block.n for block in grid.blocks_of(dataset_name, recipe))
    numbers = chosen.neighbours * largest * given.card().dimension
    networks = grid.networks(dataset_name, [study]).values()
    seen = min(largest, NEIGHBOURS) * max((network.milliseconds for network in networks), default=0.0) / 1000
    return START_SECONDS + NEIGHBOUR_SECONDS * numbers + seen


def drawing_mb(grid: Grid, dataset_name: str, recipe: str) -> float:
    """Peak memory: the training images of a seed as bytes, and a part in double precision, twice."""
    dimension = grid.datasets[dataset_name].card().dimension
    largest = max(block.n for block in grid.blocks_of(dataset_name, recipe))
    rows = largest + 16 * min(largest, 10_000)
    return MEASURING_MB + dimension * rows / 2**20


def _seen_seconds(settings: dict[str, Any], given: Dataset, members: int) -> float:
    """Of the passes of generated images through networks."""
    networks = {chosen.pass_name: chosen.milliseconds for chosen in map(extractor, wanted(settings, given))}
    images: int = members * settings.get("generated", REFERENCE)
    return images * sum(networks.values()) / 1000


def pairs_of_points(settings: dict[str, Any], dataset_name: str) -> int:
    """Real times generated points that a metric compares; 0 on data that it leaves out."""
    chosen = settings.get("datasets")
    if chosen and dataset_name not in chosen:
        return 0
    points = settings.get("points")
    special = points.get(dataset_name) if isinstance(points, dict) else points
    return int((special or settings.get("real", 4096)) * (special or settings.get("generated", 4096)))


def plan_of(grid: Grid) -> dict[str, Any]:
    """Counts, exclusions with reasons, and core-hours by kind of work."""
    training = sum(training_seconds(grid.recipes[bundle.recipe], blocks) for bundle, blocks in grid.bundles.items())
    measuring = sum(measuring_seconds(grid, *pair) for pair in grid.pairs())
    studies = STUDY_SECONDS * len(grid.study_blocks)
    networks = {(name, network): one for name in grid.datasets for network, one in grid.networks(name).items()}
    owners: list[Dataset | Extractor] = [*grid.datasets.values(), *networks.values()]
    sources = {source.file for owner in owners for source in owner.sources()}
    trained = [name for (name, _), chosen in networks.items() if chosen.trained]
    seen = sum(featuring_seconds(chosen, grid.references(*key)) for key, chosen in networks.items())
    seen += sum(classifier_seconds(grid, name) for name in trained)
    drawn = sum(len(grid.pictured(study)) for study in grid.resolved.studies)
    jobs = {
        "fetch": len(sources),
        "prepare": len(grid.datasets),
        **({"classifier": len(trained), "features": len(networks)} if networks else {}),
        "train": len(grid.bundles),
        "measure": len(grid.pairs()),
        **({"pictures": drawn} if drawn else {}),
        "study": len(grid.study_blocks),
        "claims": 1,
        "ranking": 1,
    }
    hours = {"train": training / 3600, "measure": (measuring + seen) / 3600, "study": studies / 3600}
    return {
        "scale": grid.scale,
        "runs": sum(len(block.seeds) for block in grid.blocks),
        "blocks": len(grid.blocks),
        "blocks_by_recipe": dict(sorted(Counter(block.recipe for block in grid.blocks).items())),
        "jobs": {**jobs, "all": sum(jobs.values())},
        "exclusions": [asdict(exclusion) for exclusion in grid.exclusions],
        "core_hours": {
            **{name: round(value, 3) for name, value in hours.items()},
            "all": round(sum(hours.values()), 3),
        },
    }


def shown(plan: dict[str, Any]) -> str:
    """A plan as a short text."""
    jobs = ", ".join(f"{count} {kind}" for kind, count in plan["jobs"].items() if kind != "all")
    hours = ", ".join(f"{value:.2f} {kind}" for kind, value in plan["core_hours"].items() if kind != "all")
    cluster = _shown_cluster(plan) if "submissions" in plan else []
    lines = [
        f"scale {plan['scale']}: {plan['runs']} runs in {plan['blocks']} blocks",
        f"jobs: {plan['jobs']['all']} ({jobs})",
        f"core-hours, predicted: {plan['core_hours']['all']:.2f} ({hours})",
        *cluster,
        *(f"  {recipe}: {count} blocks" for recipe, count in plan["blocks_by_recipe"].items()),
        f"exclusions: {len(plan['exclusions'])}",
        *(f"  {item['study']}: {item['reason']}" for item in plan["exclusions"]),
    ]
    return "\n".join(lines)


def _shown_cluster(plan: dict[str, Any]) -> list[str]:
    """What a cluster would be given."""
    counts, chain, gpu = plan["submissions"], plan["longest_chain_hours"], plan["gpu"]
    kinds = ", ".join(f"{count} {kind}" for kind, count in counts.items() if kind != "all")
    hours = ", ".join(f"{value:.2f} {kind}" for kind, value in chain.items() if kind != "all")
    lines = [
        f"submissions: {counts['all']} ({kinds}); the other jobs run where snakemake does",
        f"longest chain, predicted: {chain['all']:.2f} hours ({hours})",
    ]
    if gpu["jobs"]:
        lines.append(f"for GPUs: {gpu['jobs']} jobs, {gpu['core_hours']:.2f} of the core-hours, none of the chain's")
    return lines

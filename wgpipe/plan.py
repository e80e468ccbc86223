"""What a grid will cost, from a small model whose constants were measured, and how it is said."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from wgpipe.data import dataset
from wgpipe.grid import Block, Grid
from wgpipe.recipe import Recipe
from wgpipe.train import sizing

# Measured on one core of a 2-core AVX-512 machine.
START_SECONDS = 2.6  # a process that imports torch and reads its inputs
CONTROL_SECONDS = 1.0  # a process that does not
BLOCK_SECONDS = 0.02  # writing a block, or fitting a control
UPDATE_SECONDS = {"analytic": 0.17e-3, "autograd": 0.7e-3}  # dispatch of one update of one stack, whatever its size
FLOPS_PER_SECOND = 45e9
INNER = {"w2-icnn": 18.0, "w2gn": 13.0, "seguy": 4.0}  # times that an update takes, over two passes of a critic
TRANSPORT_SECONDS = 0.35  # exact transport between 2048 and 2048 points, with the other core at work
CHEAP_SECONDS = 0.02  # any other comparison of 2048 and 2048 points
TRANSPORT_POWER = 1.0  # in the product of both sizes
CRITIC_STEP_SECONDS = 2e-3
POT_SECONDS = 1.5  # import of the transport library
STUDY_SECONDS = 12.0
MEASURING_MB = 700  # a process with torch and the transport library
MEMORY_MARGIN = 1.3  # of requested over predicted memory
MARGIN = 3  # of requested over predicted time


def training_seconds(recipe: Recipe, blocks: Sequence[Block]) -> float:
    """Core-seconds of one bundle."""
    if recipe.is_control:
        return CONTROL_SECONDS + BLOCK_SECONDS * len(blocks)
    latent, dimension = _dimensions(recipe, blocks[0])
    generator = sizing.weights(recipe.generator, latent, dimension) if recipe.generator else 0
    critic = sizing.weights(recipe.critic, dimension, 1) if recipe.critic else 0
    training = recipe.training
    members = sum(len(block.seeds) for block in blocks)
    points = 2.0 * members * training.batch
    penalised = 3 if sizing.penalised(recipe) else 0
    critic_updates = training.critic_steps if critic else 0
    critic_update = points * (generator + (6 + penalised) * critic)
    generator_update = points * (3 * generator + 2 * critic) if generator else 0
    flops = critic_updates * critic_update + generator_update
    nets = {net.name for net in (recipe.generator, recipe.critic) if net}
    path = "analytic" if nets == {"mlp"} else "autograd"
    updates = (critic_updates + (1 if generator else 0)) * math.ceil(members / sizing.members_in_cache(recipe))
    seconds = training.steps * (updates * UPDATE_SECONDS[path] + flops / FLOPS_PER_SECOND)
    seconds *= INNER.get(recipe.method.name, 1.0)
    return START_SECONDS + BLOCK_SECONDS * len(blocks) + seconds


def training_mb(recipe: Recipe, blocks: Sequence[Block]) -> float:
    """Peak memory of one bundle."""
    sizes = [block.n for block in blocks for _ in block.seeds]
    return sizing.training_mb(recipe, sizes, *_dimensions(recipe, blocks[0]))


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
    sources = {source.file for item in grid.datasets.values() for source in item.sources()}
    jobs = {
        "fetch": len(sources),
        "prepare": len(grid.datasets),
        "train": len(grid.bundles),
        "measure": len(grid.pairs()),
        "study": len(grid.study_blocks),
        "claims": 1,
        "ranking": 1,
    }
    hours = {"train": training / 3600, "measure": measuring / 3600, "study": studies / 3600}
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
    lines = [
        f"scale {plan['scale']}: {plan['runs']} runs in {plan['blocks']} blocks",
        f"jobs: {plan['jobs']['all']} ({jobs})",
        f"core-hours, predicted: {plan['core_hours']['all']:.2f} ({hours})",
        *(f"  {recipe}: {count} blocks" for recipe, count in plan["blocks_by_recipe"].items()),
        f"exclusions: {len(plan['exclusions'])}",
        *(f"  {item['study']}: {item['reason']}" for item in plan["exclusions"]),
    ]
    return "\n".join(lines)

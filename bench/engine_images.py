"""The same training by wgpipe's engine."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bench.image_cells import BATCH, BETAS, LATENT, PENALTY, POINTS, RATE, ImageCell


def recipe(cell: ImageCell) -> Any:
    """The cell's training as a `wgpipe.recipe.Recipe`."""
    from wgpipe.recipe import Recipe

    dcgan = {"name": "dcgan", "width": cell.width}
    penalty = {"name": "gp", "weight": PENALTY, "lipschitz": 1.0}
    return Recipe.model_validate(
        {
            "method": {"name": cell.method.partition("-")[0]},
            "constraint": penalty if cell.method == "wgan-gp" else {"name": "none"},
            "generator": dcgan,
            "critic": {**dcgan, "norm": cell.norm},
            "latent": LATENT,
            "prior": "uniform",
            "training": {
                "steps": 10**9,
                "batch": BATCH,
                "critic_steps": cell.critic_steps,
                "generator_rate": RATE,
                "critic_rate": RATE,
                "betas": BETAS,
                "decay": "none",
                "average": 0.0,
            },
        }
    )


def stacks(cell: ImageCell) -> Any:
    """A training as `wgpipe train` makes it, with chunks of `cell.steps()` updates, on points of a cube."""
    import torch

    from wgpipe.data import dataset
    from wgpipe.train import draws, population
    from wgpipe.train.job import Job
    from wgpipe.train.stacks import Stacks

    for module in (draws, population):
        vars(module)["CHUNK"] = cell.steps()
    dimension = cell.side**2
    data, seeds = dataset(f"cube-{dimension}in{dimension}"), tuple(range(cell.stack))
    job = Job("bench", recipe(cell), data, data.prepare({}), {}, POINTS, seeds)
    return Stacks([job], torch.device("cpu"), torch.get_num_threads())


def start(cell: ImageCell) -> Callable[[], None]:
    """A training of `cell.stack` members; each call does `cell.steps()` generator updates of each."""
    train_chunk: Callable[[], None] = stacks(cell).train_chunk
    return train_chunk

"""Short trainings, for tests that a method ends in the right place."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from wgpipe.data import dataset
from wgpipe.metrics.energy import Energy
from wgpipe.recipe import Recipe
from wgpipe.rng import sample_stream
from wgpipe.train.draws import Members, prior_sample
from wgpipe.train.population import Population

NET = {"name": "mlp", "hidden": [32, 32]}
N, POINTS, SEED = 1024, 1024, 0


def population(name: str, method: dict[str, Any], **recipe: Any) -> Population:
    """One untrained member on a dataset, with a small network on each side unless told otherwise."""
    nets = {"generator": NET, "critic": NET}
    built = Recipe.model_validate({"method": method, **nets, "latent": "2", "prior": "normal", **recipe})
    source = dataset(name)
    sample = source.training_sample(source.prepare({}), sample_stream(name, SEED), N)
    return Population(built, Members(name, ((N, SEED),)), [torch.from_numpy(sample)], 2, torch.device("cpu"))


def trained(start: Population) -> Population:
    while start.step < start.recipe.training.steps:
        start.train_chunk()
    assert start.diverged_at.tolist() == [-1]
    return start


@torch.no_grad()
def generated(learned: Population) -> np.ndarray:
    """(POINTS, d) fresh points of the generator that is measured."""
    assert learned.generator is not None
    noise = torch.from_numpy(prior_sample(learned.recipe.prior, np.random.default_rng(1), (1, POINTS, 2)))
    return learned.generator.net.apply(learned.measured_generator(), noise)[0].double().numpy()


def fresh(name: str) -> np.ndarray:
    """(POINTS, d) points of a dataset that no training has seen."""
    source = dataset(name)
    return source.draw(source.prepare({}), np.random.default_rng(2), POINTS)


def energy_to(name: str, points: np.ndarray) -> float:
    """Energy distance of points to fresh data."""
    return Energy().compare(fresh(name), points)


def modes(name: str) -> np.ndarray:
    """(k, d) centres of a mixture."""
    return dataset(name).prepare({})["modes"]


def shares(points: np.ndarray, centres: np.ndarray, radius: float) -> np.ndarray:
    """(m, d), (k, d) -> (k,) fraction of the points that lie within a radius of each centre."""
    distances = np.linalg.norm(points[:, None] - centres, axis=2)
    return np.asarray((distances < radius).mean(axis=0))

"""What a block stores is what was trained."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

from tests.blocks import trained
from wgpipe.data import dataset
from wgpipe.recipe import Piece, Recipe
from wgpipe.train import files
from wgpipe.train.draws import Members
from wgpipe.train.job import Job
from wgpipe.train.population import Population

NAME = "cube-2in4"


@pytest.fixture
def job() -> Callable[[Recipe], Job]:
    def build(recipe: Recipe) -> Job:
        return Job("toy", recipe, dataset(NAME), dataset(NAME).prepare({}), {}, 32, (0, 1))

    return build


@pytest.mark.parametrize("critic", ["groupsort", "mlp"])
def test_a_populations_networks(
    critic: str, job: Callable[[Recipe], Job], recipe: Callable[..., Recipe], tmp_path: Path
) -> None:
    chosen = recipe(constraint="lp", critic={"name": critic, "hidden": [8, 8]}, steps=3)
    folder = trained(job(chosen), tmp_path)
    sample = torch.from_numpy(job(chosen).sample())
    population = Population(chosen, Members(NAME, ((32, 0), (32, 1))), list(sample), 2, torch.device("cpu"))
    population.train_chunk()
    for file, params in ((files.GENERATOR, population.measured_generator()), (files.CRITIC, population.critic.params)):
        stored = load_file(folder / file)
        assert set(stored) == set(params)
        for name, value in params.items():
            np.testing.assert_array_equal(stored[name], value.detach().numpy())


def test_a_controls_sample(job: Callable[[Recipe], Job], tmp_path: Path) -> None:
    empirical = job(Recipe(method=Piece(name="empirical")))
    folder = trained(empirical, tmp_path)
    np.testing.assert_array_equal(load_file(folder / files.GENERATOR)["sample"], empirical.sample())

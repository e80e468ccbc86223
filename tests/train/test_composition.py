"""A map that is trained on another recipe's generator, which stays as it is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from tests.blocks import NET, adversarial, job, prepared, trained
from wgpipe.recipe import Recipe
from wgpipe.train import files
from wgpipe.train.evaluate import TrainedBlock
from wgpipe.train.job import Job


@pytest.fixture
def base(tmp_path: Path) -> tuple[Job, Path]:
    """A small GAN and its bundle."""
    made = job(prepared(tmp_path), adversarial("wgan"), "base")
    return made, trained(made, tmp_path / "base").parent


@pytest.fixture
def composed(base: tuple[Job, Path], tmp_path: Path) -> Job:
    recipe = Recipe.model_validate(
        {
            "method": {"name": "w2-icnn"},
            "critic": {"name": "icnn", "hidden": [8, 8]},
            "generator": NET,
            "on": "base",
            "training": {"steps": 20, "batch": 32, "checkpoint_steps": 100},
        }
    )
    return replace(job(tmp_path / "surface-2in3", recipe, "composed"), base=base[1])


def test_its_block_holds_the_other_recipes_generator(composed: Job, base: tuple[Job, Path], tmp_path: Path) -> None:
    folder = trained(composed, tmp_path / "composed")
    own, others = (load_file(each / files.GENERATOR) for each in (folder, base[1] / folder.name))
    assert own.keys() == others.keys()
    for name, value in others.items():
        np.testing.assert_array_equal(own[name], value)


def test_what_it_generates_is_the_map_of_what_the_other_generates(
    composed: Job, base: tuple[Job, Path], tmp_path: Path
) -> None:
    block = TrainedBlock(composed, trained(composed, tmp_path / "composed"))
    before = TrainedBlock(base[0], base[1] / block.folder.name).generated(50)
    expected = block.transported(before)
    assert expected is not None
    np.testing.assert_array_equal(block.generated(50), expected)
    assert not np.allclose(expected, before)


def test_another_generator_makes_it_stale(composed: Job, base: tuple[Job, Path], tmp_path: Path) -> None:
    identity = composed.identity()
    longer = job(tmp_path / "surface-2in3", adversarial("wgan", steps=40), "base")
    trained(longer, base[1])
    assert composed.identity() == {**identity, "base": composed.identity()["base"]}
    assert composed.identity()["base"] != identity["base"]

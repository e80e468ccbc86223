"""V of an unbound critic where the best value is known: 1 where the sample lies apart, little where it is Q's own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file

from tests.blocks import SEEDS, N, adversarial, control, job, prepared, trained
from wgpipe.metrics.separation import Separation
from wgpipe.recipe import Recipe
from wgpipe.theory import vanilla
from wgpipe.train import files
from wgpipe.train.evaluate import TrainedBlock

FAR = 40.0


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return prepared(tmp_path_factory.mktemp("surface"))


def block_of(data: Path, out: Path, recipe: Recipe) -> TrainedBlock:
    made = job(data, recipe)
    return TrainedBlock(made, trained(made, out))


def test_a_generator_that_is_far_away_is_told_apart(data: Path, tmp_path: Path) -> None:
    block = block_of(data, tmp_path, adversarial())
    stored = load_file(block.folder / files.GENERATOR)
    stored["bias2"] += FAR
    save_file(stored, block.folder / files.GENERATOR)
    far = TrainedBlock(block.job, block.folder)
    found, protocol = Separation(steps=200, batch=16, generated=256).measure(far)["separation"]
    assert found.shape == (len(SEEDS),)
    assert (found > 0.99).all()
    assert (found <= 1).all()
    assert protocol == f"separation[n={N},generated=256,critic=own,steps=200,batch=16]"


def test_a_small_sample_is_told_from_a_continuous_law_the_better_the_longer(data: Path, tmp_path: Path) -> None:
    block = block_of(data, tmp_path, adversarial(steps=200))
    short, long = (
        Separation(hidden=(64, 64), steps=steps, batch=32, generated=512).measure(block)["separation"][0]
        for steps in (20, 1500)
    )
    assert (long > short + 0.2).all()
    assert (long > 0.8).all()
    assert (long <= 1).all()


def test_the_trained_critic_goes_on_from_where_it_stood(data: Path, tmp_path: Path) -> None:
    """After one tiny step V is that of the stored critic on the sample and on the generator's law."""
    recipe = adversarial(steps=300, critic_rate=1e-3)
    block = block_of(data, tmp_path, recipe)
    (found, _) = Separation(steps=1, generated=20000).measure(block)["separation"]
    critic, points = block.critic(), block.generated(20000)
    assert critic is not None
    logits = [critic.double()(torch.from_numpy(x)).numpy() for x in (block.training_sample(), points)]
    np.testing.assert_allclose(found, vanilla.value(*logits) / vanilla.SATURATION, atol=0.02)


def test_it_repeats_itself_and_leaves_the_block_as_it_was(data: Path, tmp_path: Path) -> None:
    block = block_of(data, tmp_path, adversarial())
    metric = Separation(steps=50, batch=16, generated=64)
    np.testing.assert_array_equal(metric.measure(block)["separation"][0], metric.measure(block)["separation"][0])
    before = {name: (block.folder / name).read_bytes() for name in files.OUTPUTS}
    metric.measure(block)
    assert {name: (block.folder / name).read_bytes() for name in files.OUTPUTS} == before


def test_members_are_measured_as_they_would_be_alone(data: Path, tmp_path: Path) -> None:
    recipe, metric = adversarial(), Separation(steps=30, batch=32, generated=64)
    both = TrainedBlock(made := job(data, recipe), trained(made, tmp_path / "both"))
    (alone,) = (TrainedBlock(one := job(data, recipe, seeds=SEEDS[1:]), trained(one, tmp_path / "alone")),)
    together = metric.measure(both)["separation"][0]
    np.testing.assert_allclose(metric.measure(alone)["separation"][0], together[1:], rtol=1e-6)


@pytest.mark.parametrize("recipe", [adversarial("vanilla", "lp"), adversarial("wgan", "none"), control("empirical")])
def test_bound_critics_other_losses_and_controls_have_none(data: Path, tmp_path: Path, recipe: Recipe) -> None:
    assert Separation(steps=1).measure(block_of(data, tmp_path, recipe)) == {}


def test_a_critic_that_is_bound_by_its_architecture_has_none(data: Path, tmp_path: Path) -> None:
    piece = type(adversarial().method).model_validate({"name": "groupsort", "hidden": [8, 8]})
    recipe = adversarial().model_copy(update={"critic": piece})
    assert Separation(steps=1).measure(block_of(data, tmp_path, recipe)) == {}

"""Networks for images train in the engine: members alone, batches apart, and statistics settled in what is stored."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

from tests.blocks import job, prepared, trained
from tests.nets import plain_pictures as plain
from wgpipe.methods.constraints.gp import GradientPenalty
from wgpipe.nets import Params
from wgpipe.nets.mlp import Mlp
from wgpipe.recipe import Recipe
from wgpipe.rng import run_stream
from wgpipe.train import evaluate, files, population, sizing
from wgpipe.train.bundle import train
from wgpipe.train.draws import prior_sample
from wgpipe.train.evaluate import TrainedBlock
from wgpipe.train.population import Population

NewRecipe = Callable[..., Recipe]
Populate = Callable[..., Population]

DCGAN: dict[str, Any] = {"name": "dcgan", "width": 2}
BARE = {**DCGAN, "norm": "none"}
LAYER = {**DCGAN, "norm": "layer"}
RESNET = {"name": "resnet", "width": 2}
AUTOENCODER = {"name": "autoencoder", "width": 2}
RECIPES: dict[str, dict[str, Any]] = {
    "dcgan": {"method": "vanilla", "generator": DCGAN, "critic": DCGAN},
    "wgan-gp": {"constraint": "gp", "generator": DCGAN, "critic": LAYER},
    "wgan-lp-resnet": {"constraint": "lp", "generator": RESNET, "critic": {**RESNET, "norm": "none"}},
    "wgan-clip": {"constraint": "clip", "generator": BARE, "critic": BARE, "optimiser": "rmsprop"},
    "coulomb": {"method": "coulomb", "generator": DCGAN, "critic": DCGAN},
    "began": {"method": {"name": "began", "codes": 3}, "generator": AUTOENCODER, "critic": AUTOENCODER},
    "mmd-gan": {"method": {"name": "mmd-gan", "codes": 3}, "generator": DCGAN, "critic": BARE},
}
STEPS, SIDE, LATENT = 4, 9, 3


@pytest.fixture
def images() -> Callable[[tuple[int, ...]], torch.Tensor]:
    """Points of each member, which depend on its seed alone."""

    def draw(seeds: tuple[int, ...]) -> torch.Tensor:
        points = [np.random.default_rng(seed).uniform(-1, 1, (64, SIDE**2)) for seed in seeds]
        return torch.from_numpy(np.stack(points))

    return draw


def of_member(population: Population, member: int) -> dict[str, bytes]:
    """What training changes of one member, and what is stored of it."""
    kept = {**population.state(), **population.measured_generator()}
    return {name: value[member].detach().numpy().tobytes() for name, value in kept.items() if value.ndim >= 2}


@pytest.mark.parametrize("name", RECIPES)
def test_a_stack_equals_separate_runs(
    recipe: NewRecipe, populate: Populate, chunk: Callable[[int], None], images: Any, name: str
) -> None:
    chunk(STEPS // 2)
    chosen = recipe(**RECIPES[name], steps=STEPS, critic_steps=2)

    def run(seeds: tuple[int, ...]) -> Population:
        made = populate(chosen, seeds, images(seeds), latent=LATENT)
        while made.step < STEPS:
            made.train_chunk()
        return made

    together = run((7, 1, 4))
    assert (together.diverged_at < 0).all()
    for member, seed in enumerate((7, 1, 4)):
        assert of_member(together, member) == of_member(run((seed,)), 0)


@pytest.mark.parametrize(("name", "norm"), [("dcgan", "batch"), ("wgan-gp", "layer")])
def test_a_step_is_that_of_a_plain_loop(
    recipe: NewRecipe, populate: Populate, chunk: Callable[[int], None], images: Any, name: str, norm: str
) -> None:
    """Real and generated batches pass the critic apart, and each batch of points is normalised by itself."""
    chunk(2)
    chosen = recipe(**RECIPES[name], steps=2, critic_steps=2, decay="none", critic_rate=1e-3, generator_rate=1e-3)
    made = populate(chosen, (3, 5), images((3, 5)), torch.float64, latent=LATENT)
    sides = [3, 5, SIDE]
    start: list[Params] = [
        {key: value.detach().clone() for key, value in side.params.items()} for side in (made.generator, made.critic)
    ]
    draws = made.members.draw(chosen, LATENT, 0, torch.device("cpu"), torch.float64)
    made.train_chunk()
    for member in range(2):
        generator = plain.dcgan_generator(sides, 2, 1, 4, "batch", LATENT)
        critic = plain.dcgan_critic(sides[::-1], 2, 1, 4, norm, 1)
        for module, params in zip((generator, critic), start, strict=True):
            plain.with_parameters(module, params, member)
        both = [torch.optim.Adam(module.parameters(), 1e-3, (0.5, 0.9)) for module in (generator, critic)]
        for i in range(2):
            for inner in range(2):
                real = images((3, 5))[member, draws.indices[i, inner, member]]
                fake = generator(draws.critic_noise[i, member, :, inner].T).detach()
                if name == "dcgan":
                    softplus = torch.nn.functional.softplus
                    loss = softplus(-critic(real)).mean() + softplus(critic(fake)).mean()
                else:
                    mixed = fake.lerp(real, draws.mixes[i, inner, member]).requires_grad_()
                    (gradient,) = torch.autograd.grad(critic(mixed).sum(), mixed, create_graph=True)
                    penalty = GradientPenalty().weight * (gradient.norm(dim=1) - 1).square().mean()
                    loss = critic(fake).mean() - critic(real).mean() + penalty
                both[1].zero_grad()
                loss.backward()
                both[1].step()
            value = critic(generator(draws.generator_noise[i, member].T))
            loss = torch.nn.functional.softplus(-value).mean() if name == "dcgan" else -value.mean()
            both[0].zero_grad()
            loss.backward()
            both[0].step()
        for module, side in ((generator, made.generator), (critic, made.critic)):
            own = [value[member] for key, value in side.params.items() if not key.startswith("state.")]
            for found, expected in zip(own, module.parameters(), strict=True):
                target = expected.mT if expected.ndim == 2 else expected
                torch.testing.assert_close(found, target, rtol=1e-6, atol=1e-9)


def test_only_what_is_stored_has_settled_statistics_from_a_stream_of_its_own(
    recipe: NewRecipe, populate: Populate, chunk: Callable[[int], None], images: Any
) -> None:
    chunk(STEPS)
    made = populate(recipe(**RECIPES["dcgan"], steps=STEPS), (3, 5), images((3, 5)), torch.float64, latent=LATENT)
    before = {*made.state()}
    made.train_chunk()
    with torch.no_grad():
        stored = made.measured_generator()
    assert {*made.state()} == before
    assert {*stored} - {*made.generator.params} == {
        f"state.{layer}_{moment}" for layer in ("codes", "up0") for moment in ("mean", "variance")
    }
    stream = run_stream("toy", 64, 5, "settle-generator")
    batches = [prior_sample("uniform", stream, (32, LATENT)) for _ in range(population.SETTLING)]
    mapped = [batch.astype(np.float64) @ made.average["codes_weight"][1].numpy() for batch in batches]
    channels = [batch.reshape(32, 4, 9).transpose(1, 0, 2).reshape(4, -1) for batch in mapped]
    expected = np.mean([each.mean(axis=1) for each in channels], axis=0)
    np.testing.assert_allclose(stored["state.codes_mean"][1].numpy(), expected, rtol=1e-10)
    expected = np.mean([each.var(axis=1, ddof=1) for each in channels], axis=0)
    np.testing.assert_allclose(stored["state.codes_variance"][1].numpy(), expected, rtol=1e-10)


@pytest.mark.parametrize("name", ["dcgan", "began"])
def test_a_state_of_images_goes_on_to_the_same_bytes(
    recipe: NewRecipe, populate: Populate, chunk: Callable[[int], None], images: Any, name: str
) -> None:
    chunk(STEPS // 2)
    first, second = (
        populate(recipe(**RECIPES[name], steps=STEPS), (3, 5), images((3, 5)), latent=LATENT) for _ in range(2)
    )
    first.train_chunk()
    first.measured_generator()  # which leaves no trace
    second.load_state(first.state())
    for each in (first, second):
        each.train_chunk()
    for member in range(2):
        assert of_member(first, member) == of_member(second, member)


def test_a_frozen_generator_keeps_its_settled_statistics(
    recipe: NewRecipe, populate: Populate, chunk: Callable[[int], None], images: Any
) -> None:
    chunk(STEPS)
    points = images((3, 5))
    first = populate(recipe(**RECIPES["dcgan"], steps=STEPS), (3, 5), points, latent=LATENT)
    first.train_chunk()
    with torch.no_grad():
        stored = first.measured_generator()
    second = populate(recipe(**RECIPES["dcgan"], on="first", steps=STEPS), (3, 5), points, latent=LATENT, frozen=stored)
    second.train_chunk()
    kept = second.measured_generator()
    assert kept.keys() == stored.keys()
    assert all(torch.equal(kept[name], value) for name, value in stored.items())
    noise = torch.randn(2, 6, LATENT)
    with torch.no_grad():
        together = second.generator.net.apply(kept, noise)
        alone = torch.cat([second.generator.net.apply(kept, one) for one in noise.split(1, dim=1)], dim=1)
    torch.testing.assert_close(together, alone)


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return prepared(tmp_path_factory.mktemp("digits"), "digits")


@pytest.fixture
def chosen() -> Recipe:
    training = {"steps": 3, "batch": 32, "checkpoint_steps": 100}
    return Recipe.model_validate(
        {"method": {"name": "vanilla"}, "generator": DCGAN, "critic": DCGAN, "training": training}
    )


class TestABlock:
    """Of 8×8 digits."""

    def test_generated_images_do_not_depend_on_how_many_are_made_at_once(
        self, digits: Path, chosen: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        made = job(digits, chosen)
        seen = TrainedBlock(made, trained(made, tmp_path))
        points = seen.generated(20)
        assert points.shape == (2, 20, 64)
        assert points.dtype == np.float64
        np.testing.assert_allclose(seen.generated(7), points[:, :7], rtol=1e-4, atol=1e-6)
        monkeypatch.setattr(evaluate, "AT_ONCE", 3)
        np.testing.assert_allclose(seen.generated(20), points, rtol=1e-4, atol=1e-6)

    def test_the_population_stands_where_training_ended_with_settled_statistics(
        self, digits: Path, chosen: Recipe, tmp_path: Path
    ) -> None:
        made = job(digits, chosen)
        folder = trained(made, tmp_path)
        side = TrainedBlock(made, folder).population().generator
        stored = load_file(folder / files.GENERATOR)
        assert "state.codes_mean" in stored
        assert side is not None
        assert side.params.keys() == stored.keys()
        for name, value in side.params.items():
            np.testing.assert_array_equal(value.detach().numpy(), stored[name])

    def test_training_twice_or_in_other_stacks_gives_the_same_bytes(
        self, digits: Path, chosen: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        made = job(digits, chosen)
        first = trained(made, tmp_path / "a")
        monkeypatch.setattr("wgpipe.train.stacks.members_in_cache", lambda recipe, threads: 1)
        second = trained(made, tmp_path / "b")
        for name in files.OUTPUTS:
            assert (first / name).read_bytes() == (second / name).read_bytes()

    def test_a_map_is_learned_on_the_images_of_a_trained_generator(
        self, digits: Path, chosen: Recipe, tmp_path: Path
    ) -> None:
        trained(job(digits, chosen), tmp_path / "base")
        other = chosen.model_copy(update={"on": "base"})
        made = job(digits, other)
        made = type(made)(**{**vars(made), "base": tmp_path / "base"})
        train(tmp_path / "on", [made], threads=1, device="cpu")
        base, kept = (load_file(tmp_path / one / files.block(made.n) / files.GENERATOR) for one in ("base", "on"))
        assert base.keys() == kept.keys()
        for name, value in base.items():
            np.testing.assert_array_equal(kept[name], value)


def test_perceptrons_are_still_passed_all_at_once(recipe: NewRecipe) -> None:
    assert not Mlp().one_batch_at_a_time
    assert sizing.members_in_cache(recipe(generator=BARE, critic=BARE)) == sizing.PICTURE_MEMBERS
    assert sizing.members_in_cache(recipe(generator={**BARE, "width": 65}, critic=BARE)) == 1


MEASURE = """
import sys, torch
from pathlib import Path
from wgpipe.memory import peak_mb
from wgpipe.recipe import Recipe
from wgpipe.train.draws import Members
from wgpipe.train.population import Population
torch.set_num_threads(1)
recipe = Recipe.model_validate_json(Path(sys.argv[1]).read_text())
samples = [torch.zeros(500, 784)]
made = Population(recipe, Members("toy", ((500, 0),)), samples, 32, torch.device("cpu"))
made.train_chunk()
print(peak_mb())
"""


@pytest.mark.parametrize("name", ["wgan-gp", "dcgan", "began", "wgan-lp-resnet"])
def test_memory_is_predicted_within_30_percent(name: str, recipe: NewRecipe, tmp_path: Path) -> None:
    nets = {
        side: {**RECIPES[name][side], "width": 64 if "dcgan" in str(RECIPES[name]) else 32}
        for side in ("generator", "critic")
    }
    chosen = recipe(**{**RECIPES[name], **nets}, batch=128, steps=1)
    (tmp_path / "recipe.json").write_text(chosen.model_dump_json())
    command = [sys.executable, "-c", MEASURE, str(tmp_path / "recipe.json")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert sizing.training_mb(chosen, [500], 32, 784) == pytest.approx(float(done.stdout), rel=0.3)

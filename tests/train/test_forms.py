"""Recipes without a generator, without a critic, and on another recipe's generator, against a plain loop of one run."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from wgpipe.nets import Params
from wgpipe.recipe import Recipe
from wgpipe.train.population import Population
from wgpipe.train.sizing import members_in_cache

SEEDS = (0, 1)
STEPS, CRITIC_STEPS, BATCH, D = 6, 2, 32, 3
TRAINING = {
    "steps": STEPS,
    "critic_steps": CRITIC_STEPS,
    "batch": BATCH,
    "decay": "none",
    "average": 0,
    "generator_rate": 1e-3,
    "critic_rate": 2e-3,
    "betas": [0.0, 0.9],
}
DOUBLE = torch.float64


@pytest.fixture
def both(sample: Callable[..., torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
    """(E, n, D) samples of a target and of a source."""
    return sample(SEEDS, D).to(DOUBLE), -2 * sample((7, 8), D).to(DOUBLE)


def mlp(params: Params, member: int, x: torch.Tensor) -> torch.Tensor:
    layers = sum(name.startswith("weight") for name in params)
    for layer in range(layers):
        x = x @ params[f"weight{layer}"][member] + params[f"bias{layer}"][member]
        x = x.relu() if layer < layers - 1 else x
    return x


def leaves(params: Params) -> Params:
    return {name: value.detach().clone().requires_grad_() for name, value in params.items()}


def adam(params: Params, rate: float) -> torch.optim.Adam:
    return torch.optim.Adam(params.values(), lr=rate, betas=(0.0, 0.9))


def step(optimiser: torch.optim.Adam, loss: torch.Tensor) -> None:
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()


def assert_same(found: Params, expected: Params, member: int) -> None:
    for name, value in expected.items():
        torch.testing.assert_close(found[name][member], value[member].detach(), rtol=0, atol=1e-10)


@pytest.mark.parametrize("path", ["auto", "autograd"])
def test_without_a_generator_the_critic_compares_two_samples(
    recipe: Callable[..., Recipe],
    populate: Callable[..., Population],
    both: tuple[torch.Tensor, torch.Tensor],
    path: str,
) -> None:
    target, source = both
    chosen = recipe("wgan", {"name": "clip", "bound": 0.1}, generator=None, **TRAINING)
    population = populate(chosen, SEEDS, target, DOUBLE, path, sources=source)
    draws = population.members.draw(chosen, 1, 0, torch.device("cpu"), DOUBLE)
    expected = [leaves(population.critic.params) for _ in SEEDS]
    losses = population.train_chunk()
    assert population.steps(BATCH).name == ("analytic" if path == "auto" else "autograd")
    for member, critic in enumerate(expected):
        optimiser = adam(critic, 2e-3)
        for i in range(STEPS):
            for inner in range(CRITIC_STEPS):
                real = target[member, draws.indices[i, inner, member]]
                fake = source[member, draws.sources[i, inner, member]]
                step(optimiser, mlp(critic, member, fake).mean() - mlp(critic, member, real).mean())
                with torch.no_grad():
                    for value in critic.values():
                        value.clamp_(-0.1, 0.1)
        assert_same(population.critic.params, critic, member)
    assert population.measured_generator() == {}
    assert torch.tensor(losses["generator_loss"]).isnan().all()
    assert torch.tensor(losses["critic_loss"]).isfinite().all()


def test_without_a_critic_the_generator_sees_real_points_itself(
    recipe: Callable[..., Recipe], populate: Callable[..., Population], both: tuple[torch.Tensor, torch.Tensor]
) -> None:
    target, _ = both
    chosen = recipe({"name": "polynomial", "degree": 1}, critic=None, **TRAINING)
    population = populate(chosen, SEEDS, target, DOUBLE)
    draws = population.members.draw(chosen, 2, 0, torch.device("cpu"), DOUBLE)
    expected = [leaves(population.generator.params) for _ in SEEDS]
    population.train_chunk()
    for member, generator in enumerate(expected):
        optimiser = adam(generator, 1e-3)
        for i in range(STEPS):
            fake = mlp(generator, member, draws.generator_noise[i, member].T)
            real = target[member, draws.indices[i, CRITIC_STEPS - 1, member]]
            step(optimiser, (fake.mean(dim=0) - real.mean(dim=0)).norm())
        assert_same(population.generator.params, generator, member)
    assert population.measured_critic() == {}


@pytest.mark.parametrize("path", ["auto", "autograd"])
def test_a_frozen_generator_stays_as_it_is_and_gives_the_critic_its_points(
    recipe: Callable[..., Recipe],
    populate: Callable[..., Population],
    both: tuple[torch.Tensor, torch.Tensor],
    path: str,
) -> None:
    target, _ = both
    chosen = recipe(on="another", **TRAINING)
    other = populate(recipe(**TRAINING), (5, 6), target, DOUBLE).generator.params
    population = populate(chosen, SEEDS, target, DOUBLE, path, frozen=other)
    draws = population.members.draw(chosen, 2, 0, torch.device("cpu"), DOUBLE)
    expected = [leaves(population.critic.params) for _ in SEEDS]
    population.train_chunk()
    for member, critic in enumerate(expected):
        optimiser = adam(critic, 2e-3)
        for i in range(STEPS):
            for inner in range(CRITIC_STEPS):
                real = target[member, draws.indices[i, inner, member]]
                fake = mlp(other, member, draws.critic_noise[i, member, :, inner].T).detach()
                step(optimiser, mlp(critic, member, fake).mean() - mlp(critic, member, real).mean())
        assert_same(population.critic.params, critic, member)
        assert_same(population.measured_generator(), other, member)


def test_what_a_method_carries_along_is_part_of_the_state(
    recipe: Callable[..., Recipe], populate: Callable[..., Population], both: tuple[torch.Tensor, torch.Tensor]
) -> None:
    chosen = recipe("began", **TRAINING)
    population = populate(chosen, SEEDS, both[0].float())
    before = population.state()
    assert (before["critic.state.method.k"] == 0).all()
    population.train_chunk()
    after = population.state()
    assert not torch.equal(after["critic.state.method.k"], before["critic.state.method.k"])
    assert not torch.equal(after["critic.encoder.weight0"], before["critic.encoder.weight0"])
    assert not torch.equal(after["critic.decoder.weight0"], before["critic.decoder.weight0"])
    again = populate(chosen, SEEDS, both[0].float())
    again.load_state(after)
    assert torch.equal(again.critic.params["state.method.k"], after["critic.state.method.k"])


def test_batches_that_do_not_fill_registers_train_one_member_at_a_time(recipe: Callable[..., Recipe]) -> None:
    assert members_in_cache(recipe(batch=100)) == 1
    assert members_in_cache(recipe(batch=96)) > 1

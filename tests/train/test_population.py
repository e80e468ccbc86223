"""Members of a population train as they would alone, and what a population does is what its recipe says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist

from wgpipe.nets import Params
from wgpipe.recipe import Recipe
from wgpipe.train.draws import Members
from wgpipe.train.population import Population

NewRecipe = Callable[..., Recipe]
Populate = Callable[..., Population]
Shorten = Callable[[int], None]

LEAKY = {"name": "mlp", "hidden": [16], "activation": "leaky_relu"}
WIDE = {"name": "mlp", "hidden": [64, 64]}
SPECTRAL = {"name": "spectral", "hidden": [16, 16]}
GROUPSORT = {"name": "groupsort", "hidden": [16, 16]}
RECIPES: dict[str, dict[str, Any]] = {
    "wgan-lp": {"constraint": "lp", "generator": WIDE, "critic": WIDE, "batch": 128},
    "vanilla-lp": {"method": "vanilla", "constraint": "lp", "batch": 96},
    "wgan-gp-leaky": {"constraint": "gp", "critic": LEAKY},
    "wgan-clip": {"constraint": "clip", "batch": 64},
    "wgan-groupsort": {"critic": GROUPSORT},
    "vanilla-spectral": {"method": "vanilla", "critic": SPECTRAL},
    "both-by-construction": {"generator": SPECTRAL, "critic": GROUPSORT},
}
STEPS = 8


def of_member(population: Population, member: int) -> dict[str, bytes]:
    """All that training changes of one member, as bytes."""
    stacked = {name: value for name, value in population.state().items() if value.ndim >= 2}
    return {name: value[member].contiguous().numpy().tobytes() for name, value in stacked.items()}


def run(population: Population) -> Population:
    while population.step < population.recipe.training.steps:
        population.train_chunk()
    return population


@pytest.mark.parametrize("name", RECIPES)
def test_a_stack_of_any_size_and_order_equals_separate_runs(
    recipe: NewRecipe, populate: Populate, chunk: Shorten, name: str
) -> None:
    chunk(STEPS // 2)
    chosen = recipe(**RECIPES[name], steps=STEPS, critic_steps=2)
    untrained = populate(chosen, (0,))
    alone = {seed: of_member(run(populate(chosen, (seed,))), 0) for seed in range(16)}
    assert alone[0] != of_member(untrained, 0)
    assert len({tuple(state.values()) for state in alone.values()}) == 16
    for seeds in [(5, 2), (2, 5), (9, 0, 4), tuple(range(8)), tuple(range(15, -1, -1))]:
        together = run(populate(chosen, seeds))
        for member, seed in enumerate(seeds):
            assert of_member(together, member) == alone[seed]


@pytest.mark.parametrize("name", RECIPES)
def test_a_training_continues_from_a_stored_state_to_the_same_bytes(
    recipe: NewRecipe, populate: Populate, chunk: Shorten, tmp_path: Path, name: str
) -> None:
    chunk(STEPS // 2)
    chosen = recipe(**RECIPES[name], steps=STEPS)
    unbroken = populate(chosen, (0, 1))
    unbroken.train_chunk()
    save_file(unbroken.state(), tmp_path / "state.safetensors")
    stored = unbroken.state()
    unbroken.train_chunk()
    for state in (stored, load_file(tmp_path / "state.safetensors"), stored):
        resumed = populate(chosen, (0, 1))
        resumed.load_state(state)
        assert resumed.step == STEPS // 2
        resumed.train_chunk()
        assert all(of_member(resumed, member) == of_member(unbroken, member) for member in (0, 1))


def test_a_state_is_a_copy(recipe: NewRecipe, populate: Populate, chunk: Shorten) -> None:
    chunk(2)
    population = populate(recipe(steps=4), (0,))
    population.train_chunk()
    state = population.state()
    kept = {name: value.clone() for name, value in state.items()}
    population.load_state(state)
    population.train_chunk()
    assert all(torch.equal(value, kept[name]) for name, value in state.items())


def test_a_second_run_gives_the_same_bytes_and_losses(recipe: NewRecipe, populate: Populate, chunk: Shorten) -> None:
    chunk(STEPS)
    first, second = (populate(recipe(constraint="lp", steps=STEPS), (0, 1)) for _ in range(2))
    losses, again = first.train_chunk(), second.train_chunk()
    assert all(np.array_equal(losses[name], again[name]) for name in ("critic_loss", "generator_loss"))
    assert all(of_member(first, member) == of_member(second, member) for member in (0, 1))


def test_the_last_chunk_ends_at_the_last_step(recipe: NewRecipe, populate: Populate, chunk: Shorten) -> None:
    chunk(4)
    population = populate(recipe(steps=6), (0,))
    population.train_chunk()
    population.train_chunk()
    assert population.step == 6


class TestDivergence:
    """Member 1 meets an infinite training point in the second chunk."""

    chunk_steps = 3
    seeds = (0, 1, 2)

    @pytest.fixture(params=["wgan-lp", "both-by-construction", "vanilla-spectral"])
    def chosen(self, request: pytest.FixtureRequest, recipe: NewRecipe, chunk: Shorten) -> Recipe:
        chunk(self.chunk_steps)
        settings = {**RECIPES[request.param], "batch": 32}
        return recipe(**settings, steps=4 * self.chunk_steps, critic_steps=1)

    @pytest.fixture
    def poisoned(self, chosen: Recipe, sample: Callable[..., torch.Tensor]) -> torch.Tensor:
        members, cpu = Members("toy", 64, self.seeds), torch.device("cpu")
        first, second = (set(members.draw(chosen, 2, i, cpu).indices[:, :, 1].flatten().tolist()) for i in (0, 1))
        points = sample(self.seeds)
        points[1, min(second - first)] = torch.inf
        return points

    def test_it_is_frozen_at_the_last_whole_chunk_and_recorded(
        self, chosen: Recipe, poisoned: torch.Tensor, populate: Populate
    ) -> None:
        population = populate(chosen, self.seeds, poisoned)
        population.train_chunk()
        assert population.diverged_at.tolist() == [-1, -1, -1]
        at_chunk = of_member(population, 1)
        while population.step < chosen.training.steps:
            losses = population.train_chunk()
            assert of_member(population, 1) == at_chunk
            assert population.diverged_at.tolist() == [-1, 2 * self.chunk_steps, -1]
            for values in losses.values():
                assert np.isfinite(values).tolist() == [True, False, True]

    def test_the_others_train_as_if_it_had_never_been(
        self, chosen: Recipe, poisoned: torch.Tensor, populate: Populate
    ) -> None:
        with_it = run(populate(chosen, self.seeds, poisoned))
        without = run(populate(chosen, (0, 2)))
        assert with_it.diverged_at[1] > 0
        assert of_member(with_it, 0) == of_member(without, 0)
        assert of_member(with_it, 2) == of_member(without, 1)

    def test_it_stays_frozen_after_a_resume(self, chosen: Recipe, poisoned: torch.Tensor, populate: Populate) -> None:
        population = populate(chosen, self.seeds, poisoned)
        population.train_chunk()
        population.train_chunk()
        resumed = populate(chosen, self.seeds)
        resumed.load_state(population.state())
        frozen = of_member(resumed, 1)
        resumed.train_chunk()
        assert resumed.diverged_at.tolist() == [-1, 2 * self.chunk_steps, -1]
        assert of_member(resumed, 1) == frozen


def test_a_member_that_diverges_at_once_keeps_its_initial_parameters(
    recipe: NewRecipe, populate: Populate, sample: Callable[..., torch.Tensor], chunk: Shorten
) -> None:
    chunk(2)
    points = sample((0, 1))
    points[0] = torch.nan
    population = populate(recipe(steps=4), (0, 1), points)
    initial = of_member(population, 0)
    run(population)
    assert population.diverged_at.tolist() == [2, -1]
    assert of_member(population, 0) == initial


def test_an_absurd_learning_rate_diverges(recipe: NewRecipe, populate: Populate, chunk: Shorten) -> None:
    chunk(5)
    population = run(populate(recipe(critic_rate=1e20, generator_rate=1e20, steps=10), (0, 1)))
    assert (population.diverged_at >= 0).all()
    assert all(value.isfinite().all() for value in population.state().values())


@pytest.mark.parametrize("decay", ["none", "linear"])
def test_learning_rates_are_constant_or_fall_linearly_over_the_second_half(
    recipe: NewRecipe, populate: Populate, chunk: Shorten, decay: str
) -> None:
    """With betas (0, 0) Adam moves each weight by the learning rate times the sign of its gradient."""
    chunk(1)
    steps = 8
    rates = {"generator": 1e-3, "critic": 2e-3}
    chosen = recipe(
        steps=steps,
        decay=decay,
        betas=(0, 0),
        critic_steps=1,
        generator_rate=rates["generator"],
        critic_rate=rates["critic"],
    )
    population = populate(chosen, (0, 1), dtype=torch.float64)
    for step in range(steps):
        before = population.state()
        population.train_chunk()
        factor = 1 if decay == "none" or step < steps // 2 else (steps - step) / (steps / 2)
        for side, rate in rates.items():
            moved = max(
                (value - before[name]).abs().max().item()
                for name, value in population.state().items()
                if name.startswith(f"{side}.")
            )
            assert moved == pytest.approx(rate * factor, rel=1e-4)


def test_the_averaged_generator_is_a_plain_and_then_an_exponential_mean_without_the_start(
    recipe: NewRecipe, populate: Populate, chunk: Shorten
) -> None:
    chunk(1)
    population = populate(recipe(steps=6, average=0.8), (0, 1), dtype=torch.float64)
    generators = [population.generator["weight1"].detach().clone()]
    while population.step < 6:
        population.train_chunk()
        generators.append(population.generator["weight1"].detach().clone())
    shares = [0, *[0.8**2 / 4] * 4, 0.2 * 0.8, 0.2]
    expected = sum(share * value for share, value in zip(shares, generators, strict=True))
    torch.testing.assert_close(population.measured_generator()["weight1"], expected, rtol=1e-12, atol=0)


def test_without_an_average_the_last_generator_is_measured(
    recipe: NewRecipe, populate: Populate, chunk: Shorten
) -> None:
    chunk(3)
    population = run(populate(recipe(steps=3, average=0), (0,)))
    assert population.measured_generator() is population.generator


@pytest.mark.parametrize("generator", [SPECTRAL, GROUPSORT])
def test_an_averaged_generator_is_as_lipschitz_as_its_architecture_promises(
    recipe: NewRecipe, populate: Populate, generator: dict[str, Any]
) -> None:
    population = run(populate(recipe(generator=generator, steps=60, generator_rate=1e-2, average=0.9), (0, 1)))
    params: Params = {name: value.double() for name, value in population.measured_generator().items()}
    noise = 2 * torch.rand(2, 400, 2, dtype=torch.float64) - 1
    points = population.generator_net.apply(params, noise)
    slopes = torch.cdist(points, points) / torch.cdist(noise, noise).clamp_min(1e-3)
    assert slopes.max() < 1.03
    last = {name: value.double() for name, value in population.generator.items()}
    assert not torch.allclose(points, population.generator_net.apply(last, noise))


@pytest.mark.parametrize("critic", [SPECTRAL, GROUPSORT])
def test_a_critic_that_is_lipschitz_by_construction_stays_so_in_training(
    recipe: NewRecipe, populate: Populate, critic: dict[str, Any]
) -> None:
    population = run(populate(recipe(critic={**critic, "hidden": [64, 64]}, critic_rate=5e-3, steps=60), (0, 1)))
    x = 3 * torch.randn(2, 300, 3)
    gradients = population.critic_net.input_gradient(population.critic, x)
    assert gradients.norm(dim=-1).max() < 1.05


def test_a_population_computes_in_the_precision_asked_for(
    recipe: NewRecipe, populate: Populate, chunk: Shorten
) -> None:
    chunk(2)
    population = run(populate(recipe(steps=2, constraint="lp"), (0,), dtype=torch.float64))
    floating = [value for name, value in population.state().items() if value.ndim >= 2]
    assert {value.dtype for value in floating} == {torch.float64}


def test_training_brings_a_wgan_much_closer_to_its_data(recipe: NewRecipe) -> None:
    """A ring of radius 1 around (2, 1): W1 of 300 generated points to 300 others of the ring."""
    angles = np.random.default_rng(0).uniform(0, 2 * np.pi, (2, 600))
    ring = np.stack([2 + np.cos(angles), 1 + np.sin(angles)], axis=-1)
    sample, held_out = torch.from_numpy(ring[:, :300]), ring[:, 300:]
    narrow = {"name": "mlp", "hidden": [32, 32]}
    chosen = recipe(
        constraint="lp",
        generator=narrow,
        critic=narrow,
        steps=400,
        batch=64,
        critic_steps=2,
        generator_rate=1e-3,
        critic_rate=2e-3,
        betas=(0, 0.9),
        average=0.95,
    )
    population = Population(chosen, Members("ring", 300, (0, 1)), sample, 2, torch.device("cpu"))
    noise = torch.from_numpy(np.random.default_rng(1).uniform(-1, 1, (2, 300, 2)).astype(np.float32))

    def distances() -> list[float]:
        points = population.generator_net.apply(population.measured_generator(), noise).detach().double().numpy()
        costs = [cdist(points[member], held_out[member]) for member in range(2)]
        return [float(cost[linear_sum_assignment(cost)].mean()) for cost in costs]

    before = distances()
    run(population)
    after = distances()
    assert all(last < first / 5 for first, last in zip(before, after, strict=True)), (before, after)

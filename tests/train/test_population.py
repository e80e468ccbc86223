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
from wgpipe.train.interrupt import Interrupted, StopRequest
from wgpipe.train.population import Population

NewRecipe = Callable[..., Recipe]
Populate = Callable[..., Population]
Shorten = Callable[[int], None]

MINIMAX = {"name": "vanilla", "loss": "minimax"}
LEAKY = {"name": "mlp", "hidden": [16], "activation": "leaky_relu"}
WIDE = {"name": "mlp", "hidden": [64, 64]}
SPECTRAL = {"name": "spectral", "hidden": [16, 16]}
GROUPSORT = {"name": "groupsort", "hidden": [16, 16]}
ONE_LAYER = {"name": "mlp", "hidden": [20]}
THREE_LAYERS = {"name": "mlp", "hidden": [8, 16, 12]}
NARROW = {"name": "mlp", "hidden": [1, 1], "activation": "leaky_relu"}
RECIPES: dict[str, dict[str, Any]] = {
    "wgan-lp": {"constraint": "lp", "generator": WIDE, "critic": WIDE, "batch": 128},
    "vanilla-lp": {"method": "vanilla", "constraint": "lp", "batch": 96},
    "wgan-gp-leaky": {"constraint": "gp", "critic": LEAKY},
    "wgan-clip": {"constraint": "clip", "batch": 64},
    "wgan-clip-rmsprop": {"constraint": "clip", "optimiser": "rmsprop"},
    "wgan-gp-one-layer": {"constraint": "gp", "generator": ONE_LAYER, "critic": ONE_LAYER},
    "minimax-lp-three-layers": {
        "method": MINIMAX,
        "constraint": "lp",
        "generator": THREE_LAYERS,
        "critic": THREE_LAYERS,
    },
    "wgan-lp-width-1": {"constraint": "lp", "generator": NARROW, "critic": NARROW},
    "wgan-groupsort": {"critic": GROUPSORT},
    "vanilla-spectral": {"method": "vanilla", "critic": SPECTRAL},
    "both-by-construction": {"generator": SPECTRAL, "critic": GROUPSORT},
}
BY_CONSTRUCTION = ("wgan-groupsort", "vanilla-spectral", "both-by-construction")
TRAININGS = [
    *((name, "analytic") for name in RECIPES if name not in BY_CONSTRUCTION),
    *((name, "autograd") for name in RECIPES),
]
STEPS = 4


def of_path(path: str) -> str:
    """What to ask for."""
    return "auto" if path == "analytic" else path


def of_member(population: Population, member: int) -> dict[str, bytes]:
    """All that training changes of one member, as bytes."""
    stacked = {name: value for name, value in population.state().items() if value.ndim >= 2}
    return {name: value[member].contiguous().numpy().tobytes() for name, value in stacked.items()}


def run(population: Population) -> Population:
    while population.step < population.recipe.training.steps:
        population.train_chunk()
    return population


@pytest.mark.parametrize(("name", "path"), TRAININGS)
def test_a_stack_of_any_size_and_order_equals_separate_runs(
    recipe: NewRecipe, populate: Populate, chunk: Shorten, name: str, path: str
) -> None:
    chunk(STEPS // 2)
    chosen = recipe(**RECIPES[name], steps=STEPS, critic_steps=2)
    assert_members_do_not_mix(lambda seeds: populate(chosen, seeds, path=of_path(path)), path)


@pytest.mark.parametrize("path", ["analytic", "autograd"])
@pytest.mark.parametrize("latent", [1, 3])
@pytest.mark.parametrize("critic", [ONE_LAYER, WIDE])
def test_so_it_does_in_one_dimension(
    recipe: NewRecipe,
    populate: Populate,
    sample: Callable[..., torch.Tensor],
    chunk: Shorten,
    critic: dict[str, Any],
    latent: int,
    path: str,
) -> None:
    chunk(STEPS // 2)
    chosen = recipe(constraint="lp", critic=critic, steps=STEPS)
    assert_members_do_not_mix(
        lambda seeds: populate(chosen, seeds, sample(seeds, 1), path=of_path(path), latent=latent), path
    )


def assert_members_do_not_mix(population: Callable[[tuple[int, ...]], Population], path: str) -> None:
    untrained = population((0,))
    assert untrained.steps(untrained.recipe.training.batch).name == path
    alone = {seed: of_member(run(population((seed,))), 0) for seed in range(16)}
    assert alone[0] != of_member(untrained, 0)
    assert len({tuple(state.values()) for state in alone.values()}) == 16
    for seeds in [(5, 2), (2, 5), (9, 0, 4), tuple(range(8)), tuple(range(15, -1, -1))]:
        together = run(population(seeds))
        for member, seed in enumerate(seeds):
            assert of_member(together, member) == alone[seed]


def test_bytes_train_as_the_numbers_that_they_stand_for(recipe: NewRecipe, populate: Populate, chunk: Shorten) -> None:
    chunk(STEPS // 2)
    chosen = recipe(constraint="lp", steps=STEPS)
    stored = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (2, 64, 3), dtype=np.uint8))
    numbers = stored.float().div(127.5).sub(1)
    assert (numbers.min(), numbers.max()) == (-1, 1)
    of_bytes, of_numbers = (run(populate(chosen, (4, 7), points)) for points in (stored, numbers))
    assert of_bytes.sample.dtype == torch.uint8
    for member in range(2):
        assert of_member(of_bytes, member) == of_member(of_numbers, member)


@pytest.mark.parametrize("path", ["analytic", "autograd"])
def test_members_of_different_sample_sizes_train_as_in_blocks_of_their_own(
    recipe: NewRecipe, populate: Populate, chunk: Shorten, path: str
) -> None:
    chunk(STEPS // 2)
    chosen = recipe(constraint="lp", steps=STEPS)
    seeds, n = (0, 1, 0, 1, 5), (64, 64, 1, 7, 33)
    together = run(populate(chosen, seeds, path=of_path(path), n=n))
    for member, (seed, size) in enumerate(zip(seeds, n, strict=True)):
        alone = run(populate(chosen, (seed,), path=of_path(path), n=(size,)))
        assert of_member(together, member) == of_member(alone, 0)


@pytest.mark.parametrize("path", ["analytic", "autograd"])
def test_the_losses_of_a_member_do_not_depend_on_its_neighbours(
    recipe: NewRecipe, populate: Populate, path: str
) -> None:
    chosen = recipe("vanilla", "lp", steps=20)
    alone = populate(chosen, (0,), path=of_path(path)).train_chunk()
    for members in (2, 3, 4, 8, 16):
        together = populate(chosen, tuple(range(members)), path=of_path(path)).train_chunk()
        assert all(together[name][0] == alone[name][0] for name in ("critic_loss", "generator_loss"))


@pytest.mark.parametrize(("name", "path"), TRAININGS)
def test_a_training_continues_from_a_stored_state_to_the_same_bytes(
    recipe: NewRecipe, populate: Populate, chunk: Shorten, tmp_path: Path, name: str, path: str
) -> None:
    chunk(STEPS // 2)
    chosen = recipe(**RECIPES[name], steps=STEPS, critic_steps=2)
    unbroken = populate(chosen, (0, 1), path=of_path(path))
    unbroken.train_chunk()
    save_file(unbroken.state(), tmp_path / "state.safetensors")
    stored = unbroken.state()
    unbroken.train_chunk()
    for state in (stored, load_file(tmp_path / "state.safetensors"), stored):
        resumed = populate(chosen, (0, 1), path=of_path(path))
        resumed.load_state(state)
        assert resumed.step == STEPS // 2
        resumed.train_chunk()
        assert all(of_member(resumed, member) == of_member(unbroken, member) for member in (0, 1))


def test_a_training_that_is_asked_to_stop_goes_back_to_the_start_of_the_chunk(
    recipe: NewRecipe, populate: Populate, chunk: Shorten
) -> None:
    chunk(STEPS // 2)
    chosen = recipe(constraint="lp", steps=STEPS, critic_steps=2)
    population, unbroken = populate(chosen, (0, 1)), run(populate(chosen, (0, 1)))
    population.train_chunk()
    before = [of_member(population, member) for member in (0, 1)]
    with pytest.raises(Interrupted):
        population.train_chunk(AfterSteps(1))
    assert population.step == STEPS // 2
    assert [of_member(population, member) for member in (0, 1)] == before
    population.train_chunk(AfterSteps(STEPS))
    assert all(of_member(population, member) == of_member(unbroken, member) for member in (0, 1))


class AfterSteps(StopRequest):
    """A request that comes while training is under way."""

    def __init__(self, steps: int) -> None:
        super().__init__()
        self.left = steps

    def __bool__(self) -> bool:
        self.left -= 1
        return self.left < 0


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

    @pytest.fixture(params=["wgan-lp", "wgan-gp-leaky", "both-by-construction", "vanilla-spectral"])
    def chosen(self, request: pytest.FixtureRequest, recipe: NewRecipe, chunk: Shorten) -> Recipe:
        chunk(self.chunk_steps)
        settings = {**RECIPES[request.param], "batch": 32}
        return recipe(**settings, steps=4 * self.chunk_steps, critic_steps=1)

    @pytest.fixture
    def poisoned(self, chosen: Recipe, sample: Callable[..., torch.Tensor]) -> torch.Tensor:
        members, cpu = Members("toy", tuple((64, seed) for seed in self.seeds)), torch.device("cpu")
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
    generators = [population.generator.params["weight1"].detach().clone()]
    while population.step < 6:
        population.train_chunk()
        generators.append(population.generator.params["weight1"].detach().clone())
    shares = [0, *[0.8**2 / 4] * 4, 0.2 * 0.8, 0.2]
    expected = sum(share * value for share, value in zip(shares, generators, strict=True))
    torch.testing.assert_close(population.measured_generator()["weight1"], expected, rtol=1e-12, atol=0)


def test_without_an_average_the_last_generator_is_measured(
    recipe: NewRecipe, populate: Populate, chunk: Shorten
) -> None:
    chunk(3)
    population = run(populate(recipe(steps=3, average=0), (0,)))
    assert population.measured_generator() is population.generator.params


@pytest.mark.parametrize("generator", [SPECTRAL, GROUPSORT])
def test_an_averaged_generator_is_as_lipschitz_as_its_architecture_promises(
    recipe: NewRecipe, populate: Populate, generator: dict[str, Any]
) -> None:
    population = run(populate(recipe(generator=generator, steps=60, generator_rate=1e-2, average=0.9), (0, 1)))
    params: Params = {name: value.double() for name, value in population.measured_generator().items()}
    noise = 2 * torch.rand(2, 400, 2, dtype=torch.float64) - 1
    points = population.generator.net.apply(params, noise)
    slopes = torch.cdist(points, points) / torch.cdist(noise, noise).clamp_min(1e-3)
    assert slopes.max() < 1.03
    last = {name: value.double() for name, value in population.generator.params.items()}
    assert not torch.allclose(points, population.generator.net.apply(last, noise))


@pytest.mark.parametrize("critic", [SPECTRAL, GROUPSORT])
def test_a_critic_that_is_lipschitz_by_construction_stays_so_in_training(
    recipe: NewRecipe, populate: Populate, critic: dict[str, Any]
) -> None:
    population = run(populate(recipe(critic={**critic, "hidden": [64, 64]}, critic_rate=5e-3, steps=60), (0, 1)))
    x = 3 * torch.randn(2, 300, 3)
    gradients = population.critic.net.input_gradient(population.critic.params, x)
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
    population = Population(chosen, Members("ring", ((300, 0), (300, 1))), list(sample), 2, torch.device("cpu"))
    noise = torch.from_numpy(np.random.default_rng(1).uniform(-1, 1, (2, 300, 2)).astype(np.float32))

    def distances() -> list[float]:
        points = population.generator.net.apply(population.measured_generator(), noise).detach().double().numpy()
        costs = [cdist(points[member], held_out[member]) for member in range(2)]
        return [float(cost[linear_sum_assignment(cost)].mean()) for cost in costs]

    before = distances()
    run(population)
    after = distances()
    assert all(last < first / 5 for first, last in zip(before, after, strict=True)), (before, after)

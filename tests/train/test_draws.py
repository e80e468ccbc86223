"""A member's random numbers are its own, chunk by chunk."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from itertools import combinations

import numpy as np
import pytest
import torch

from wgpipe.recipe import Recipe
from wgpipe.train.draws import CHUNK, Draws, Members, prior_sample

CPU = torch.device("cpu")
STACKED_AXIS = {"indices": 2, "critic_noise": 1, "mixes": 2, "generator_noise": 1}


@pytest.fixture
def draw(recipe: Callable[..., Recipe]) -> Callable[..., Draws]:
    def build(
        seeds: tuple[int, ...], chunk: int = 0, n: int = 50, dataset: str = "toy", prior: str = "uniform"
    ) -> Draws:
        chosen = recipe(batch=32, critic_steps=2).model_copy(update={"prior": prior})
        return Members(dataset, tuple((n, seed) for seed in seeds)).draw(chosen, 3, chunk, CPU)

    return build


def flat(draws: Draws) -> list[torch.Tensor]:
    given = [getattr(draws, field.name) for field in fields(draws)]
    return [values for values in given if values.numel()]


def test_draws_have_a_row_for_every_step_and_member(draw: Callable[..., Draws]) -> None:
    draws = draw((4, 7))
    assert draws.indices.shape == (CHUNK, 2, 2, 32)
    assert draws.critic_noise.shape == (CHUNK, 2, 3, 2, 32)
    assert draws.mixes.shape == (CHUNK, 2, 2, 32, 1)
    assert draws.generator_noise.shape == (CHUNK, 2, 3, 32)


def test_without_a_generator_there_are_rows_of_the_source_in_place_of_noise(recipe: Callable[..., Recipe]) -> None:
    chosen = recipe(generator=None, batch=32, critic_steps=2)
    together, alone = (Members("toy", runs).draw(chosen, 3, 0, CPU) for runs in (((50, 4), (50, 7)), ((50, 7),)))
    assert together.sources.shape == together.indices.shape == (CHUNK, 2, 2, 32)
    assert not torch.equal(together.sources, together.indices)
    assert torch.equal(together.sources[:, :, 1], alone.sources[:, :, 0])
    assert together.critic_noise.numel() == together.generator_noise.numel() == 0


def test_a_members_draws_do_not_depend_on_its_block_mates(draw: Callable[..., Draws]) -> None:
    together = draw((3, 1, 8))
    for position, seed in enumerate((3, 1, 8)):
        alone = draw((seed,))
        for name, axis in STACKED_AXIS.items():
            assert torch.equal(getattr(together, name).select(axis, position), getattr(alone, name).select(axis, 0))


def test_members_of_different_sample_sizes_draw_as_in_blocks_of_their_own(
    recipe: Callable[..., Recipe], draw: Callable[..., Draws]
) -> None:
    runs = ((50, 4), (7, 4), (300, 0))
    together = Members("toy", runs).draw(recipe(batch=32, critic_steps=2), 3, 0, CPU)
    for position, (n, seed) in enumerate(runs):
        alone = draw((seed,), n=n)
        assert alone.indices.max() == n - 1
        for name, axis in STACKED_AXIS.items():
            assert torch.equal(getattr(together, name).select(axis, position), getattr(alone, name).select(axis, 0))


def test_every_part_of_a_run_key_changes_all_draws(draw: Callable[..., Draws]) -> None:
    variants = [draw((0,)), draw((1,)), draw((0,), chunk=1), draw((0,), n=51), draw((0,), dataset="other")]
    for first, second in combinations(variants, 2):
        assert not any(torch.equal(a, b) for a, b in zip(flat(first), flat(second), strict=True))


def test_a_chunk_can_be_drawn_without_those_before(draw: Callable[..., Draws]) -> None:
    third = draw((0,), chunk=2)
    for earlier in range(2):
        draw((0,), chunk=earlier)
    assert all(torch.equal(a, b) for a, b in zip(flat(third), flat(draw((0,), chunk=2)), strict=True))


def test_the_two_sides_never_share_noise(draw: Callable[..., Draws]) -> None:
    draws = draw((0,))
    critic = set(draws.critic_noise.flatten().tolist())
    assert len(critic.intersection(draws.generator_noise.flatten().tolist())) < len(critic) / 1000


def test_batches_choose_uniformly_among_the_training_points(draw: Callable[..., Draws]) -> None:
    counts = np.bincount(draw((0, 1, 2, 3), n=10).indices.flatten(), minlength=10)
    assert len(counts) == 10
    np.testing.assert_allclose(counts, counts.mean(), atol=5 * counts.mean() ** 0.5)


def test_mixes_are_uniform_between_real_and_generated(draw: Callable[..., Draws]) -> None:
    mixes = draw((0,)).mixes
    assert mixes.min() >= 0
    assert mixes.max() < 1
    assert mixes.mean().item() == pytest.approx(0.5, abs=0.05)


def test_the_uniform_prior_fills_the_cube() -> None:
    noise = prior_sample("uniform", np.random.default_rng(0), (20_000, 2))
    assert noise.dtype == np.float32
    assert noise.min() >= -1
    assert noise.max() <= 1
    np.testing.assert_allclose(noise.mean(axis=0), 0, atol=0.03)
    np.testing.assert_allclose(noise.var(axis=0), 1 / 3, atol=0.01)


def test_the_normal_prior_is_standard() -> None:
    noise = prior_sample("normal", np.random.default_rng(0), (20_000, 2))
    assert noise.dtype == np.float32
    np.testing.assert_allclose(noise.mean(axis=0), 0, atol=0.03)
    np.testing.assert_allclose(np.cov(noise.T), np.eye(2), atol=0.04)


def test_double_precision_holds_the_same_numbers(recipe: Callable[..., Recipe]) -> None:
    members = Members("toy", ((50, 0), (50, 1)))
    single = members.draw(recipe(), 3, 0, CPU)
    double = members.draw(recipe(), 3, 0, CPU, torch.float64)
    assert double.indices.dtype == torch.int64
    assert double.mixes.dtype == torch.float64
    assert all(torch.equal(a.double(), b.double()) for a, b in zip(flat(single), flat(double), strict=True))

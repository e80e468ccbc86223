"""The random numbers of a training, in chunks of steps, member by member."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from wgpipe.recipe import Recipe
from wgpipe.rng import run_stream

CHUNK = 100  # generator updates whose random numbers are drawn at once; part of every stream's definition


@dataclass(frozen=True)
class Draws:
    """Inputs of up to CHUNK generator updates of E members, C critic steps each, batch B, latent dimension k."""

    indices: torch.Tensor  # (CHUNK, C, E, B) which training points make the real batch
    critic_noise: torch.Tensor  # (CHUNK, C, E, B, k)
    mixes: torch.Tensor  # (CHUNK, C, E, B, 1) where on the segment between real and generated the slope is penalised
    generator_noise: torch.Tensor  # (CHUNK, E, B, k)


@dataclass(frozen=True)
class Members:
    """Which runs make up a block: their streams are named by these alone."""

    dataset: str
    n: int
    seeds: tuple[int, ...]

    def draw(
        self, recipe: Recipe, latent: int, chunk: int, device: torch.device, dtype: torch.dtype = torch.float32
    ) -> Draws:
        """The chunk-th piece of every member's streams; the same numbers, to float32, for every dtype."""
        training = recipe.training
        shape = (CHUNK, training.critic_steps, training.batch)
        columns: dict[str, list[np.ndarray]] = {"indices": [], "critic": [], "mixes": [], "generator": []}
        for seed in self.seeds:
            batches, noise, mixes = (
                run_stream(self.dataset, self.n, seed, purpose, chunk) for purpose in ("batch", "noise", "mix")
            )
            columns["indices"].append(batches.integers(self.n, size=shape))
            columns["critic"].append(prior_sample(recipe.prior, noise, (*shape, latent)))
            columns["generator"].append(prior_sample(recipe.prior, noise, (CHUNK, training.batch, latent)))
            columns["mixes"].append(mixes.random((*shape, 1), dtype=np.float32))

        def stacked(name: str, axis: int) -> torch.Tensor:
            return torch.from_numpy(np.stack(columns[name], axis=axis)).to(device)

        reals = (stacked("critic", 2), stacked("mixes", 2), stacked("generator", 1))
        return Draws(stacked("indices", 2), *(real.to(dtype) for real in reals))


def prior_sample(prior: str, stream: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Latent points, float32: uniform on [-1, 1]^k or standard normal."""
    if prior == "normal":
        return stream.standard_normal(shape, dtype=np.float32)
    return 2 * stream.random(shape, dtype=np.float32) - 1

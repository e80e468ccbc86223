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

    indices: torch.Tensor  # (CHUNK, C, E, B) which of a member's training points make the real batch
    critic_noise: torch.Tensor  # (CHUNK, E, k, C, B)
    mixes: torch.Tensor  # (CHUNK, C, E, B, 1) where on the segment between real and generated the slope is penalised
    generator_noise: torch.Tensor  # (CHUNK, E, k, B)


@dataclass(frozen=True)
class Members:
    """Which runs train together, each (n, seed): their streams are named by these alone."""

    dataset: str
    runs: tuple[tuple[int, int], ...]

    def streams(self, purpose: str, chunk: int = 0) -> list[np.random.Generator]:
        """One generator a member."""
        return [run_stream(self.dataset, n, seed, purpose, chunk) for n, seed in self.runs]

    def draw(
        self, recipe: Recipe, latent: int, chunk: int, device: torch.device, dtype: torch.dtype = torch.float32
    ) -> Draws:
        """The chunk-th piece of every member's streams; the same numbers, to float32, for every dtype."""
        training = recipe.training
        shape = (CHUNK, training.critic_steps, training.batch)
        of_critic = (CHUNK, latent, training.critic_steps, training.batch)
        of_generator = (CHUNK, latent, training.batch)
        noise = self.streams("noise", chunk)
        batches = zip(self.runs, self.streams("batch", chunk), strict=True)

        def stacked(arrays: list[np.ndarray], axis: int) -> torch.Tensor:
            tensor = torch.from_numpy(np.stack(arrays, axis=axis)).to(device)
            return tensor.to(dtype) if tensor.is_floating_point() else tensor

        return Draws(
            indices=stacked([stream.integers(n, size=shape) for (n, _), stream in batches], 2),
            critic_noise=stacked([prior_sample(recipe.prior, stream, of_critic) for stream in noise], 1),
            mixes=stacked([stream.random((*shape, 1), dtype=np.float32) for stream in self.streams("mix", chunk)], 2),
            generator_noise=stacked([prior_sample(recipe.prior, stream, of_generator) for stream in noise], 1),
        )


def prior_sample(prior: str, stream: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Latent points, float32: uniform on [-1, 1]^k or standard normal."""
    if prior == "normal":
        return stream.standard_normal(shape, dtype=np.float32)
    return 2 * stream.random(shape, dtype=np.float32) - 1

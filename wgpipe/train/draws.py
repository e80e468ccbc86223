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
    """Inputs of up to CHUNK steps of E members, C critic updates each, batch B, latent dimension k.

    Without a generator there is no noise, but `sources`.
    """

    indices: torch.Tensor  # (CHUNK, C, E, B) which of a member's training points make the real batch
    sources: torch.Tensor  # (CHUNK, C, E, B) which of its source points are compared with them
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
        noise, mixes = self.streams("noise", chunk), self.streams("mix", chunk)
        floats = torch.zeros((), dtype=dtype, device=device)

        def rows(purpose: str) -> torch.Tensor:
            streams = zip(self.runs, self.streams(purpose, chunk), strict=True)
            return torch.from_numpy(np.stack([stream.integers(n, size=shape) for (n, _), stream in streams], 2)).to(
                device
            )

        def latent_points(shape: tuple[int, ...]) -> torch.Tensor:
            return torch.from_numpy(np.stack([prior_sample(recipe.prior, stream, shape) for stream in noise], 1)).to(
                floats
            )

        generates = recipe.generator is not None
        return Draws(
            indices=rows("batch"),
            sources=torch.empty(0) if generates else rows("source-batch"),
            critic_noise=latent_points(of_critic) if generates else torch.empty(0),
            mixes=torch.from_numpy(np.stack([stream.random((*shape, 1), dtype=np.float32) for stream in mixes], 2)).to(
                floats
            ),
            generator_noise=latent_points(of_generator) if generates else torch.empty(0),
        )


def prior_sample(prior: str, stream: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Latent points, float32: uniform on [-1, 1]^k or standard normal."""
    if prior == "normal":
        return stream.standard_normal(shape, dtype=np.float32)
    return 2 * stream.random(shape, dtype=np.float32) - 1

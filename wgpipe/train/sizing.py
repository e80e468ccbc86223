"""How large a training is, from its recipe alone: products, memory, and how many members fit the cache."""

from __future__ import annotations

from itertools import pairwise

from wgpipe.recipe import Piece, Recipe

CACHED_NUMBERS = 400_000  # of values in hidden layers, for which a stack is fastest on CPU; see bench/
BASE_MB = 600  # a process with torch (its CUDA build) that has loaded its inputs
CONTROL_MB = 150  # a process without torch
FLOAT = 4  # bytes
ALIGNED = 4
LANES = 32


def members_in_cache(recipe: Recipe, threads: int = 1) -> int:
    """How many members of this recipe make one stack on CPU: as many as the caches of `threads` cores hold.

    One, where a hidden layer does not fill whole groups of `ALIGNED` numbers, or a batch whole groups of `LANES`: BLAS
    rounds the members of such stacks by their place (seen with automatic differentiation, with odd widths).
    """
    if recipe.training.batch % LANES or any(width % ALIGNED for net in _nets(recipe) for width in _hidden(net)):
        return 1
    judge = recipe.critic or recipe.generator
    assert judge is not None
    points = (3 if penalised(recipe) else 2) * recipe.training.batch
    return max(1, threads * CACHED_NUMBERS // (points * hidden_units(judge)))


def training_mb(recipe: Recipe, sizes: list[int], latent: int, dimension: int) -> float:
    """Peak resident memory of training members on samples of these sizes together, in MB.

    Parameters with their moments and copies, hidden layers of every pass with their derivatives, the random numbers
    of one chunk of one stack, and the samples in double and in single precision.
    """
    laws = 2 if recipe.compares else 1
    samples = 3 * FLOAT * laws * sum(sizes) * dimension
    if recipe.is_control:
        return CONTROL_MB + 2 * samples / 2**20
    training, members = recipe.training, len(sizes)
    points = training.critic_steps * training.batch
    parameters = hidden = 0
    if recipe.critic is not None:
        parameters += weights(recipe.critic, dimension, 1)
        hidden += 8 * training.batch * hidden_units(recipe.critic)
    if recipe.generator is not None:
        parameters += weights(recipe.generator, latent, dimension)
        hidden += (2 * training.batch + points) * hidden_units(recipe.generator)
    draws = 2 * 100 * min(members, members_in_cache(recipe)) * points * (2 * latent + 6)
    return BASE_MB + (samples + FLOAT * (members * (12 * parameters + hidden) + draws)) / 2**20


def weights(net: Piece, inputs: int, outputs: int) -> int:
    """Multiplications of one forward pass at one point, by the net's hidden widths."""
    return sum(a * b for a, b in pairwise([inputs, *_hidden(net), outputs]))


def hidden_units(net: Piece) -> int:
    """Values in the hidden layers at one point."""
    return sum(_hidden(net))


def _nets(recipe: Recipe) -> list[Piece]:
    return [net for net in (recipe.generator, recipe.critic) if net is not None]


def _hidden(net: Piece) -> list[int]:
    return list(net.settings.get("hidden", (64, 64)))


def penalised(recipe: Recipe) -> bool:
    """Whether the critic is evaluated at mixed points too."""
    return bool(recipe.constraint.build("constraint").bounds_slope)

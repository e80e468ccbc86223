"""How large a training is, from its recipe alone: products, memory, and how many members fit the cache."""

from __future__ import annotations

import math
from itertools import pairwise

from wgpipe.nets import Size
from wgpipe.recipe import Piece, Recipe

CACHED_NUMBERS = 400_000  # of values in hidden layers, for which a stack is fastest on CPU; see bench/
BASE_MB = 600  # a process with torch (its CUDA build) that has loaded its inputs
CONTROL_MB = 150  # a process without torch
FLOAT = 4  # bytes
ALIGNED = 4
LANES = 32
PICTURE_NETS = ("autoencoder", "dcgan", "resnet")  # they say their size themselves, and need no torch for it
PICTURE_MEMBERS = 4  # of a stack of such networks, if their dispatch weighs: width times batch up to
DISPATCH_BOUND = 2048
PENALISED_PASSES, PASSES = 6, 2.7  # through such networks at a batch, that are in memory at once
AUTOENCODERS = {"began": 64, "mmd-gan": 16}  # methods whose critic has two networks, and their setting codes


def members_in_cache(recipe: Recipe, threads: int = 1) -> int:
    """How many members of this recipe make one stack on CPU: as many as the caches of `threads` cores hold.

    Networks for images are looped over (docs/decisions/013), so a stack saves but the dispatch of what is around them.

    One, where a hidden layer does not fill whole groups of `ALIGNED` numbers, or a batch whole groups of `LANES`: BLAS
    rounds the members of such stacks by their place (seen with automatic differentiation, with odd widths).
    """
    if recipe.training.batch % LANES or any(width % ALIGNED for net in _nets(recipe) for width in _hidden(net)):
        return 1
    pictures = [net.build("net").width for net in _nets(recipe) if net.name in PICTURE_NETS]
    if pictures:
        return PICTURE_MEMBERS if max(pictures) * recipe.training.batch <= DISPATCH_BOUND else 1
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
    stack = min(members, members_in_cache(recipe))
    points = training.critic_steps * training.batch
    generator, critic = generator_size(recipe, latent, dimension), critic_size(recipe, dimension)
    if has_pictures(recipe):
        passes = PENALISED_PASSES if penalised(recipe) else PASSES
        largest = max(passes * critic.values, PASSES * generator.values + critic.values)
        copies, hidden = 7, math.ceil(stack * training.batch * largest)
    else:
        of_generator = (2 * training.batch + points) * generator.values
        copies, hidden = 12, members * (8 * training.batch * critic.values + of_generator)
    draws = 2 * 100 * stack * points * (2 * latent + 6)
    parameters = copies * members * (generator.weights + critic.weights)
    return BASE_MB + (samples + FLOAT * (parameters + hidden + draws)) / 2**20


def generator_size(recipe: Recipe, latent: int, dimension: int) -> Size:
    """Of the generator; nothing without one."""
    return _size(recipe.generator, latent, dimension) if recipe.generator else Size(0, 0, 0)


def critic_size(recipe: Recipe, dimension: int) -> Size:
    """Of all networks of the critic; nothing without one."""
    if recipe.critic is None:
        return Size(0, 0, 0)
    name = recipe.method.name
    if name not in AUTOENCODERS:
        return _size(recipe.critic, dimension, 1)
    codes = recipe.method.settings.get("codes", AUTOENCODERS[name])
    encoder, decoder = _size(recipe.critic, dimension, codes), _size(recipe.critic, codes, dimension)
    return Size(*(a + b for a, b in zip(encoder, decoder, strict=True)))


def has_pictures(recipe: Recipe) -> bool:
    """Whether a network for images is trained."""
    return any(net.name in PICTURE_NETS for net in _nets(recipe))


def hidden_units(net: Piece) -> int:
    """Values in the hidden layers at one point."""
    return sum(_hidden(net))


def _size(net: Piece, inputs: int, outputs: int) -> Size:
    """Of one network; by its hidden widths, unless it says so itself."""
    if net.name in PICTURE_NETS:
        size: Size = net.build("net").size(inputs, outputs)
        return size
    weights = sum(a * b for a, b in pairwise([inputs, *_hidden(net), outputs]))
    return Size(weights, weights, hidden_units(net))


def _nets(recipe: Recipe) -> list[Piece]:
    return [net for net in (recipe.generator, recipe.critic) if net is not None]


def _hidden(net: Piece) -> list[int]:
    return list(net.settings.get("hidden", (64, 64)))


def penalised(recipe: Recipe) -> bool:
    """Whether the critic is evaluated at mixed points too."""
    return bool(recipe.constraint.build("constraint").bounds_slope)

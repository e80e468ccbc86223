"""The same training in JAX: vmap over members, scan over steps, jit around both, Adam from optax."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import pairwise
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import Array

from bench.cells import BETAS, CLIP, CRITIC_STEPS, DIMENSION, NEWTON_STEPS, PENALTY, POINTS, RATE, Cell

Params = list[tuple[Array, Array]]  # (fan-in, fan-out) weights and (fan-out,) biases, layer by layer


def sort_pairs(x: Array) -> Array:
    left, right = jnp.split(x, 2, axis=-1)
    return jnp.concatenate([jnp.minimum(left, right), jnp.maximum(left, right)], axis=-1)


def net(activation: Callable[[Array], Array], params: Params, x: Array) -> Array:
    """(B, inputs) -> (B, outputs)."""
    for weight, bias in params[:-1]:
        x = activation(x @ weight + bias)
    weight, bias = params[-1]
    return x @ weight + bias


def activation_of(method: str) -> Callable[[Array], Array]:
    """Of the critic."""
    return sort_pairs if method == "wgan-groupsort" else jax.nn.relu


def critic_loss(method: str, params: Params, real: Array, fake: Array, mix: Array) -> Array:
    """(B, d), (B, d), (B, 1) -> the loss of one member."""
    critic = partial(net, activation_of(method))
    f_real, f_fake = jnp.split(critic(params, jnp.concatenate([real, fake]))[:, 0], 2)
    if method.startswith("vanilla"):
        loss = jnp.mean(jax.nn.softplus(-f_real) + jax.nn.softplus(f_fake))
    else:
        loss = jnp.mean(f_fake - f_real)
    if method.endswith("-lp"):
        gradient = jax.grad(lambda x: critic(params, x).sum())(mix * real + (1 - mix) * fake)
        excess = jnp.maximum(jnp.linalg.norm(gradient, axis=1) - 1, 0)
        loss += PENALTY * jnp.mean(excess**2)
    return loss


def generator_loss(method: str, generator: Params, critic: Params, noise: Array) -> Array:
    """(B, k) -> the loss of one member."""
    f_fake = net(activation_of(method), critic, net(jax.nn.relu, generator, noise))
    return jnp.mean(jax.nn.softplus(-f_fake)) if method.startswith("vanilla") else -jnp.mean(f_fake)


def constrain(method: str, critic: Params) -> Params:
    """What follows an update of one member's critic."""
    if method == "wgan-clip":
        return [(jnp.clip(weight, -CLIP, CLIP), jnp.clip(bias, -CLIP, CLIP)) for weight, bias in critic]
    if method == "wgan-groupsort":
        return [(orthonormalise(weight), bias) for weight, bias in critic]
    return critic


def orthonormalise(weight: Array) -> Array:
    """Newton-Schulz steps."""
    wide = weight.shape[0] < weight.shape[1]
    q = weight.T if wide else weight
    for _ in range(NEWTON_STEPS):
        q = 1.5 * q - 0.5 * q @ (q.T @ q)
    return q.T if wide else q


def initial(stream: np.random.Generator, stack: int, sizes: tuple[int, ...], orthogonal: bool) -> Params:
    """Of all members, by NumPy: XLA would compile for seconds what runs once."""
    params = []
    for fan_in, fan_out in pairwise(sizes):
        if orthogonal:
            normal = stream.standard_normal((stack, max(fan_in, fan_out), min(fan_in, fan_out)))
            tall = np.linalg.qr(normal)[0]
            weight = tall if fan_in >= fan_out else tall.mT
        else:
            weight = (6 / fan_in) ** 0.5 * stream.uniform(-1, 1, (stack, fan_in, fan_out))
        params.append((jnp.asarray(weight, jnp.float32), jnp.zeros((stack, fan_out), jnp.float32)))
    return params


def start(cell: Cell) -> Callable[[], None]:
    """A training of `cell.stack` members; each call does `cell.steps()` generator updates of each."""
    method, h, batch, stack = cell.method, cell.width, cell.batch, cell.stack
    adam = optax.adam(RATE, *BETAS)
    critic_gradient = jax.vmap(jax.grad(partial(critic_loss, method)))
    generator_gradient = jax.vmap(jax.grad(partial(generator_loss, method)))
    generate = jax.vmap(partial(net, jax.nn.relu))

    def noise(key: Array, *shape: int) -> Array:
        return jax.random.uniform(key, (*shape, DIMENSION), minval=-1, maxval=1)

    def step(data: Array, carry: Any, key: Array) -> tuple[Any, None]:
        generator, critic, generator_state, critic_state = carry
        k_critic, k_batch, k_mix, k_generator = jax.random.split(key, 4)

        def critic_step(carry: Any, draws: tuple[Array, Array, Array]) -> tuple[Any, None]:
            critic, state = carry
            z, indices, mix = draws
            real = jax.vmap(lambda points, rows: points[rows])(data, indices)
            fake = generate(generator, z)
            updates, state = adam.update(critic_gradient(critic, real, fake, mix), state)
            critic = jax.vmap(partial(constrain, method))(optax.apply_updates(critic, updates))
            return (critic, state), None

        draws = (
            noise(k_critic, CRITIC_STEPS, stack, batch),
            jax.random.randint(k_batch, (CRITIC_STEPS, stack, batch), 0, POINTS),
            jax.random.uniform(k_mix, (CRITIC_STEPS, stack, batch, 1)),
        )
        (critic, critic_state), _ = jax.lax.scan(critic_step, (critic, critic_state), draws)
        gradient = generator_gradient(generator, critic, noise(k_generator, stack, batch))
        updates, generator_state = adam.update(gradient, generator_state)
        generator = optax.apply_updates(generator, updates)
        return (generator, critic, generator_state, critic_state), None

    @partial(jax.jit, donate_argnums=0)
    def chunk(carry: Any, key: Array, data: Array) -> Any:
        return jax.lax.scan(partial(step, data), carry, jax.random.split(key, cell.steps()))[0]

    stream = np.random.default_rng(0)
    data = jnp.asarray(stream.uniform(-1.5, 1.5, (stack, POINTS, DIMENSION)), jnp.float32)
    generator = initial(stream, stack, (DIMENSION, h, h, DIMENSION), orthogonal=False)
    critic = initial(stream, stack, (DIMENSION, h, h, 1), orthogonal=method == "wgan-groupsort")
    carry = (generator, critic, adam.init(generator), adam.init(critic))
    key = jax.random.key(0)
    count = 0

    def train() -> None:
        nonlocal carry, count
        count += 1
        carry = chunk(carry, jax.random.fold_in(key, count), data)
        jax.block_until_ready(carry)  # type: ignore[no-untyped-call]

    return train

"""Critics of several networks, and the members of a stack one by one."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch

from wgpipe.methods import Adversarial
from wgpipe.nets.mlp import Mlp
from wgpipe.train.critic import Critic, method_state, named_part

MEMBERS, BATCH, DIMENSION = 3, 32, 3
NET = Mlp(hidden=(8, 8))


def critic_of(method: Adversarial, dtype: torch.dtype = torch.float64) -> Critic:
    """An untrained critic of MEMBERS members on R^DIMENSION, with all networks and numbers that a method asks for."""
    members = [_member(method, np.random.default_rng(seed)) for seed in range(MEMBERS)]
    return Critic(
        NET, {name: torch.from_numpy(np.stack([one[name] for one in members])).to(dtype) for name in members[0]}
    )


def points(seed: int, scale: float = 1.0, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    """(MEMBERS, BATCH, DIMENSION)."""
    return torch.from_numpy(scale * np.random.default_rng(seed).standard_normal((MEMBERS, BATCH, DIMENSION))).to(dtype)


def alone(critic: Critic, member: int) -> Critic:
    """A stack of this member, of its own."""
    return Critic(critic.net, {name: value[member : member + 1].clone() for name, value in critic.params.items()})


def through(params: Mapping[str, torch.Tensor], part: str, member: int, x: np.ndarray) -> np.ndarray:
    """(B, inputs) -> (B, outputs) of one member's network, a layer at a time."""
    prefix = f"{part}." if part else ""
    for layer in range(3):
        weight, bias = (params[f"{prefix}{kind}{layer}"][member].detach().numpy() for kind in ("weight", "bias"))
        x = x @ weight + bias
        x = np.maximum(x, 0) if layer < 2 else x
    return x


def assert_members_stay_apart(method: Adversarial) -> None:
    """Losses, gradients and states of a float32 stack are, bit by bit, those of each member in a stack of its own."""
    together = critic_of(method, torch.float32)
    apart = [alone(together, member) for member in range(MEMBERS)]
    for seed in range(2):
        real, fake = points(2 * seed, dtype=torch.float32), points(2 * seed + 1, 2.0, torch.float32)
        stacked = _everything(method, together, real, fake)
        singles = [_everything(method, one, real[e : e + 1], fake[e : e + 1]) for e, one in enumerate(apart)]
        for name, value in stacked.items():
            torch.testing.assert_close(value, torch.cat([single[name] for single in singles]), rtol=0, atol=0, msg=name)


def _everything(method: Adversarial, critic: Critic, real: torch.Tensor, fake: torch.Tensor) -> dict[str, torch.Tensor]:
    moved = fake.clone().requires_grad_()
    found = {"generator loss": method.generator_objective(critic, moved, real)}
    (found["generator gradient"],) = torch.autograd.grad(found["generator loss"].sum(), moved)
    if method.has_critic:
        trained = {name: value for name, value in critic.params.items() if not name.startswith("state.")}
        leaves = {name: value.detach().clone().requires_grad_() for name, value in trained.items()}
        found["critic loss"] = method.critic_objective(Critic(critic.net, critic.params | leaves), real, fake)
        gradients = torch.autograd.grad(found["critic loss"].sum(), list(leaves.values()))
        found |= dict(zip(leaves, gradients, strict=True))
    return found | {name: critic.params[method_state(name)].clone() for name in method.state()}


def _member(method: Adversarial, stream: np.random.Generator) -> dict[str, np.ndarray]:
    arrays = {}
    for part, (inputs, outputs) in method.parts(DIMENSION).items():
        arrays |= named_part(part, NET.init(stream, inputs, outputs))
    return arrays | {method_state(name): np.full(1, value) for name, value in method.state().items()}

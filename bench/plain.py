"""One run in plain PyTorch, as a reader of the papers' code would write it.

This file is frozen: it is what the engine is compared with, and it gets neither slower nor faster.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, autograd, nn
from torch.nn.functional import softplus

from bench.cells import BETAS, CLIP, CRITIC_STEPS, DIMENSION, NEWTON_STEPS, PENALTY, POINTS, RATE, Cell


def mlp(inputs: int, hidden: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(inputs, hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU(), nn.Linear(hidden, outputs)
    )


class SortPairs(nn.Module):
    """Anil et al. 2019, groups of two."""

    def forward(self, x: Tensor) -> Tensor:
        left, right = x.chunk(2, dim=1)
        return torch.cat([torch.minimum(left, right), torch.maximum(left, right)], dim=1)


def groupsort(inputs: int, hidden: int, outputs: int) -> nn.Sequential:
    layers = [nn.Linear(inputs, hidden), nn.Linear(hidden, hidden), nn.Linear(hidden, outputs)]
    for layer in layers:
        nn.init.orthogonal_(layer.weight)
        nn.init.zeros_(layer.bias)
    return nn.Sequential(layers[0], SortPairs(), layers[1], SortPairs(), layers[2])


@torch.no_grad()
def orthonormalise(critic: nn.Module) -> None:
    """Newton-Schulz steps (Björck & Bowie 1971)."""
    for layer in critic.modules():
        if isinstance(layer, nn.Linear):
            w = layer.weight
            wide = w.shape[0] < w.shape[1]
            q = w.T if wide else w
            for _ in range(NEWTON_STEPS):
                q = 1.5 * q - 0.5 * q @ (q.T @ q)
            w.copy_(q.T if wide else q)


@torch.no_grad()
def clip(critic: nn.Module) -> None:
    for p in critic.parameters():
        p.clamp_(-CLIP, CLIP)


def lipschitz_penalty(critic: nn.Module, real: Tensor, fake: Tensor, t: Tensor) -> Tensor:
    """Petzka et al. 2018, equation 7."""
    mixed = (t * real + (1 - t) * fake).requires_grad_()
    (gradient,) = autograd.grad(critic(mixed).sum(), mixed, create_graph=True)
    penalty: Tensor = PENALTY * (gradient.norm(dim=1) - 1).clamp(min=0).square().mean()
    return penalty


def critic_loss(method: str, critic: nn.Module, real: Tensor, fake: Tensor, t: Tensor) -> Tensor:
    if method.startswith("vanilla"):
        loss = softplus(-critic(real)).mean() + softplus(critic(fake)).mean()
    else:
        loss = critic(fake).mean() - critic(real).mean()
    if method.endswith("-lp"):
        loss = loss + lipschitz_penalty(critic, real, fake, t)
    return loss


def generator_loss(method: str, critic: nn.Module, fake: Tensor) -> Tensor:
    return softplus(-critic(fake)).mean() if method.startswith("vanilla") else -critic(fake).mean()


def start(cell: Cell) -> Callable[[], None]:
    """A training of one run; each call does `cell.steps()` generator updates."""
    torch.manual_seed(0)
    method, batch = cell.method, cell.batch
    data = 3 * torch.rand(POINTS, DIMENSION) - 1.5
    generator = mlp(DIMENSION, cell.width, DIMENSION)
    critic = (groupsort if method == "wgan-groupsort" else mlp)(DIMENSION, cell.width, 1)
    generator_optimizer = torch.optim.Adam(generator.parameters(), lr=RATE, betas=BETAS)
    critic_optimizer = torch.optim.Adam(critic.parameters(), lr=RATE, betas=BETAS)

    def sample_noise() -> Tensor:
        return 2 * torch.rand(batch, DIMENSION) - 1

    def train() -> None:
        for _ in range(cell.steps()):
            critic.requires_grad_(True)
            for _ in range(CRITIC_STEPS):
                real = data[torch.randint(POINTS, (batch,))]
                with torch.no_grad():
                    fake = generator(sample_noise())
                loss = critic_loss(method, critic, real, fake, torch.rand(batch, 1))
                critic_optimizer.zero_grad()
                loss.backward()
                critic_optimizer.step()
                if method == "wgan-groupsort":
                    orthonormalise(critic)
                if method == "wgan-clip":
                    clip(critic)

            critic.requires_grad_(False)
            loss = generator_loss(method, critic, generator(sample_noise()))
            generator_optimizer.zero_grad()
            loss.backward()
            generator_optimizer.step()

    return train

"""One GAN on images in plain PyTorch, as a reader of the papers' code would write it.

This file is frozen: it is what the engine is compared with, and it gets neither slower nor faster.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, autograd, nn
from torch.nn.functional import softplus

from bench.image_cells import BATCH, BETAS, LATENT, PENALTY, POINTS, RATE, ImageCell

SIDES = {14: (4, 7, 14), 28: (4, 7, 14, 28)}


def generator(cell: ImageCell) -> nn.Sequential:
    sides = SIDES[cell.side]
    widths = [*(cell.width * 2**number for number in reversed(range(len(sides) - 1))), 1]
    layers: list[nn.Module] = [nn.Linear(LATENT, widths[0] * 16, bias=False), nn.Unflatten(1, (widths[0], 4, 4))]
    for number in range(len(sides) - 1):
        layers += [nn.BatchNorm2d(widths[number]), nn.ReLU()]
        odd, last = sides[number + 1] % 2, number == len(sides) - 2
        layers.append(nn.ConvTranspose2d(widths[number], widths[number + 1], 4, 2, 1 + odd, odd, bias=last))
    return initial(nn.Sequential(*layers, nn.Tanh()))


def critic(cell: ImageCell) -> nn.Sequential:
    sides = SIDES[cell.side][::-1]
    widths = [1, *(cell.width * 2**number for number in range(len(sides) - 1))]
    layers: list[nn.Module] = []
    for number in range(len(sides) - 1):
        first = number == 0
        layers.append(nn.Conv2d(widths[number], widths[number + 1], 4, 2, 1 + sides[number] % 2, bias=first))
        if not first:
            channels = widths[number + 1]
            layers.append(nn.GroupNorm(1, channels) if cell.norm == "layer" else nn.BatchNorm2d(channels))
        layers.append(nn.LeakyReLU(0.2))
    return initial(nn.Sequential(*layers, nn.Flatten(), nn.Linear(widths[-1] * 16, 1)))


def initial(net: nn.Sequential) -> nn.Sequential:
    for name, parameter in net.named_parameters():
        if parameter.ndim > 1:
            nn.init.normal_(parameter, 0, 0.02)
        else:
            nn.init.zeros_(parameter) if name.endswith("bias") else nn.init.normal_(parameter, 1, 0.02)
    return net


def critic_loss(method: str, critic: nn.Module, real: Tensor, fake: Tensor, t: Tensor) -> Tensor:
    if method == "vanilla":
        return softplus(-critic(real)).mean() + softplus(critic(fake)).mean()
    mixed = (t * real + (1 - t) * fake).requires_grad_()
    (gradient,) = autograd.grad(critic(mixed).sum(), mixed, create_graph=True)
    penalty = PENALTY * (gradient.flatten(1).norm(dim=1) - 1).square().mean()
    return critic(fake).mean() - critic(real).mean() + penalty


def generator_loss(method: str, critic: nn.Module, fake: Tensor) -> Tensor:
    return softplus(-critic(fake)).mean() if method == "vanilla" else -critic(fake).mean()


def start(cell: ImageCell) -> Callable[[], None]:
    """A training of one run; each call does `cell.steps()` generator updates."""
    torch.manual_seed(0)
    data = 2 * torch.rand(POINTS, 1, cell.side, cell.side) - 1
    g, d = generator(cell), critic(cell)
    g_optimizer = torch.optim.Adam(g.parameters(), lr=RATE, betas=BETAS)
    d_optimizer = torch.optim.Adam(d.parameters(), lr=RATE, betas=BETAS)

    def sample_noise() -> Tensor:
        return 2 * torch.rand(BATCH, LATENT) - 1

    def train() -> None:
        for _ in range(cell.steps()):
            d.requires_grad_(True)
            for _ in range(cell.critic_steps):
                real = data[torch.randint(POINTS, (BATCH,))]
                with torch.no_grad():
                    fake = g(sample_noise())
                loss = critic_loss(cell.method, d, real, fake, torch.rand(BATCH, 1, 1, 1))
                d_optimizer.zero_grad()
                loss.backward()
                d_optimizer.step()

            d.requires_grad_(False)
            loss = generator_loss(cell.method, d, g(sample_noise()))
            g_optimizer.zero_grad()
            loss.backward()
            g_optimizer.step()

    return train

"""Networks for images as modules of torch, by the papers' descriptions, with the parameters of one member."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import nn

from wgpipe.nets import Params

DTYPE = torch.float64


def dcgan_generator(sides: list[int], width: int, channels: int, kernel: int, norm: str, latent: int) -> nn.Module:
    """Sides from the smallest to the image's."""
    widths = [width * 2**number for number in range(len(sides) - 1)][::-1]
    layers: list[nn.Module] = [nn.Linear(latent, widths[0] * sides[0] ** 2, bias=norm == "none", dtype=DTYPE)]
    layers += [nn.Unflatten(1, (widths[0], sides[0], sides[0])), *normalised(norm, widths[0]), nn.ReLU()]
    for number, (small, large) in enumerate(pairwise(sides)):
        last = number == len(widths) - 1
        after = channels if last else widths[number + 1]
        padding = same_padding(large, small, kernel)
        missing = large - ((small - 1) * 2 - 2 * padding + kernel)
        bias = last or norm == "none"
        layers.append(nn.ConvTranspose2d(widths[number], after, kernel, 2, padding, missing, bias=bias, dtype=DTYPE))
        layers += [nn.Tanh()] if last else [*normalised(norm, after), nn.ReLU()]
    return nn.Sequential(*layers, nn.Flatten())


def dcgan_critic(sides: list[int], width: int, channels: int, kernel: int, norm: str, outputs: int) -> nn.Module:
    """Sides from the image's to the smallest."""
    widths = [channels, *(width * 2**number for number in range(len(sides) - 1))]
    layers: list[nn.Module] = [nn.Unflatten(1, (channels, sides[0], sides[0]))]
    for number, (large, small) in enumerate(pairwise(sides)):
        bare = number == 0 or norm == "none"
        padding = same_padding(large, small, kernel)
        layers.append(nn.Conv2d(widths[number], widths[number + 1], kernel, 2, padding, bias=bare, dtype=DTYPE))
        layers += [*([] if bare else normalised(norm, widths[number + 1])), nn.LeakyReLU(0.2)]
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(widths[-1] * sides[-1] ** 2, outputs, dtype=DTYPE))


def same_padding(large: int, small: int, kernel: int) -> int:
    """The least padding of both edges with which convolutions of stride 2 take the one side to the other."""
    return next(padding for padding in range(kernel) if (large + 2 * padding - kernel) // 2 + 1 == small)


def normalised(norm: str, channels: int) -> list[nn.Module]:
    if norm == "none":
        return []
    batch = norm == "batch"
    return [nn.BatchNorm2d(channels, dtype=DTYPE) if batch else nn.GroupNorm(1, channels, dtype=DTYPE)]


class Upsampled(nn.Module):
    """To a side, by the nearest of a smaller image's places."""

    def __init__(self, side: int) -> None:
        super().__init__()
        self.side = side

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        nearest = torch.arange(self.side) * x.shape[-1] // self.side
        return x[..., nearest, :][..., nearest]


def began_decoder(sides: list[int], width: int, channels: int, codes: int) -> nn.Module:
    layers: list[nn.Module] = [nn.Linear(codes, width * sides[0] ** 2, dtype=DTYPE)]
    layers.append(nn.Unflatten(1, (width, sides[0], sides[0])))
    for number, side in enumerate(sides):
        layers += [Upsampled(side)] if number else []
        for _ in range(2):
            layers += [nn.Conv2d(width, width, 3, 1, 1, dtype=DTYPE), nn.ELU()]
    return nn.Sequential(*layers, nn.Conv2d(width, channels, 3, 1, 1, dtype=DTYPE), nn.Flatten())


def began_encoder(sides: list[int], width: int, channels: int, codes: int) -> nn.Module:
    layers: list[nn.Module] = [nn.Unflatten(1, (channels, sides[0], sides[0]))]
    layers += [nn.Conv2d(channels, width, 3, 1, 1, dtype=DTYPE), nn.ELU()]
    before = width
    for number in range(len(sides)):
        own = width * (number + 1)
        layers += [nn.Conv2d(before, own, 3, 2 if number else 1, 1, dtype=DTYPE), nn.ELU()]
        layers += [nn.Conv2d(own, own, 3, 1, 1, dtype=DTYPE), nn.ELU()]
        before = own
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(before * sides[-1] ** 2, codes, dtype=DTYPE))


class ResidualUp(nn.Module):
    def __init__(self, side: int, width: int, norm: str) -> None:
        super().__init__()
        up, conv = Upsampled(side), nn.Conv2d
        self.inner = nn.Sequential(
            *normalised(norm, width),
            nn.ReLU(),
            up,
            conv(width, width, 3, 1, 1, dtype=DTYPE),
            *normalised(norm, width),
            nn.ReLU(),
            conv(width, width, 3, 1, 1, dtype=DTYPE),
        )
        self.shortcut = nn.Sequential(up, conv(width, width, 1, dtype=DTYPE))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        summed: torch.Tensor = self.inner(x) + self.shortcut(x)
        return summed


class ResidualDown(nn.Module):
    def __init__(self, before: int, width: int, norm: str, first: bool, halves: bool) -> None:
        super().__init__()
        pool = [nn.AvgPool2d(2, ceil_mode=True)] if halves else []
        self.inner = nn.Sequential(
            *([] if first else [*normalised(norm, before), nn.ReLU()]),
            nn.Conv2d(before, width, 3, 1, 1, dtype=DTYPE),
            *normalised(norm, width),
            nn.ReLU(),
            nn.Conv2d(width, width, 3, 1, 1, dtype=DTYPE),
            *pool,
        )
        self.shortcut = nn.Sequential(*pool, *([nn.Conv2d(before, width, 1, dtype=DTYPE)] if halves else []))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        summed: torch.Tensor = self.inner(x) + self.shortcut(x)
        return summed


class MeanOverPlaces(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.mean(dim=(2, 3))


def resnet_generator(sides: list[int], width: int, channels: int, norm: str, latent: int) -> nn.Module:
    return nn.Sequential(
        nn.Linear(latent, width * sides[0] ** 2, dtype=DTYPE),
        nn.Unflatten(1, (width, sides[0], sides[0])),
        *(ResidualUp(side, width, norm) for side in sides[1:]),
        *normalised(norm, width),
        nn.ReLU(),
        nn.Conv2d(width, channels, 3, 1, 1, dtype=DTYPE),
        nn.Tanh(),
        nn.Flatten(),
    )


def resnet_critic(sides: list[int], width: int, channels: int, norm: str, outputs: int) -> nn.Module:
    halving = [
        ResidualDown(width if number else channels, width, norm, first=number == 0, halves=True)
        for number in range(len(sides) - 1)
    ]
    plain = [ResidualDown(width, width, norm, first=False, halves=False) for _ in range(2)]
    image = nn.Unflatten(1, (channels, sides[0], sides[0]))
    ending = [nn.ReLU(), MeanOverPlaces(), nn.Linear(width, outputs, dtype=DTYPE)]
    return nn.Sequential(image, *halving, *plain, *ending)


def with_parameters(module: nn.Module, params: Params, member: int) -> nn.Module:
    """The module with those of one member, which stand in the same order."""
    own = [value[member] for name, value in params.items() if not name.startswith("state.")]
    theirs = list(module.parameters())
    assert len(own) == len(theirs)
    with torch.no_grad():
        for target, value in zip(theirs, own, strict=True):
            target.copy_(value.mT if value.ndim == 2 else value)
    return module

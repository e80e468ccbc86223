"""Laws on the line: sources with distribution functions and densities, targets with quantile functions."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

Pointwise = Callable[[np.ndarray], np.ndarray]

SEPARATION = 2.0
WIDTH = 0.5


@dataclass(frozen=True)
class SourceLaw:
    """`tails`: x -> (F(x), 1 - F(x)). `breaks`: ends of intervals that hold all mass but 1e-30, for quadrature."""

    title: str
    draw: Callable[[np.random.Generator, int], np.ndarray]
    tails: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
    density: Pointwise
    breaks: tuple[float, ...]


@dataclass(frozen=True)
class TargetLaw:
    """`from_left`: F(x) -> x. `from_right`: 1 - F(x) -> x."""

    title: str
    draw: Callable[[np.random.Generator, int], np.ndarray]
    from_left: Pointwise
    from_right: Pointwise


def _draw_mixture(stream: np.random.Generator, count: int) -> np.ndarray:
    sides, noise = stream.spawn(2)
    return np.where(sides.random(count) < 0.5, -SEPARATION, SEPARATION) + WIDTH * noise.standard_normal(count)


def _mixture_tails(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    from scipy.special import ndtr

    left, right = (x + SEPARATION) / WIDTH, (x - SEPARATION) / WIDTH
    return (ndtr(left) + ndtr(right)) / 2, (ndtr(-left) + ndtr(-right)) / 2


def _mixture_density(x: np.ndarray) -> np.ndarray:
    bells = [np.exp(-(((x - centre) / WIDTH) ** 2) / 2) for centre in (-SEPARATION, SEPARATION)]
    return np.asarray((bells[0] + bells[1]) / (2 * WIDTH * math.sqrt(2 * math.pi)))


def _normal_from_left(p: np.ndarray) -> np.ndarray:
    from scipy.special import ndtri

    return np.asarray(ndtri(p))


SOURCES = {
    "uniform": SourceLaw(
        title="U[0, 1]",
        draw=lambda stream, count: stream.random(count),
        tails=lambda x: (x, 1 - x),
        density=np.ones_like,
        breaks=(0.0, 1.0),
    ),
    "mixture": SourceLaw(
        title="½N(-2, ¼) + ½N(2, ¼)",
        draw=_draw_mixture,
        tails=_mixture_tails,
        density=_mixture_density,
        breaks=(-8.0, -SEPARATION, 0.0, SEPARATION, 8.0),
    ),
}
TARGETS = {
    "normal": TargetLaw(
        title="N(0, 1)",
        draw=lambda stream, count: stream.standard_normal(count),
        from_left=_normal_from_left,
        from_right=lambda p: -_normal_from_left(p),
    ),
    "exponential": TargetLaw(
        title="Exp(1)",
        draw=lambda stream, count: stream.standard_exponential(count),
        from_left=lambda p: -np.log1p(-p),
        from_right=lambda p: -np.log(p),
    ),
}

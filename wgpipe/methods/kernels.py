"""Kernels that several methods share: Plummer's, and sums of Gaussians with the distance that they define."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeVar

from pydantic import BaseModel, Field, PositiveFloat, field_validator

if TYPE_CHECKING:
    import numpy as np
    import torch

    Array = TypeVar("Array", np.ndarray, torch.Tensor)

ROUNDING = 1e-12  # least MMD² under a root, whose slope is infinite at 0


class Plummer(BaseModel):
    """k(a, b) = (|a - b|² + ε²)^(-(D - 2) / 2): the potential of a charge in R^D, smoothed within ε.

    The exponent D - 2 is the d of Unterthiner et al. 2018; D = 3, ε = 1 are the values of their code. On data in R^m
    the kernel is superharmonic, so that the potential has no local minima off the data, if and only if D <= m.
    """

    dimension: float = Field(3.0, description="D of the potential, more than 2; not that of the data")
    epsilon: PositiveFloat = Field(1.0, description="ε, length within which the kernel is smooth")

    @field_validator("dimension")
    @classmethod
    def _falls_with_distance(cls, dimension: float) -> float:
        if dimension == 2:
            raise ValueError("it must be above 2: at 2 the kernel is constant, and nothing is learned")
        if not 2 < dimension < float("inf"):
            raise ValueError("it must be a finite number above 2, or the kernel does not fall with the distance")
        return dimension

    def kernel(self, squared: Array) -> Array:
        """|a - b|² -> k(a, b), element by element."""
        return (squared + self.epsilon**2) ** (-(self.dimension - 2) / 2)


def squared_distances(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """(E, B, d), (E, C, d) -> (E, B, C) |a_i - b_j|², from products about the mean of b, where they cancel least.

    On a line they are not left to BLAS, whose products with a vector round by the number of members.
    """
    centre = b.detach().mean(dim=1, keepdim=True)
    a, b = a - centre, b - centre
    squares = a.square().sum(dim=2)[:, :, None] + b.square().sum(dim=2)[:, None, :]
    products = a * b.mT if a.shape[2] == 1 else a @ b.mT
    return (squares - 2 * products).clamp_min(0)


def mmd_squared(x: torch.Tensor, y: torch.Tensor, variances: Sequence[float]) -> torch.Tensor:
    """(E, B, d), (E, C, d) -> (E,) mean k(x, x') + mean k(y, y') - 2 mean k(x, y), all pairs counted.

    k(a, b) is the sum of exp(-|a - b|² / 2v) over the variances v, the biased estimate of Gretton et al. 2012, eq. 5.
    The constant k(a, a), which cancels, is left out, or its rounding would hide the distance of points that are close.
    """

    def mean(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        squared = squared_distances(a, b)
        kernel = (squared / (-2 * variances[0])).expm1()
        for variance in variances[1:]:
            kernel = kernel + (squared / (-2 * variance)).expm1()
        return kernel.mean(dim=(1, 2))

    return mean(x, x) + mean(y, y) - 2 * mean(x, y)


def mmd(x: torch.Tensor, y: torch.Tensor, variances: Sequence[float]) -> torch.Tensor:
    """The root of `mmd_squared`, (E,)."""
    return mmd_squared(x, y, variances).clamp_min(ROUNDING).sqrt()

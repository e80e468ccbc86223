"""Means and covariances of stacks of samples, and the linear map between them that costs least."""

from __future__ import annotations

import torch

from wgpipe.nets import product

NEGLIGIBLE = 1e-12  # share of the largest eigenvalue below which a direction counts as without variance


def mean_and_covariance(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """(E, B, d) -> (E, 1, d), (E, d, d) in float64, of the empirical measure."""
    x = x.double()
    mean = x.mean(dim=1, keepdim=True)
    centred = x - mean
    return mean, product(centred.mT, centred) / x.shape[1]


def linear_map(source: torch.Tensor, target: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """(E, d, d) covariances S, T -> (E, d, d) the map S^-½ (S^½ T S^½)^½ S^-½, and (E,) tr (S^½ T S^½)^½.

    Olkin & Pukelsheim 1982. Where the source has no variance the map is 0. Covariances that are not finite give NaN.
    """
    finite = (source.isfinite() & target.isfinite()).all(dim=(1, 2), keepdim=True)
    values, vectors = torch.linalg.eigh(torch.where(finite, source, 0.0))
    kept = values > NEGLIGIBLE * values[:, -1:]
    root = torch.where(kept, values, 0.0).sqrt()
    inverse = torch.where(kept, 1 / root, 0.0)
    half = product(vectors * root[:, None, :], vectors.mT)
    cross, axes = torch.linalg.eigh(_sandwich(half, torch.where(finite, target, 0.0)))
    cross = cross.clamp_min(0).sqrt()
    middle = product(axes * cross[:, None, :], axes.mT)
    result = _sandwich(product(vectors * inverse[:, None, :], vectors.mT), middle)
    return torch.where(finite, result, torch.nan), torch.where(finite[:, 0, 0], cross.sum(dim=1), torch.nan)


def _sandwich(outer: torch.Tensor, inner: torch.Tensor) -> torch.Tensor:
    result = product(product(outer, inner), outer)
    return (result + result.mT) / 2

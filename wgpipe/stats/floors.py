"""Does c·n^(-a) + floor describe a curve better than a pure power law?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import optimize

CHI_SQUARE = 5.412  # 99 % point of the improvement by a floor that is not there (half of a chi-square with 1 degree)


@dataclass(frozen=True)
class FloorFit:
    """Fit of value = scale · n^(-exponent) + floor.

    `share` is floor / fitted value at the largest n. `significant`: the floor improves the fit by more than its noise
    explains at the 1 % level.
    """

    scale: float
    exponent: float
    floor: float
    share: float
    largest_n: int
    significant: bool


def fit_floor(ns: np.ndarray, logs: np.ndarray) -> FloorFit | None:
    """Least squares on mean log values: n (J,), log values (S, J) with NaN where there is none.

    None with fewer than four n (three parameters would fit any three points) or fewer than two seeds.
    """
    counts = np.isfinite(logs).sum(axis=0)
    if len(ns) < 4 or len(logs) < 2 or not counts.all():
        return None
    weights = np.sqrt(counts)
    means = np.nansum(logs, axis=0) / counts
    position = np.log(ns / ns[-1])
    slope, level = np.polyfit(position, means, 1, w=weights)
    straight = weights * (level + slope * position - means)

    def residuals(parameters: np.ndarray) -> np.ndarray:
        last, exponent, share = parameters
        return np.asarray(weights * (last + np.log((1 - share) * np.exp(-exponent * position) + share) - means))

    def jacobian(parameters: np.ndarray) -> np.ndarray:
        _, exponent, share = parameters
        decay = np.exp(-exponent * position)
        total = (1 - share) * decay + share
        columns = [np.ones_like(position), -(1 - share) * position * decay / total, (1 - decay) / total]
        weighted: np.ndarray = weights[:, None] * np.column_stack(columns)
        return weighted

    start = np.array([level, max(-slope, 0.01) * 1.5, 0.3])
    fit = optimize.least_squares(
        residuals, start, jac=jacobian, bounds=([-np.inf, 0, 0], [np.inf, 10, 0.999]), xtol=1e-10, ftol=1e-10
    )
    last, exponent, share = (float(parameter) for parameter in fit.x)
    improvement = float(straight @ straight - 2 * fit.cost)
    return FloorFit(
        scale=float((1 - share) * np.exp(last) * float(ns[-1]) ** exponent),
        exponent=exponent,
        floor=float(share * np.exp(last)),
        share=share,
        largest_n=int(ns[-1]),
        significant=improvement > CHI_SQUARE * _variance(logs),
    )


def _variance(logs: np.ndarray) -> float:
    """Variance of a log value about the sum of its seed's and its n's effect."""
    centred = logs - np.nanmean(logs, axis=1, keepdims=True)
    residual = centred - np.nanmean(centred, axis=0)
    return float(np.nansum(residual**2) / ((logs.shape[0] - 1) * (logs.shape[1] - 1)))

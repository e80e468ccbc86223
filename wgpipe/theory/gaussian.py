"""W2 between Gaussians: the Bures distance of covariances and the optimal map.

Source: Dowson & Landau, J. Multivariate Anal. 12, 1982; Gelbrich, Math. Nachr. 147, 1990.
"""

from __future__ import annotations

import math

import numpy as np

NEGLIGIBLE = 1e-6  # share of the largest standard deviation below which a direction counts as without variance


def bures_squared(a: np.ndarray, b: np.ndarray) -> float:
    """(d, d), (d, d) covariances -> tr A + tr B - 2 tr (A^½ B A^½)^½, also for singular ones."""
    cross = _half_power(_congruent(_half_power(a), b))
    return max(float(np.trace(a) + np.trace(b) - 2 * np.trace(cross)), 0.0)


def bures_map(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(d, d): the T = A^-½ (A^½ B A^½)^½ A^-½ that pushes N(0, A) to N(0, B) with least cost.

    It is 0 where A has no variance (Olkin & Pukelsheim 1982).
    """
    half = _half_power(a)
    inverse = np.linalg.pinv(half, rcond=NEGLIGIBLE, hermitian=True)
    return _congruent(inverse, _half_power(_congruent(half, b)))


def w2_between(mean: np.ndarray, cov: np.ndarray, other_mean: np.ndarray, other_cov: np.ndarray) -> float:
    """W2 of N(mean, cov) and N(other_mean, other_cov); for other laws with these moments, a lower bound."""
    return math.sqrt(float(np.sum((mean - other_mean) ** 2)) + bures_squared(cov, other_cov))


def _congruent(root: np.ndarray, middle: np.ndarray) -> np.ndarray:
    return np.asarray(root @ middle @ root)


def _half_power(matrix: np.ndarray) -> np.ndarray:
    """(d, d) symmetric positive semidefinite -> its root; eigenvalues that rounding made negative count as 0."""
    values, vectors = np.linalg.eigh((matrix + matrix.T) / 2)
    return np.asarray((vectors * np.sqrt(values.clip(min=0))) @ vectors.T)

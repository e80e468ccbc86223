"""Two laws on the line with mean 0 and variance 1, and what critics see of them: N(0, 1) and Exp(1) - 1.

Their moments of degree 3 are 0 and 2, of degree 4 are 3 and 9.
"""

from __future__ import annotations

import itertools
import math

import numpy as np
from scipy.integrate import quad
from scipy.optimize import brentq
from scipy.special import ndtr

MOMENTS = {"normal": (0.0, 1.0, 0.0, 3.0), "exponential": (0.0, 1.0, 2.0, 9.0)}  # of degrees 1 to 4


def normal_density(x: np.ndarray) -> np.ndarray:
    """(m,) -> (m,) of N(0, 1)."""
    return np.asarray(np.exp(-np.square(x) / 2) / math.sqrt(2 * math.pi))


def exponential_density(x: np.ndarray) -> np.ndarray:
    """(m,) -> (m,) of Exp(1) - 1."""
    return np.asarray(np.where(x >= -1, np.exp(-np.maximum(x, -1) - 1), 0.0))


def degree_supremum(degree: int) -> float:
    """sup of E f(X) - E f(Y) over polynomials of a degree up to 4 with coefficients of norm 1: the dual norm."""
    gaps = [a - b for a, b in zip(*MOMENTS.values(), strict=True)]
    return math.hypot(*gaps[:degree])


def distance() -> float:
    """W1 = ∫ |F - G|."""
    edges = [-math.inf, -1.0, *sign_changes(), math.inf]
    return sum(abs(float(quad(_difference, low, high)[0])) for low, high in itertools.pairwise(edges))


def neuron_supremum() -> float:
    """sup over b and w = ±1 of |E relu(w X - b) - E relu(w Y - b)|; both signs see the same, as the means agree.

    E relu(X - b) is φ(b) - b Φ(-b) for the normal law, and e^(-1-b) for the other if b >= -1. The derivative of the
    difference is F - G, so it is extreme where that changes its sign.
    """
    gaps = [
        math.exp(-b * b / 2) / math.sqrt(2 * math.pi) - b * float(ndtr(-b)) - math.exp(-1 - b) for b in sign_changes()
    ]
    return max(map(abs, gaps))


def sign_changes() -> list[float]:
    """Where F - G changes its sign: F of N(0, 1), G of Exp(1) - 1."""
    grid = np.linspace(-0.999, 6, 2000)
    signs = np.sign([_difference(float(x)) for x in grid])
    return [brentq(_difference, grid[i], grid[i + 1]) for i in np.flatnonzero(signs[1:] != signs[:-1])]


def _difference(x: float) -> float:
    return float(ndtr(x)) - (1 - math.exp(-1 - x) if x > -1 else 0.0)

"""W1 of empirical measures on the line: exact constants of the n^(-1/2) law.

If X has distribution function F, sqrt(n)·W1(P, P_n) tends to ∫|B(F(x))| dx with B a Brownian bridge, and E|B(t)| =
sqrt(2/π · t(1-t)) (del Barrio, Giné & Matrán, Ann. Probab. 27, 1999, Theorem 1.1). Two independent samples give the
variance of both: the limit of sqrt(mk/(m+k))·W1(P_m, Q_k) is the same.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from scipy.integrate import quad
from scipy.special import ndtr


def bridge_constant(cdf: Callable[[float], float], low: float = -math.inf, high: float = math.inf) -> float:
    """Limit of sqrt(n)·E W1(P, P_n) = sqrt(2/π)·∫ sqrt(F(1-F)) dx, of a law on [low, high]."""
    integral, _ = quad(lambda x: math.sqrt(cdf(x) * (1 - cdf(x))), low, high)
    return math.sqrt(2 / math.pi) * float(integral)


def uniform_constant() -> float:
    """The constant of U[0, 1]: sqrt(2/π)·π/8 = 0.3133."""
    return math.sqrt(2 * math.pi) / 8


def normal_constant() -> float:
    """The constant of N(0, 1): 1.2884."""
    return math.sqrt(2 / math.pi) * 2 * float(quad(lambda x: math.sqrt(ndtr(x) * ndtr(-x)), 0, math.inf)[0])


def expected_w1(constant: float, n: int, other: int | None = None) -> float:
    """Asymptotic E W1 of n points against their law, or against `other` independent points of it."""
    return constant * math.sqrt(1 / n + (1 / other if other else 0))

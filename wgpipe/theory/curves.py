"""How the best curve through n uniform points of dimension d grows (after Stéphanovitch et al. 2022).

Steps are about n^(-1/d) long, so the sum of their squares is S(n) ~ n^(1-2/d); a curve that gives each of n points the
mass 1/n needs speed K0 ~ n·n^(-1/d); and S/(4K) ~ n^(-1/d), which is also the rate of the empirical measure for d >= 3.
"""

from __future__ import annotations


def length_exponent(dimension: float) -> float:
    """The e of S(n) ~ n^e."""
    return 1 - 2 / dimension


def speed_exponent(dimension: float) -> float:
    """The e of K0 ~ n^e, up to a logarithm."""
    return 1 - 1 / dimension


def error_exponent(dimension: float) -> float:
    """The e of W1 ~ n^e between the curve and the law of the points, for d >= 3."""
    return -1 / dimension

"""Closed forms about charges in R^m whose kernel is (r² + ε²)^(-(D-2)/2) (Unterthiner et al. 2018).

Under the exact flow of the normalised kernel 1/(4πr) in R^3, the density of generated points along a trajectory follows
dp/dt = p (q - p), q the density of the data there. Times below are those of the normalised kernel; the kernel 1/r is
4π times as fast. A ball is uniform and of radius R, ε the smoothing of the kernel.
"""

from __future__ import annotations

import numpy as np

NORMALISED = 4 * np.pi  # time of the normalised kernel in R^3 over time of the kernel 1/r


def superharmonic(dimension: float, m: int) -> bool:
    """Whether the kernel of D is superharmonic on all of R^m: D - 2 <= m - 2, whatever ε is."""
    return dimension <= m


def laplacian(dimension: float, epsilon: float, m: int, r: np.ndarray) -> np.ndarray:
    """Δk at the distance r: d s^(-d/2-2) ((d + 2 - m) r² - m ε²), with d = D - 2 and s = r² + ε²."""
    d, square = dimension - 2, np.square(r)
    return np.asarray(d * (square + epsilon**2) ** (-d / 2 - 2) * ((d + 2 - m) * square - m * epsilon**2))


def decayed(start: float, time: np.ndarray) -> np.ndarray:
    """Density off the data's support: 1 / (1/p(0) + t)."""
    return np.asarray(1 / (1 / start + time))


def logistic(start: float, data: float, time: np.ndarray) -> np.ndarray:
    """Density where the data's is q: 1/p - 1/q falls by the factor e^(-qt)."""
    return np.asarray(1 / (1 / data + (1 / start - 1 / data) * np.exp(-data * time)))


def decay_rate(start: float, now: np.ndarray, time: float) -> np.ndarray:
    """(1/p(t) - 1/p(0)) / t: 1 off the support."""
    return np.asarray((1 / now - 1 / start) / time)


def logistic_rate(start: float, now: np.ndarray, data: float, time: float) -> np.ndarray:
    """The rate of the logistic curve between two densities, over q: 1 on the support."""
    return np.asarray(-np.log((1 / now - 1 / data) / (1 / start - 1 / data)) / (data * time))


def smoothed_rate(epsilon: float, radius: float) -> float:
    """Share of the rate q that is left at a ball's centre: (1 + ε²/R²)^(-3/2), .35 at ε = R.

    It is the mass within R of the `smoothed_charge`.
    """
    return float((1 + (epsilon / radius) ** 2) ** -1.5)


def smoothed_charge(epsilon: float, r: float) -> float:
    """The density whose potential is the smoothed kernel, 3 ε² / (4π (r² + ε²)^(5/2))."""
    return float(3 * epsilon**2 / (4 * np.pi * (r**2 + epsilon**2) ** 2.5))


def first_rate(epsilon: float, start: float) -> float:
    """Rate at which a ball of charges decays first, at its centre, over its density; ε in units of its radius.

    It lies in a sphere of opposite charges whose radius is 1 / `start` times its own, which reach inside as far as the
    kernel is smoothed.
    """
    return smoothed_rate(epsilon, 1.0) - smoothed_charge(epsilon, 1 / start) / ball_density(1.0)


def ball_density(radius: float) -> float:
    """Of the uniform law on a ball in R^3."""
    return float(3 / (4 * np.pi * radius**3))


def support(sample_size: np.ndarray) -> np.ndarray:
    """Number of equally likely values of which s draws repeat one with probability 1/2: s² / (2 ln 2)."""
    return np.asarray(sample_size**2 / (2 * np.log(2)))


def self_term(dimension: float, epsilon: float, batch: int) -> float:
    """What a point adds to the potential at itself: k(0) / B, which is 1/B at ε = 1."""
    return float(epsilon ** (2 - dimension) / batch)

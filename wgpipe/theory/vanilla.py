"""The vanilla GAN's value over Lipschitz logits: how it is tied to W1, and the rates that follow.

V(P, Q) = sup over logits W of E_P log(2 / (1 + e^-W)) + E_Q log(2 / (1 + e^W)) (Kunkel & Trabs 2024, arXiv 2403.15312).
The bounds hold for the supremum over L-Lipschitz W. Since log(2 / (1 + e^-w)) = w/2 - log cosh(w/2), which lies between
w/2 - w²/8 and w/2, the upper one is immediate, and the lower one takes W = c·f with f the optimal potential of W1,
centred so that |f| <= B, and the best c in [0, L].
"""

from __future__ import annotations

import math

import numpy as np

SATURATION = 2 * math.log(2)


def value(real: np.ndarray, generated: np.ndarray) -> np.ndarray:
    """(..., m), (..., k) logits on real and generated points -> (...) float64 values of V at this critic.

    At most `SATURATION`; 0 for the zero logit; no overflow whatever the logits.
    """
    loss_real = np.logaddexp(0, -real.astype(np.float64)).mean(axis=-1)
    loss_generated = np.logaddexp(0, generated.astype(np.float64)).mean(axis=-1)
    return np.asarray(SATURATION - loss_real - loss_generated)


def upper_bound(w1: float, lipschitz: float) -> float:
    """(L/2)·W1 >= V."""
    return lipschitz * w1 / 2


def lower_bound(w1: float, lipschitz: float, half_diameter: float) -> float:
    """W1²/(4B²) <= V if W1 <= L·B², else (L/2)·W1 - L²B²/4 <= V.

    B is half the diameter of the union of both supports: generated points outside the data's support count.
    """
    if w1 < lipschitz * half_diameter**2:
        return (w1 / half_diameter) ** 2 / 4
    return lipschitz * w1 / 2 - (lipschitz * half_diameter) ** 2 / 4


def vanilla_exponent(smoothness: float, intrinsic: int) -> float:
    """The e of the upper bound W1 = O(n^e) for Lipschitz vanilla GANs: -½·min(α/d*, ½), with α < 1."""
    return wasserstein_exponent(smoothness, intrinsic) / 2


def wasserstein_exponent(smoothness: float, intrinsic: int) -> float:
    """The e of the upper bound W1 = O(n^e) for Wasserstein-type GANs: -min(α/d*, ½), with α < 1."""
    return -min(smoothness / intrinsic, 0.5)

"""Sums of input-convex networks with quadratic layers, and their gradients, in float64.

One network has three layers of widths H_0, H_1, H_2, nonnegative weights C_l and f, and one square a unit:

    q_l(x) = (A_l'x)² + B_l'x + b_l
    h_0 = q_0(x),   h_l = celu(C_l'h_{l-1} + q_l(x)),   ψ(x) = f·h_2 + ½·0.01·|x|²

with celu(t) = max(t, 0) + min(e^t - 1, 0). Arrays of S networks: `quadratic_l` A and `linear_l` B (S, D, H_l),
`offset_l` b (S, H_l), `mixing_l` C (S, H_{l-1}, H_l), `final` f (S, H_2).

Source: Korotin et al. 2021, arXiv 2106.01954, Appendix B.1 (DenseICNN).
"""

from __future__ import annotations

import numpy as np

from wgpipe.data import Arrays

CONVEXITY = 0.01
LAYERS = 3
BEND = 0.15  # of A against B in random networks
SHARPNESS = 10.0
PARENTS = 8


def hidden_widths(dimension: int) -> tuple[int, int, int]:
    """H_0, H_1, H_2 of the benchmark of Korotin et al."""
    return max(2 * dimension, 64), max(2 * dimension, 64), max(dimension, 32)


def parameter_names() -> list[str]:
    """The arrays that hold a stack of networks."""
    names = [f"{kind}_{layer}" for layer in range(LAYERS) for kind in ("quadratic", "linear", "offset")]
    return [*names, *(f"mixing_{layer}" for layer in range(1, LAYERS)), "final"]


def gradient(arrays: Arrays, points: np.ndarray) -> np.ndarray:
    """(m, D) -> (m, D): Σ ∇ψ(x) over the networks of a stack."""
    members = range(len(arrays["final"]))
    return sum(
        (_gradient({name: arrays[name][s] for name in parameter_names()}, points) for s in members),
        start=np.zeros_like(points),
    )


def random_network(stream: np.random.Generator, inputs: np.ndarray) -> dict[str, np.ndarray]:
    """A network (no axis S) whose gradient is far from linear where the `inputs` (m, D) lie.

    Units get normal A and B and `PARENTS` units of the layer before, on average. Each is then scaled to the deviation
    `SHARPNESS` over the inputs and shifted to bend at one of them. Few units dominate f, the cubes of exponentials.
    """
    dimension = inputs.shape[1]
    network: dict[str, np.ndarray] = {}
    hidden = np.empty((len(inputs), 0))
    for layer, width in enumerate(hidden_widths(dimension)):
        quadratic, linear = stream.standard_normal((2, dimension, width)) / np.sqrt(dimension)
        quadratic *= BEND
        kept = stream.random((hidden.shape[1], width)) * hidden.shape[1] < PARENTS
        mixing = stream.exponential(size=kept.shape) * kept
        heights = (inputs @ quadratic) ** 2 + inputs @ linear + hidden @ mixing
        scale = SHARPNESS / heights.std(axis=0)
        bends = heights[stream.integers(len(inputs), size=width), np.arange(width)]
        network[f"quadratic_{layer}"] = quadratic * np.sqrt(scale)
        network[f"linear_{layer}"] = linear * scale
        network[f"offset_{layer}"] = -bends * scale
        if layer > 0:
            network[f"mixing_{layer}"] = mixing * scale
        hidden = (heights - bends) * scale if layer == 0 else celu((heights - bends) * scale)[0]
    final = stream.exponential(size=width) ** 3
    return {**network, "final": final / final.sum()}


def celu(heights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """max(t, 0) + min(e^t - 1, 0), a smooth increasing convex kink, and its slope."""
    slopes = np.exp(np.minimum(heights, 0))
    return np.maximum(heights, 0) + slopes - 1, slopes


def _gradient(network: Arrays, points: np.ndarray) -> np.ndarray:
    roots = [points @ network[f"quadratic_{layer}"] for layer in range(LAYERS)]
    heights = [
        root**2 + points @ network[f"linear_{layer}"] + network[f"offset_{layer}"] for layer, root in enumerate(roots)
    ]
    hidden, slopes_1 = celu(heights[1] + heights[0] @ network["mixing_1"])
    _, slopes_2 = celu(heights[2] + hidden @ network["mixing_2"])
    back_2 = slopes_2 * network["final"]
    back_1 = slopes_1 * (back_2 @ network["mixing_2"].T)
    back_0 = back_1 @ network["mixing_1"].T
    total = CONVEXITY * points
    for layer, back in enumerate((back_0, back_1, back_2)):
        total += 2 * (back * roots[layer]) @ network[f"quadratic_{layer}"].T + back @ network[f"linear_{layer}"].T
    return total

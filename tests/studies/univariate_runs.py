"""Curves through samples whose lengths, speeds and distances follow known laws, on the grid of the study."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from tests.studies.truth_runs import COLUMNS
from wgpipe.data import dataset

CUBES = ["cube-2in2", "cube-3in4", "cube-4in4", "cube-6in6"]
BUILT = {"curve-1": 1.0, "curve-2": 2.0, "curve-4": 4.0, "curve-8": 8.0, "curve-grow": 3.0}
NULL, DRAWN = 0.03, 16


def simulate(
    datasets: Sequence[str],
    recipes: Sequence[str],
    ns: Sequence[int] = (8, 16, 32, 64),
    seeds: int = 8,
    length: Callable[[float], float] = lambda d: 1 - 2 / d,
    ratio: Callable[[str, int, int], float] = lambda recipe, n, seed: 1.0 if recipe in BUILT else 3.0,
    times_k0: Callable[[str, int, int], float] = lambda recipe, n, seed: BUILT.get(recipe, 1.5),
    slope: Callable[[str, float], float] = lambda recipe, d: -1 / d,
    power: float = -1.0,
    diverged: Callable[[str, int, int], bool] = lambda recipe, n, seed: False,
    noise: float = 0.03,
) -> pd.DataFrame:
    """S = n^length(d), K0 = 3 n^(1-1/d), W1 to the sample = ratio · S/(4 K0) · (K/K0)^power, W1 to the law = n^slope.

    S and K0 are those of the sample, with a noise that all recipes share; W1 to the law has one of its own.
    """
    stream = np.random.default_rng(4)
    rows = []
    for name in datasets:
        card = dataset(name).card()
        assert card.intrinsic is not None
        for n in ns:
            for seed in range(seeds):
                shared = np.exp(noise * stream.normal())
                squared, least = shared * n ** length(card.intrinsic), 3 * shared * n ** (1 - 1 / card.intrinsic)
                for recipe in recipes:
                    w1 = 1.5 * n ** slope(recipe, card.intrinsic) * np.exp(noise * stream.normal())
                    quantities = {"w1": NULL if recipe == "oracle" else w1}
                    if recipe not in ("oracle", "empirical"):
                        factor = times_k0(recipe, n, seed)
                        to_sample = ratio(recipe, n, seed) * squared / (4 * least) * factor**power
                        quantities |= {
                            "walk_squared": squared,
                            "walk_speed": least,
                            "curve_speed": factor * least,
                            "curve_w1": to_sample,
                            "curve_certificate": 0.8 * to_sample,
                            "curve_blur": 0.01 * to_sample,
                        }
                        if card.dimension == 2 and n == DRAWN:
                            quantities |= _trace(seed)
                    failed = diverged(recipe, n, seed)
                    for metric, measured in quantities.items():
                        null = NULL if metric == "w1" else np.nan
                        value = np.nan if failed and not metric.startswith("walk") else measured
                        run = (name, card.dimension, card.intrinsic, recipe, n, seed, "diverged" if failed else "ok")
                        rows.append((*run, metric, value, null, value - null, f"{metric}[points=256]"))
    return pd.DataFrame(rows, columns=COLUMNS).astype({"intrinsic": "float64"})


def _trace(seed: int) -> dict[str, float]:
    stream = np.random.default_rng(seed)
    sample = stream.uniform(-1, 1, (DRAWN, 2))
    shown = {"trace": sample[np.argsort(sample[:, 0])], "trace_sample": sample}
    return {
        f"{name}_{axis}:{place}": float(points[place, coordinate])
        for name, points in shown.items()
        for coordinate, axis in enumerate("xy")
        for place in range(DRAWN)
    }

"""Runs of `capacity` that follow a known law."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from tests.studies.truth_runs import COLUMNS
from wgpipe.config import Study
from wgpipe.data import dataset
from wgpipe.settings import read_yaml, validated

FILE = Path(__file__).parents[2] / "config" / "studies" / "capacity.yaml"
NULL = 0.03
RELU, CUBIC = "two_layer-relu8-2in4", "two_layer-cubic4-2in4"
NS = (16, 64, 256, 1024)
CONTROLS = ("oracle", "empirical", "gaussian")
COURSE = ("order-10", "order-30", "order-100", "order-300", "order-1000")


def settings() -> Study:
    return validated(Study, read_yaml(FILE), FILE.name)


def simulate(
    datasets: Sequence[str],
    recipes: Sequence[str],
    ns: Sequence[int] = NS,
    seeds: int = 8,
    slope: Callable[[str], float] = lambda recipe: -0.3,
    scale: Callable[[str], float] = lambda recipe: 1.0,
    gap: Callable[[str], float] = lambda recipe: 0.02,
    moment: Callable[[str, int], float] = lambda recipe, degree: 0.1 * degree,
    neuron: Callable[[str, int], float] = lambda recipe, seed: 0.9,
    fooled: tuple[float, float] = (1e-14, 0.3),  # what degree 2 sees, and W1
    diverged: Callable[[str, int, int], bool] = lambda recipe, n, seed: False,
    noise: float = 0.03,
) -> pd.DataFrame:
    """W1 = scale · n^slope; errors of moments likewise; lognormal noise, the same protocol for every n."""
    stream = np.random.default_rng(3)
    rows = []
    for name in datasets:
        card = dataset(name).card()
        for recipe in recipes:
            for n in ns:
                for seed in range(seeds):
                    factor = float(np.exp(noise * stream.normal()))
                    w1 = NULL if recipe == "oracle" else factor * scale(recipe) * n ** slope(recipe)
                    quantities = {"w1": w1, "w1_train": 0.8 * w1, "w1_heldout": w1, "w1_gap": gap(recipe) * factor}
                    for degree in (1, 2, 3, 4):
                        quantities[f"moment{degree}"] = moment(recipe, degree) * float(np.exp(noise * stream.normal()))
                    quantities |= {"relu": w1 / 2, "relu_over_w1": neuron(recipe, seed), "w1_over_relu": 0.4}
                    if recipe in CONTROLS:
                        quantities |= {"fooled_degree1": 0.0, "fooled_degree2": fooled[0]}
                        quantities |= {"fooled_degree3": 0.4, "fooled_degree4": 0.9}
                        quantities["fooled_w1"] = NULL if recipe == "oracle" else factor * fooled[1]
                    failed = diverged(recipe, n, seed)
                    for metric, measured in quantities.items():
                        number = np.nan if failed else measured
                        null = 0.0 if metric in ("w1_gap", "fooled_degree1") else NULL
                        facts = (name, card.dimension, card.intrinsic, recipe, n, seed, "diverged" if failed else "ok")
                        rows.append((*facts, metric, number, null, number - null, f"{metric}[points=1536]"))
    return pd.DataFrame(rows, columns=COLUMNS).astype({"intrinsic": "float64"})

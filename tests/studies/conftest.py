"""Runs that follow a known law, on the grid of the study's own settings."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.studies.truth_runs import COLUMNS
from wgpipe.config import Study
from wgpipe.data import dataset
from wgpipe.settings import read_yaml, validated

FILE = Path(__file__).parents[2] / "config" / "studies" / "vanilla_rates.yaml"
NULL, HALF_DIAMETER, LIPSCHITZ = 0.03, 1.6, 1.2


@pytest.fixture(scope="session")
def config() -> Study:
    return validated(Study, read_yaml(FILE), FILE.name)


@pytest.fixture(scope="session")
def simulated() -> Callable[..., pd.DataFrame]:
    return simulate


@pytest.fixture(autouse=True)
def no_warning() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def simulate(
    datasets: Sequence[str],
    recipes: Sequence[str],
    ns: Sequence[int] = (32, 64, 128, 256, 512, 1024),
    seeds: int = 8,
    slope: Callable[[str, int | None, int], float] = lambda recipe, intrinsic, dimension: -0.3,
    scale: Callable[[str, int], float] = lambda recipe, n: 1.0,
    value: Callable[[str, float], float] = lambda recipe, w1: LIPSCHITZ * w1 / 4,
    separation: Callable[[str, int], float] = lambda recipe, seed: 0.95,
    spread: Callable[[str, int], float] = lambda recipe, seed: 0.9,
    diverged: Callable[[str, int, int], bool] = lambda recipe, n, seed: False,
    noise: float = 0.03,
) -> pd.DataFrame:
    """W1 = scale · n^slope with lognormal noise; V = value(W1), both critics' samples having that W1.

    `separation` is V / (2 log 2) of an unbound critic that was trained to its end.
    """
    stream = np.random.default_rng(2)
    rows = []
    for name in datasets:
        card = dataset(name).card()
        for recipe in recipes:
            for n in ns:
                for seed in range(seeds):
                    w1 = scale(recipe, n) * n ** slope(recipe, card.intrinsic, card.dimension)
                    w1 = NULL if recipe == "oracle" else 1.2 * w1 * np.exp(noise * stream.normal())
                    quantities = {"w1": w1, "w2": 1.2 * w1, "sliced_w2": w1 / 3, "energy": w1**2}
                    nulls = dict.fromkeys(quantities, NULL) | {"spread": 1.0}
                    quantities["spread"] = spread(recipe, seed)
                    if recipe not in ("oracle", "empirical", "gaussian"):
                        quantities |= {"lipschitz": LIPSCHITZ, "sample_w1": w1, "half_diameter": HALF_DIAMETER}
                        quantities |= {"v": value(recipe, w1)} if recipe.startswith("vanilla") else {}
                        quantities |= {"separation": separation(recipe, seed)} if recipe == "vanilla-none" else {}
                    failed = diverged(recipe, n, seed)
                    for metric, measured in quantities.items():
                        null = nulls.get(metric, np.nan)
                        number = np.nan if failed else measured
                        protocol = f"{metric}[n={n}]" if np.isnan(null) else f"{metric}[real=2048,generated=2048]"
                        status = "diverged" if failed else "ok"
                        facts = (name, card.dimension, card.intrinsic, recipe, n, seed, status)
                        rows.append((*facts, metric, number, null, number - null, protocol))
    return pd.DataFrame(rows, columns=COLUMNS).astype({"intrinsic": "float64"})

"""Tables of runs with a known law."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

NS = (32, 64, 128, 256, 512, 1024)


def make_table(
    slope: float = -0.3,
    scale: float = 2.0,
    floor: float = 0.0,
    seeds: int = 8,
    noise: float = 0.0,
    shared: np.ndarray | None = None,
    null: float = 1e-6,
    dataset: str = "cube-3in12",
    recipe: str = "wgan",
    ns: tuple[int, ...] = NS,
    stream: np.random.Generator | None = None,
) -> pd.DataFrame:
    """value = (scale n^slope + floor) exp(noise · normal + shared), shared (seeds, len(ns)) being common to methods."""
    curve = scale * np.asarray(ns, dtype=float) ** slope + floor
    errors = np.zeros((seeds, len(ns))) if stream is None else noise * stream.normal(size=(seeds, len(ns)))
    errors = errors if shared is None else errors + shared
    seed, n = np.meshgrid(np.arange(seeds), ns, indexing="ij")
    return pd.DataFrame(
        {
            "dataset": dataset,
            "recipe": recipe,
            "n": n.ravel(),
            "seed": seed.ravel(),
            "status": "ok",
            "metric": "w1",
            "value": (curve * np.exp(errors)).ravel(),
            "null": null,
            "protocol": "w1[real=4096,generated=4096]",
        }
    )


@pytest.fixture
def table() -> Callable[..., pd.DataFrame]:
    return make_table

"""What others published about the same pairs: `published/`, by this project's names of pairs and recipes."""

from __future__ import annotations

import functools
import re
from pathlib import Path

import numpy as np
import pandas as pd

FOLDER = Path(__file__).parent / "published"
FUNNELS = re.compile(r"published_funnels-(?P<funnels>\d+)in(?P<dim>\d+)")
MIXTURES = re.compile(r"mix3tomix10-(?P<dim>\d+)")
W1_SOLVERS = {
    "critic-clip": "wgan",
    "critic-gp": "wgan-gp",
    "critic-lp": "wgan-lp",
    "critic-spectral": "sn-gan",
    "critic-groupsort": "sort-out",
}
W2_SOLVERS = {"map-icnn": "MMv1", "map-w2gn": "W2GN", "map-seguy-l2": "LS", "map-bures": "linear"}


@functools.cache
def w1_scores() -> pd.DataFrame:
    """cos, l2 and w1 by (dim, funnels, solver)."""
    return pd.read_csv(FOLDER / "w1_benchmark.csv").set_index(["dim", "funnels", "solver"])


@functools.cache
def w2_scores() -> pd.DataFrame:
    """uvp in percent by (dim, solver)."""
    return pd.read_csv(FOLDER / "w2_uvp.csv").set_index(["dim", "solver"])


def published_w1(dataset: str, recipe: str, column: str) -> float:
    """`cos`, `l2` or `w1` of the solver that a recipe follows; NaN where nothing is published."""
    return _w1_score(dataset, W1_SOLVERS.get(recipe), column)


def published_cos(dataset: str, recipe: str) -> float:
    """Mean cosine of gradients, by the published formula."""
    return published_w1(dataset, recipe, "cos")


def published_w1_error(dataset: str, recipe: str) -> float:
    """Published estimate over the distance published beside it, minus 1."""
    return published_w1(dataset, recipe, "w1") / _w1_score(dataset, "true", "w1") - 1


def published_uvp(dataset: str, recipe: str) -> float:
    """L2-UVP in percent of the solver that a recipe follows; NaN where nothing is published."""
    match, solver = MIXTURES.fullmatch(dataset), W2_SOLVERS.get(recipe)
    if not match or solver is None:
        return np.nan
    return float(w2_scores()["uvp"].get((int(match["dim"]), solver), np.nan))


def _w1_score(dataset: str, solver: str | None, column: str) -> float:
    match = FUNNELS.fullmatch(dataset)
    if not match or solver is None:
        return np.nan
    return float(w1_scores()[column].get((int(match["dim"]), int(match["funnels"]), solver), np.nan))

"""How the recipes of `capacity` are arranged: by critic, by the generator's width, and by the length of training."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from wgpipe.config import Study as Settings
from wgpipe.studies import arrange
from wgpipe.studies.arrange import recipe_settings

DEGREES = (1, 2, 3, 4)
RUN = ["dataset", "recipe", "n", "seed"]


def critic(config: Settings, recipe: str) -> str:
    """The first recipe of the settings that differs from this one in its generator alone, or not at all."""
    own = _but_generator(config, recipe)
    return next(name for name in config.recipes if _but_generator(config, name) == own)


def width(config: Settings, recipe: str) -> int:
    """Hidden units of the first layer of the generator."""
    return arrange.hidden(config, recipe, "generator")[0]


def steps(config: Settings, recipe: str) -> int:
    """Generator updates of a recipe, at the scale of its own settings."""
    return int(recipe_settings(config, recipe)["training"]["steps"])


def matched(config: Settings, runs: pd.DataFrame, dataset: str) -> list[str]:
    """Recipes on a dataset whose generator has its form, in the order of the settings, then controls; not the oracle.

    The narrower and wider ones have the form of no dataset, and those that stop early are no whole trainings.
    """
    ran = arrange.recipes(config, runs[runs["dataset"] == dataset])
    return [name for name in ran if name not in config.recipes or is_main(config, name)]


def is_main(config: Settings, recipe: str) -> bool:
    """Whether a recipe's generator has the defaults' width, or another activation, and its training is whole."""
    own = recipe_settings(config, recipe)
    other_form = own["generator"].get("activation") != config.defaults["generator"].get("activation")
    whole = own["training"]["steps"] == config.defaults["training"]["steps"] and own["training"].get("average")
    return bool(whole and (other_form or width(config, recipe) == config.defaults["generator"]["hidden"][0]))


def course(config: Settings) -> list[str]:
    """Recipes of one training that stops at different steps: those whose last generator is measured, by steps."""
    stopped = [name for name in config.recipes if recipe_settings(config, name)["training"].get("average") == 0]
    return sorted(stopped, key=lambda name: steps(config, name))


def values(runs: pd.DataFrame, metric: str) -> pd.DataFrame:
    """Rows of one metric, with NaN for what did not finish with a finite value."""
    rows = runs[runs["metric"] == metric]
    there = (rows["status"] == "ok") & rows["value"].abs().lt(np.inf)
    return rows.assign(value=rows["value"].where(there))


def wide(runs: pd.DataFrame, metrics: Sequence[str]) -> pd.DataFrame:
    """One row a run that finished, a column a metric."""
    rows = runs[runs["metric"].isin(metrics) & (runs["status"] == "ok")]
    table = rows.pivot(index=RUN, columns="metric", values="value").reindex(columns=list(metrics))
    table.columns.name = None
    return table.astype("float64").reset_index()


def crossings(runs: pd.DataFrame, steps_of: dict[str, int], threshold: float) -> pd.DataFrame:
    """dataset, n, seed, degree, step: where the error of the moments falls below a threshold, for the first time.

    Between two lengths of training the logarithm of the error is a line in that of the step. A degree that is below
    from the first length on has this length; one that never falls below has infinity. A run that did not finish at
    every length is left out.
    """
    rows = []
    own = runs[runs["recipe"].isin(steps_of)]
    lengths = np.array(sorted(set(steps_of.values())), dtype=np.float64)
    for degree in DEGREES:
        errors = values(own, f"moment{degree}").assign(step=lambda table: table["recipe"].map(steps_of))
        for (dataset, n, seed), run in errors.groupby(["dataset", "n", "seed"]):
            found = run.set_index("step")["value"].reindex(lengths).to_numpy(dtype=np.float64)
            if np.isfinite(found).all():
                rows.append((dataset, n, seed, degree, crossing(lengths, found, threshold)))
    return pd.DataFrame(rows, columns=["dataset", "n", "seed", "degree", "step"])


def crossing(lengths: np.ndarray, errors: np.ndarray, threshold: float) -> float:
    """(L,) ascending, (L,) -> the first step at which the error is at most the threshold, as `crossings` says."""
    below = np.flatnonzero(errors <= threshold)
    if not len(below):
        return np.inf
    last = int(below[0])
    if last == 0:
        return float(lengths[0])
    x, y = np.log(lengths[last - 1 : last + 1]), np.log(np.maximum(errors[last - 1 : last + 1], np.finfo(float).tiny))
    return float(np.exp(x[0] + (np.log(threshold) - y[0]) * (x[1] - x[0]) / (y[1] - y[0])))


def agreement(steps_of_degrees: Iterable[float]) -> float:
    """Kendall's correlation of positions with values: pairs in order minus pairs out of order, over all pairs."""
    pairs = itertools.combinations(steps_of_degrees, 2)
    return float(np.mean([int(late > early) - int(late < early) for early, late in pairs]))


def _but_generator(config: Settings, recipe: str) -> dict[str, Any]:
    return {key: value for key, value in recipe_settings(config, recipe).items() if key != "generator"}

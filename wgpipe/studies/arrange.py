"""The order of datasets and recipes in tables and figures, and how the recipes of a study vary."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import pandas as pd

from wgpipe.config import Study as Settings
from wgpipe.settings import merge

NULL_CONTROL = "oracle"
SIDES = ("generator", "critic")

Variation = Literal["base", "constraint", "width", "latent dimension", "degree"]


def facts(runs: pd.DataFrame) -> pd.DataFrame:
    """dimension and intrinsic by dataset, ordered by d*, d and name, unknown d* last."""
    columns = runs[["dataset", "dimension", "intrinsic"]].drop_duplicates("dataset")
    return columns.sort_values(["intrinsic", "dimension", "dataset"], na_position="last").set_index("dataset")


def datasets(runs: pd.DataFrame) -> list[str]:
    """Datasets in the order of `facts`."""
    return [str(name) for name in facts(runs).index]


def planted(runs: pd.DataFrame, recipes: Sequence[str], min_intrinsic: float = 1) -> list[str]:
    """Datasets of known d* >= `min_intrinsic` on which all of these recipes ran, in order."""
    known = facts(runs[runs["intrinsic"] >= min_intrinsic]).index
    ran = {name: set(rows["recipe"]) for name, rows in runs.groupby("dataset")}
    return [str(name) for name in known if ran[name].issuperset(recipes)]


def recipes(config: Settings, runs: pd.DataFrame) -> list[str]:
    """Recipes that ran, in the order of the settings, then controls; not the oracle, which is the null itself."""
    ran = set(runs["recipe"])
    return [name for name in [*config.recipes, *config.controls] if name in ran and name != NULL_CONTROL]


def method(config: Settings, recipe: str) -> str:
    """The method of a recipe; a control is its own."""
    return str(recipe_settings(config, recipe)["method"]["name"]) if recipe in config.recipes else recipe


def base(config: Settings, recipe: str) -> str:
    """The first recipe of the same method in the settings: what the others are variants of."""
    own = method(config, recipe)
    return next((name for name in config.recipes if method(config, name) == own), recipe)


def variation(config: Settings, recipe: str) -> Variation:
    """In what a recipe differs from its base: latent dimension, or else degree, or width, or what binds its critic.

    Another kind of critic net binds it otherwise, whatever its width.
    """
    first = base(config, recipe)
    if recipe == first:
        return "base"
    here, there = recipe_settings(config, recipe), recipe_settings(config, first)
    if here.get("latent") != there.get("latent"):
        return "latent dimension"
    if here["method"].get("degree") != there["method"].get("degree"):
        return "degree"
    same_net = _critic_net(here) == _critic_net(there)
    if same_net and any(hidden(config, recipe, side) != hidden(config, first, side) for side in SIDES):
        return "width"
    return "constraint"


def hidden(config: Settings, recipe: str, side: str) -> tuple[int, ...]:
    """Widths of the hidden layers of a recipe's `generator` or `critic`; empty where it has none or does not say."""
    return tuple((recipe_settings(config, recipe).get(side) or {}).get("hidden") or ())


def recipe_settings(config: Settings, recipe: str) -> dict[str, Any]:
    """A recipe as given, over the defaults of its study."""
    return merge(config.defaults, config.recipes[recipe])


def _critic_net(settings: dict[str, Any]) -> Any:
    return (settings.get("critic") or {}).get("name")

"""What many claims are measured by: the mean of a metric over seeds, and what a reader is told beside it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from wgpipe.config import Claim
from wgpipe.stats.estimates import Caveats, Estimate, missing
from wgpipe.stats.seed_means import seed_mean
from wgpipe.studies.claims import rule_of

CELL = ["dataset", "recipe", "n"]

Change = Callable[[pd.DataFrame], "pd.Series | np.ndarray"]


def mean_of(
    claim: Claim,
    runs: pd.DataFrame,
    recipes: Sequence[str],
    metric: str,
    unit: str,
    change: Change = lambda rows: rows["value"],
) -> Estimate:
    """Mean over seeds of the mean over all (dataset, recipe, n) of these recipes, of a metric or of `change` of it."""
    rule, caveats = rule_of(claim), Caveats()
    rows = runs[(runs["metric"] == metric) & runs["recipe"].isin(recipes)]
    if rows.empty:
        return missing(unit, f"no runs of {', '.join(recipes)} have {metric}")
    numbers = rows.assign(number=np.asarray(change(rows), dtype=np.float64))
    good = numbers[(numbers["status"] == "ok") & np.isfinite(numbers["number"])]
    failed, cells = len(numbers) - len(good), numbers[CELL].drop_duplicates()
    shares = 1 - len(good) / len(numbers)
    if shares > rule.max_failed:
        caveats.add("diverged", f"{failed} of {len(numbers)} runs of {', '.join(recipes)} have no finite {metric}")
    elif failed:
        caveats.remarks.append(f"{failed} of {len(numbers)} runs failed and are left out")
    groups = good.groupby("seed")["number"]
    by_seed = groups.mean()[groups.size() == len(cells)]
    caveats.remarks.append("mean over " + ", ".join(f"{cell.recipe} on {cell.dataset}" for cell in cells.itertuples()))
    return seed_mean(by_seed.to_numpy(dtype=np.float64), unit, (metric, *recipes), caveats, rule, len(good))


def mean_level(runs: pd.DataFrame, recipe: str, metric: str) -> float:
    """Mean of a metric over all runs of a recipe; NaN without runs."""
    rows = runs[(runs["metric"] == metric) & (runs["recipe"] == recipe)]
    return float(rows["value"].astype("float64").mean())


def course(runs: pd.DataFrame, recipe: str, metric: str) -> str:
    """`recipe: metric 3.2 on ring-8`, mean over seeds; empty without runs."""
    rows = runs[(runs["metric"] == metric) & (runs["recipe"] == recipe) & np.isfinite(runs["value"])]
    if rows.empty:
        return ""
    means = rows.groupby("dataset")["value"].mean()
    return f"{recipe}: {metric} " + ", ".join(f"{value:.3g} on {dataset}" for dataset, value in means.items())

"""What a study's runs say about themselves: failures, controls where they should be, and what hides a rate."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from wgpipe.config import Study as Settings
from wgpipe.errors import UserError
from wgpipe.stats.intervals import proportion
from wgpipe.stats.panels import FitRule, panel
from wgpipe.stats.rates import fit_rate
from wgpipe.stats.sample_size import points_factor
from wgpipe.studies import arrange

RUN = ["dataset", "recipe", "n", "seed"]
RATED = ("w1",)  # metrics whose fall with n is fitted, and which have a null
RULE = FitRule(replicates=2)  # no interval is read from these fits

# What a quantity can be at all; of any other it is only asked that it is a number.
ROUNDING = 1e-6
NEVER_NEGATIVE = (
    "birthday_size",
    "classes_balanced",
    "energy",
    "feature_neighbour_ratio",
    "feature_w1",
    "feature_w2",
    "gradient_l2",
    "half_diameter",
    "image_birthday_size",
    "lipschitz",
    "modes_captured",
    "neighbour_ratio",
    "pixel_neighbour_ratio",
    "sample_w1",
    "sliced_w2",
    "spread",
    "uvp",
    "uvp_inverse",
    "w1",
    "w1_true",
    "w2",
    "w2_true",
)
RANGES = {
    **dict.fromkeys(NEVER_NEGATIVE, (0.0, math.inf)),
    "class_imbalance": (0.0, 1.0),
    "confident": (0.0, 1.0),
    "gradient_cos": (-1.0, 1.0),
    "high_quality": (0.0, 1.0),
    "mode_imbalance": (0.0, 1.0),
    "v": (-math.inf, 2 * math.log(2)),
}

FAILURES = ["recipe", "method", "runs", "missing", "diverged", "timeout", "no_value", "out_of_range"]
SHARE = ["failed", "ci_low", "ci_high"]
FLOORS = ["dataset", "intrinsic", "recipe", "metric", "ns", "usable", "floor_share", "floor_significant"]
POINTS = ["points_for_slope", "points_for_all", "status", "note"]


def failure_table(config: Settings, wanted: pd.DataFrame, runs: pd.DataFrame) -> pd.DataFrame:
    """One row a recipe: how many of its runs are missing, diverged, timed out, or gave no or an impossible value.

    `wanted` has one row a run of the grid. `failed` is the share of all that were measured, with Wilson's interval.
    """
    known = runs.assign(
        no_value=runs["value"].isna() & (runs["status"] == "ok"),
        out_of_range=[_impossible(*pair) for pair in zip(runs["metric"], runs["value"], strict=True)],
    )
    found = known.groupby(RUN).agg({"status": "first", "no_value": "any", "out_of_range": "any"}).reset_index()
    asked = wanted["recipe"].value_counts()
    rows = []
    for recipe in [name for name in [*config.recipes, *config.controls] if name in asked.index]:
        own = found[found["recipe"] == recipe]
        counts = {status: int((own["status"] == status).sum()) for status in ("diverged", "timeout")}
        flags = {name: int(own[name].sum()) for name in ("no_value", "out_of_range")}
        share = proportion(sum(counts.values()), len(own))
        rows.append(
            {
                "recipe": recipe,
                "method": arrange.method(config, recipe),
                "runs": int(asked[recipe]),
                "missing": int(asked[recipe]) - len(own),
                **counts,
                **flags,
                **dict(zip(SHARE, (share.value, share.low, share.high), strict=True)),
            }
        )
    return pd.DataFrame(rows, columns=[*FAILURES, *SHARE])


def floor_table(config: Settings, runs: pd.DataFrame) -> pd.DataFrame:
    """One row for each curve of at least three n: how many n stand above twice the null, and the floor fitted to them.

    `points_for_slope` and `points_for_all`: times as many points to measure with, so that three n, or all, do.
    """
    rows = []
    facts = arrange.facts(runs)["intrinsic"]
    for metric in RATED:
        measured = runs[runs["metric"] == metric]
        for dataset in arrange.datasets(measured):
            on_it = measured[measured["dataset"] == dataset]
            for recipe in arrange.recipes(config, on_it):
                ns = on_it[on_it["recipe"] == recipe]["n"].nunique()
                if ns >= RULE.min_ns:
                    rows.append(_floor_row(on_it, dataset, float(facts[dataset]), recipe, metric, ns))
    return pd.DataFrame(rows, columns=[*FLOORS, *POINTS])


def _impossible(metric: str, value: float) -> bool:
    low, high = RANGES.get(metric, (-math.inf, math.inf))
    return bool(np.isinf(value) or value < low - ROUNDING or value > high + ROUNDING)


def _floor_row(
    runs: pd.DataFrame, dataset: str, intrinsic: float, recipe: str, metric: str, ns: int
) -> dict[str, object]:
    about = {"dataset": dataset, "intrinsic": intrinsic, "recipe": recipe, "metric": metric, "ns": ns}
    try:
        rate = fit_rate(runs, dataset, recipe, metric, RULE)
        one = panel(runs, dataset, recipe, metric)
    except UserError as error:
        return {**about, "usable": 0, "status": "no fit", "note": str(error)}
    pairs = zip(one.means, one.null, strict=True)
    factors = np.sort([points_factor(value, null, intrinsic, RULE) for value, null in pairs])  # unknown ones last
    return {
        **about,
        "usable": len(rate.ns),
        "floor_share": rate.floor.share if rate.floor else np.nan,
        "floor_significant": rate.floor.significant if rate.floor else None,
        "points_for_slope": factors[RULE.min_ns - 1],
        "points_for_all": factors[-1],
        "status": rate.status,
        "note": rate.note,
    }

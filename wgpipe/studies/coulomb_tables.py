"""Tables of the study `coulomb`."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from wgpipe.config import Study as Settings
from wgpipe.settings import merge
from wgpipe.stats.intervals import Interval
from wgpipe.studies import arrange
from wgpipe.studies.coulomb_runs import OURS, indexed, mean, modes_of, named, published_modes
from wgpipe.studies.tables import escape, latex_interval, latex_number, write_latex
from wgpipe.studies.truth_scores import cells
from wgpipe.theory.coulomb import superharmonic

MODES = {
    "modes": "modes_captured",
    "high_quality": "high_quality",
    "balanced": "modes_balanced",
    "imbalance": "mode_imbalance",
}
CHECKS = {
    "kernel_distance": "plummer_mmd",
    "birthday_size": "birthday_size",
    "support": "birthday_support",
    "neighbour_ratio": "neighbour_ratio",
    "field_error": "field_error",
    "field_power": "field_power",
    "field_ratio": "field_ratio",
    "self_term": "self_term",
}
FACTORS = ("n", "architecture", "steps")
BASELINE = "vanilla"  # the method whose published mode counts differ


def mode_table(config: Settings, runs: pd.DataFrame) -> pd.DataFrame:
    """Modes and quality of each dataset, method and n, real data first, then what others published about it."""
    table = mean_table(config, runs, MODES, "modes_captured")
    table.insert(2, "of", table["dataset"].map(modes_of))
    table.insert(3, "source", OURS)
    told = published_modes()
    told = told[told["dataset"].isin(table["dataset"])]
    beside = told.rename(columns={"method": "recipe"}).assign(
        of=told["dataset"].map(modes_of),
        modes_low=told["modes"] - told["error"],
        modes_high=told["modes"] + told["error"],
    )
    parts = [part.dropna(axis=1, how="all") for part in (table, beside.drop(columns="error")) if len(part)]
    whole = pd.concat(parts, ignore_index=True) if parts else table
    columns = [*table.columns, "protocol"]
    order = {name: place for place, name in enumerate(arrange.datasets(runs))}
    whole = whole.reindex(columns=columns)
    return whole.iloc[np.argsort(whole["dataset"].map(order).to_numpy(), kind="stable")]


def check_table(config: Settings, runs: pd.DataFrame) -> pd.DataFrame:
    """Kernel distance, birthday and nearest-neighbour tests, the critic's field; real data, the control, come first."""
    return mean_table(config, runs, CHECKS, "plummer_mmd")


def factor_runs(config: Settings, runs: pd.DataFrame) -> pd.DataFrame:
    """Finished runs of the original GAN on the dataset that most of its recipes ran on, with the modes they captured.

    Added columns: `architecture`, the critic's net, and `steps`, "long" for the recipes that train longest in the
    settings, else "short".
    """
    recipes = [name for name in config.recipes if arrange.method(config, name) == BASELINE]
    of_modes = (runs["metric"] == "modes_captured") & (runs["status"] == "ok") & np.isfinite(runs["value"])
    rows: pd.DataFrame = runs[of_modes & runs["recipe"].isin(recipes)]
    if rows.empty:
        return rows.assign(architecture="", steps="")
    chosen = rows.groupby("dataset")["recipe"].nunique().idxmax()
    settings = {name: merge(config.defaults, config.recipes[name]) for name in recipes}
    nets = {name: one["critic"]["name"] for name, one in settings.items()}
    longest = max(one["training"]["steps"] for one in settings.values())
    steps = {name: "long" if one["training"]["steps"] == longest else "short" for name, one in settings.items()}
    rows = rows[rows["dataset"] == chosen]
    return rows.assign(architecture=rows["recipe"].map(nets), steps=rows["recipe"].map(steps))


def factor_table(rows: pd.DataFrame) -> pd.DataFrame:
    """Effect of each factor on the modes captured: level `to` minus level `from`, mean over the levels of the others.

    Paired by seed; a factor with one level is not there.
    """
    found = []
    for factor in FACTORS:
        levels = sorted(rows[factor].unique(), reverse=factor != "n")  # short before long, mlp before maxout
        if len(levels) < 2:
            continue
        others = [name for name in FACTORS if name != factor]
        wide = rows.pivot_table(index=["seed", *others], columns=factor, values="value")
        difference = (wide[levels[-1]] - wide[levels[0]]).dropna()
        effect = mean(difference.groupby("seed").mean())
        about = (rows["dataset"].iloc[0], factor, str(levels[0]), str(levels[-1]))
        found.append((*about, *wide[[levels[0], levels[-1]]].mean(), effect.value, effect.low, effect.high))
    columns = ["dataset", "factor", "from", "to", "modes_from", "modes_to", "effect", "ci_low", "ci_high"]
    return pd.DataFrame(found, columns=columns)


def harmonic_table(runs: pd.DataFrame) -> pd.DataFrame:
    """One row for each (m, D): sign of the kernel's Laplacian, and where flows of the kernel come to rest."""
    rows = []
    laplacians, stuck = indexed(runs, "laplacian"), indexed(runs, "stuck")
    residuals = indexed(runs, "residual")
    pairs = laplacians[["dimension", "at"]].drop_duplicates().sort_values(["dimension", "at"])
    for m, d in zip(pairs["dimension"].astype(int), pairs["at"], strict=True):
        own, left, speeds = (
            each[(each["dimension"] == m) & (each["at"] == d)] for each in (laplacians, stuck, residuals)
        )
        largest = float(own["value"].max())
        share = cells("stuck", mean(left["value"]))
        rows.append(
            {
                "m": m,
                "D": d,
                "largest_laplacian": largest,
                "superharmonic": largest <= 0,
                "predicted": superharmonic(d, m),
                **share,
                "flows_with_stuck_points": float((left["value"] > 0).mean()),
                "residual": float(speeds["value"].max()),
                "seeds": own["seed"].nunique(),
            }
        )
    columns = ["m", "D", "largest_laplacian", "superharmonic", "predicted", "stuck", "stuck_low", "stuck_high"]
    return pd.DataFrame(rows, columns=[*columns, "flows_with_stuck_points", "residual", "seeds"])


def flow_table(runs: pd.DataFrame) -> pd.DataFrame:
    """Rates of the exact flow in units of theory, and the density at each time: mean over seeds."""
    rows: list[tuple[object, ...]] = []
    for quantity in ("logistic_rate", "decay_rate"):
        own = runs[(runs["metric"] == quantity) & (runs["status"] == "ok")]
        for dataset, its in own.groupby("dataset"):
            rows.append((str(dataset), quantity, np.nan, *_numbers(mean(its["value"])), its["seed"].nunique()))
    for quantity in ("first_rate", "flow_time", "flow_density"):
        for (name, at), its in indexed(runs, quantity).groupby(["dataset", "at"]):
            rows.append((str(name), quantity, at, *_numbers(mean(its["value"])), its["seed"].nunique()))
    columns = ["dataset", "quantity", "at", "value", "ci_low", "ci_high", "seeds"]
    return pd.DataFrame(rows, columns=columns).astype({"at": "float64"})


def write_modes_latex(table: pd.DataFrame, folder: Path) -> None:
    """modes.tex: the best of our trained methods on each dataset in bold."""
    header = ["data", "method", r"modes [95\,\%]", "of", r"high quality, \% [95\,\%]", r"imbalance [95\,\%]", "source"]
    groups = []
    for _, rows in table.groupby("dataset", sort=False):
        own = rows[(rows["source"] == OURS) & (rows["recipe"] != named(arrange.NULL_CONTROL))]
        groups.append(
            [
                [
                    escape(row["dataset"]),
                    escape(row["recipe"]),
                    latex_interval(
                        row["modes"], row["modes_low"], row["modes_high"], row["modes"] == own["modes"].max(), 1
                    )
                    if row["source"] == OURS
                    else _published(row["modes"], row["modes_high"]),
                    f"{row['of']:.0f}",
                    _interval(row, "high_quality", 100, 1),
                    _interval(row, "imbalance", 1, 2),
                    escape(row["source"]),
                ]
                for row in rows.to_dict("records")
            ]
        )
    write_latex(header, groups, folder, "modes")


def _interval(row: dict[Hashable, Any], column: str, scale: float, digits: int) -> str:
    value, low, high = (scale * float(row[f"{column}{end}"]) for end in ("", "_low", "_high"))
    return latex_interval(value, low, high, digits=digits)


def _published(modes: float, high: float) -> str:
    return latex_number(modes, 1) + (rf" $\pm$ {latex_number(high - modes, 1)}" if np.isfinite(high) else "")


def mean_table(config: Settings, runs: pd.DataFrame, metrics: Mapping[str, str], needed: str) -> pd.DataFrame:
    """Means of metrics with intervals for each dataset, recipe and n that has `needed`; `failed` runs are left out."""
    wanted = runs[runs["metric"].isin(metrics.values())]
    rows = []
    for dataset in arrange.datasets(wanted) if len(wanted) else []:
        on_it = wanted[wanted["dataset"] == dataset]
        if needed not in set(on_it["metric"]):
            continue
        for recipe in [arrange.NULL_CONTROL, *arrange.recipes(config, on_it)]:
            for n, own in on_it[on_it["recipe"] == recipe].groupby("n"):
                good = own[(own["status"] == "ok") & np.isfinite(own["value"])]
                seeds = good["seed"].nunique()
                row = {"dataset": dataset, "recipe": named(recipe), "n": n, "seeds": seeds}
                row["failed"] = own["seed"].nunique() - seeds
                for column, metric in metrics.items():
                    row |= cells(column, mean(good[good["metric"] == metric]["value"]))
                rows.append(row)
    names = [name for column in metrics for name in (column, f"{column}_low", f"{column}_high")]
    return pd.DataFrame(rows, columns=["dataset", "recipe", "n", "seeds", "failed", *names])


def _numbers(interval: Interval) -> tuple[float, float, float]:
    return interval.value, interval.low, interval.high

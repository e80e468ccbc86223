"""Tables of a study of rates: all runs, the fitted rates, variants beside their base, and failures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from wgpipe.config import Study as Settings
from wgpipe.stats.comparisons import log_ratio, slope_difference
from wgpipe.stats.intervals import proportion
from wgpipe.stats.rates import Rate, fit_rate
from wgpipe.studies import arrange
from wgpipe.studies.tables import escape, latex_interval, latex_number, write_latex
from wgpipe.theory import vanilla

CONTROL = "empirical"
KEYS = ["dataset", "recipe", "n", "seed"]


def run_table(config: Settings, runs: pd.DataFrame) -> pd.DataFrame:
    """One row a run: every metric with its null beside it, where it has one."""
    wide = runs.pivot(index=[*KEYS, "status"], columns="metric", values=["value", "null"])
    metrics = sorted(set(runs["metric"]))
    columns = {}
    for metric in metrics:
        columns[metric] = wide["value", metric].astype("float64")
        null = wide["null", metric].astype("float64")
        if null.notna().any():
            columns[f"{metric}_null"] = null
    table = pd.DataFrame(columns, index=wide.index).reset_index()
    facts = arrange.facts(runs)
    table.insert(1, "dimension", table["dataset"].map(facts["dimension"]))
    table.insert(2, "intrinsic", table["dataset"].map(facts["intrinsic"]))
    order = {"dataset": arrange.datasets(runs), "recipe": [*config.recipes, *config.controls]}
    ranks = {key: {name: place for place, name in enumerate(names)} for key, names in order.items()}
    return table.sort_values(KEYS, key=lambda column: column.map(ranks.get(str(column.name), lambda value: value)))


def protocol_table(runs: pd.DataFrame) -> pd.DataFrame:
    """How each metric was measured on each dataset."""
    return runs[["dataset", "metric", "protocol"]].drop_duplicates().sort_values(["dataset", "metric", "protocol"])


def rate_table(config: Settings, runs: pd.DataFrame, alpha: float) -> pd.DataFrame:
    """One row for each dataset and recipe: slope of W1 with its interval, and all that qualifies it.

    `minus_empirical` is the paired difference of slope to the empirical control; `bound` is the exponent of the upper
    bound for the recipe's method at smoothness `alpha`.
    """
    facts = arrange.facts(runs)
    ran = {name: set(rows["recipe"]) for name, rows in runs.groupby("dataset")}
    rows = []
    for dataset in facts.index:
        for recipe in arrange.recipes(config, runs):
            if recipe not in ran[dataset]:
                continue
            rate = fit_rate(runs, dataset, recipe)
            intrinsic = float(facts["intrinsic"][dataset])
            rows.append(
                {
                    "dataset": dataset,
                    "dimension": facts["dimension"][dataset],
                    "intrinsic": intrinsic,
                    "recipe": recipe,
                    "metric": rate.metric,
                    "slope": rate.slope,
                    "ci_low": rate.ci_low,
                    "ci_high": rate.ci_high,
                    **_against_control(runs, dataset, recipe),
                    "bound": bound(arrange.method(config, recipe), alpha, intrinsic),
                    "seeds": rate.seeds,
                    "runs": rate.runs,
                    **_fit_details(rate),
                    "status": rate.status,
                    "note": rate.note,
                }
            )
    return pd.DataFrame(rows)


def bound(method: str, alpha: float, intrinsic: float) -> float:
    """Exponent of the upper bound on W1 for a method; NaN where none is known."""
    exponents = {"vanilla": vanilla.vanilla_exponent, "wgan": vanilla.wasserstein_exponent}
    if method not in exponents or np.isnan(intrinsic) or np.isnan(alpha):
        return np.nan
    return exponents[method](alpha, int(intrinsic))


def variant_table(config: Settings, runs: pd.DataFrame) -> pd.DataFrame:
    """Log ratio of W1 of each variant to the base of its method, with its interval, at each n that both ran at."""
    columns = ["dataset", "recipe", "base", "varies", "n", "log_ratio", "ci_low", "ci_high", "seeds", "status", "note"]
    rows = []
    for dataset in arrange.datasets(runs):
        on_it = runs[(runs["dataset"] == dataset) & (runs["metric"] == "w1")]
        ns = {recipe: set(group["n"]) for recipe, group in on_it.groupby("recipe")}
        for recipe in arrange.recipes(config, on_it):
            base, varies = arrange.base(config, recipe), arrange.variation(config, recipe)
            for n in sorted(ns[recipe] & ns.get(base, set())) if varies != "base" else []:
                ratio = log_ratio(on_it, dataset, recipe, base, n)
                numbers = (ratio.value, ratio.ci_low, ratio.ci_high, ratio.seeds, ratio.status, ratio.note)
                rows.append((dataset, recipe, base, varies, n, *numbers))
    return pd.DataFrame(rows, columns=columns)


def stability_table(config: Settings, runs: pd.DataFrame, collapse: float) -> pd.DataFrame:
    """How many runs of each (dataset, recipe, n) diverged, timed out or collapsed (spread below `collapse`)."""
    rows = runs[runs["metric"] == "spread"]
    ok = rows["status"] == "ok"
    flags = rows.assign(
        diverged=rows["status"] == "diverged",
        timeout=rows["status"] == "timeout",
        collapsed=ok & ~(rows["value"] >= collapse),
        spread=rows["value"].where(ok),
    )
    groups = flags.groupby(["dataset", "recipe", "n"])
    table = groups[["diverged", "timeout", "collapsed"]].sum().astype("int64")
    table.insert(0, "runs", groups.size())
    failed = table[["diverged", "timeout", "collapsed"]].sum(axis=1)
    shares = [proportion(int(k), int(total)) for k, total in zip(failed, table["runs"], strict=True)]
    table["share"] = [one.value for one in shares]
    table["ci_low"] = [one.low for one in shares]
    table["ci_high"] = [one.high for one in shares]
    table["median_spread"], table["least_spread"] = groups["spread"].median(), groups["spread"].min()
    table = table.reset_index()
    recipes = {name: place for place, name in enumerate(arrange.recipes(config, runs))}
    datasets = {name: place for place, name in enumerate(arrange.datasets(runs))}
    table = table[table["recipe"].isin(recipes)]
    keys = [table["dataset"].map(datasets), table["recipe"].map(recipes), table["n"]]
    return table.iloc[np.lexsort(keys[::-1])]


def write_rates_latex(config: Settings, rates: pd.DataFrame, folder: Path) -> None:
    """rates.tex: the steepest slope of a trained recipe on each dataset in bold; `--` where the runs give none."""
    header = ["data", "recipe", r"slope of $W_1$ [95\,\%]", r"minus empirical [95\,\%]", "bound", "$n$ used", "status"]
    groups = []
    for _, rows in rates.groupby("dataset", sort=False):
        steepest = rows["slope"][(rows["status"] == "ok") & rows["recipe"].isin(config.recipes)].min()
        groups.append(
            [
                [
                    escape(row["dataset"]),
                    escape(row["recipe"]),
                    latex_interval(row["slope"], row["ci_low"], row["ci_high"], best=row["slope"] == steepest),
                    latex_interval(row["minus_empirical"], row["minus_empirical_low"], row["minus_empirical_high"]),
                    latex_number(row["bound"]),
                    str(len(row["ns_used"].split())),
                    escape(row["status"]),
                ]
                for row in rows.to_dict("records")
            ]
        )
    write_latex(header, groups, folder, "rates")


def _against_control(runs: pd.DataFrame, dataset: str, recipe: str) -> dict[str, float]:
    names = ("minus_empirical", "minus_empirical_low", "minus_empirical_high")
    if recipe == CONTROL:
        return dict.fromkeys(names, np.nan)
    difference = slope_difference(runs, dataset, recipe, CONTROL)
    return dict(zip(names, (difference.value, difference.ci_low, difference.ci_high), strict=True))


def _fit_details(rate: Rate) -> dict[str, object]:
    floor = rate.floor
    return {
        "ns_used": " ".join(map(str, rate.ns)),
        "ns_dropped": "; ".join(f"{n}: {why}" for n, why in rate.dropped.items()),
        "failed": "; ".join(f"{n}: {count}" for n, count in rate.failed.items() if count),
        "local_slopes": "; ".join(f"{n}-{larger}: {slope:.3f}" for (n, larger), slope in rate.local_slopes.items()),
        "floor": floor.floor if floor else np.nan,
        "floor_share": floor.share if floor else np.nan,
        "floor_significant": floor.significant if floor else None,
        "floor_exponent": -floor.exponent if floor else np.nan,
    }

"""Scores of critics and maps on pairs of laws whose transport is known: means over seeds, by family of pairs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
import pandas as pd

from wgpipe.config import Study as Settings
from wgpipe.data import family
from wgpipe.stats.intervals import Interval
from wgpipe.studies import arrange, style

Kind = Literal["w1", "w2", "gaussian", "line"]

TRUTHS = {"w1_true": "w1", "w2_true": "w2"}
GAUSSIAN, TWO_POINT = "gaussian_pair", "two_point"


def kinds(runs: pd.DataFrame) -> dict[str, Kind]:
    """Dataset -> which table it belongs to, ordered by cost, kind, dimension and name."""
    pairs = runs[runs["metric"].isin(TRUTHS)].drop_duplicates(["dataset", "metric"])
    found = pairs.sort_values(["metric", "dimension", "dataset"], key=_natural)
    columns = zip(found["dataset"], found["dimension"], found["metric"], strict=True)
    return {str(name): _kind(str(name), int(dimension), TRUTHS[metric]) for name, dimension, metric in columns}


def of_kind(runs: pd.DataFrame, kind: Kind) -> list[str]:
    """Datasets of one table, by dimension."""
    return [name for name, its in kinds(runs).items() if its == kind]


def mean(rows: pd.DataFrame, metric: str) -> Interval:
    """Mean of a metric over the seeds of these runs, those that finished, with Student's 95 % interval."""
    values = finished(rows, metric)["value"].to_numpy(dtype=np.float64)
    return Interval(float(values.mean()), *style.t_interval(values)) if len(values) else Interval(*[np.nan] * 3)


def finished(rows: pd.DataFrame, metric: str) -> pd.DataFrame:
    """Rows of a metric whose run finished with a finite value."""
    wanted: pd.DataFrame = rows[(rows["metric"] == metric) & (rows["status"] == "ok") & np.isfinite(rows["value"])]
    return wanted


def score_table(
    config: Settings, runs: pd.DataFrame, datasets: Sequence[str], metrics: Mapping[str, str]
) -> pd.DataFrame:
    """One row for each dataset, recipe and n with any of `metrics`: column -> metric, each with its interval.

    `seeds` finished; `failed` diverged, timed out or have no finite value of any metric.
    """
    rows = []
    wanted = runs[runs["metric"].isin(metrics.values())]
    for dataset in datasets:
        on_it = wanted[wanted["dataset"] == dataset]
        for recipe in arrange.recipes(config, on_it):
            for _, own in on_it[on_it["recipe"] == recipe].groupby("n"):
                good = own[(own["status"] == "ok") & np.isfinite(own["value"])]["seed"].nunique()
                row = {
                    "dataset": dataset,
                    "dimension": int(own["dimension"].iloc[0]),
                    "recipe": recipe,
                    "n": int(own["n"].iloc[0]),
                    "seeds": good,
                    "failed": own["seed"].nunique() - good,
                }
                for column, metric in metrics.items():
                    row |= cells(column, mean(own, metric))
                rows.append(row)
    names = [name for column in metrics for name in (column, f"{column}_low", f"{column}_high")]
    return pd.DataFrame(rows, columns=["dataset", "dimension", "recipe", "n", "seeds", "failed", *names])


def cells(column: str, interval: Interval) -> dict[str, float]:
    """A value and the ends of its interval, as three columns."""
    return {column: interval.value, f"{column}_low": interval.low, f"{column}_high": interval.high}


def truths(runs: pd.DataFrame, table: pd.DataFrame, metric: str) -> list[float]:
    """The optimal cost of each row's pair: `w1_true`, or `w2_true`, half the squared W2; NaN where it is not known."""
    known = runs[runs["metric"] == metric].dropna(subset="value").drop_duplicates("dataset").set_index("dataset")
    return [float(known["value"].get(name, np.nan)) for name in table["dataset"]]


def largest_n(runs: pd.DataFrame) -> pd.DataFrame:
    """Runs of the largest n of each dataset and recipe."""
    return runs[runs["n"] == runs.groupby(["dataset", "recipe"])["n"].transform("max")]


def _kind(dataset: str, dimension: int, cost: str) -> Kind:
    if dimension == 1 or family(dataset) == TWO_POINT:
        return "line"
    if family(dataset) == GAUSSIAN:
        return "gaussian"
    return "w1" if cost == "w1" else "w2"


def _natural(column: pd.Series) -> pd.Series:
    """Names with their numbers in order of size: funnels-16in2 after funnels-4in2."""
    if column.name != "dataset":
        return column
    return column.str.replace(r"\d+", lambda number: number[0].zfill(6), regex=True)

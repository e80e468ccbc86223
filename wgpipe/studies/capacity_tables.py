"""Tables of `capacity`: distances by critic and width, errors of moments, when they are learned, and fooled critics."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from wgpipe.config import Study as Settings
from wgpipe.studies import arrange, style
from wgpipe.studies.capacity_runs import DEGREES, course, critic, crossings, steps, values, width

KEYS = ["dataset", "recipe", "n"]
DISTANCES = ("w1", "w1_train", "w1_heldout", "w1_gap")
FOOLED = [*(f"fooled_degree{degree}" for degree in DEGREES), "fooled_w1"]
NEURON = ["relu", "relu_over_w1", "w1_over_relu"]


def critic_table(config: Settings, runs: pd.DataFrame) -> pd.DataFrame:
    """One row for each (dataset, recipe, n): W1 to the target, to the training sample, to as many held-out points.

    Medians over seeds, with the 95 % interval of the mean and the mean null; `w1_gap` is held-out minus training.
    """
    return _with_capacity(config, _summaries(config, runs, DISTANCES))


def moment_table(config: Settings, runs: pd.DataFrame) -> pd.DataFrame:
    """The relative error of the moments of each degree: medians, intervals and nulls likewise."""
    return _with_capacity(config, _summaries(config, runs, [f"moment{degree}" for degree in DEGREES]))


def order_table(config: Settings, runs: pd.DataFrame, threshold: float) -> pd.DataFrame:
    """For each run that was stopped at several steps, the step at which each degree falls below the threshold."""
    lengths = {name: steps(config, name) for name in course(config) if name in set(runs["recipe"])}
    learned = crossings(runs, lengths, threshold)
    table = learned.pivot(index=["dataset", "n", "seed"], columns="degree", values="step").reindex(columns=DEGREES)
    return table.rename(columns=lambda degree: f"step_degree{degree}").rename_axis(columns=None).reset_index()


def fooled_table(config: Settings, runs: pd.DataFrame) -> pd.DataFrame:
    """What critics see of two samples of equal mean and covariance (controls), and what one ReLU neuron sees."""
    return _summaries(config, runs, [*FOOLED, *NEURON])


def _summaries(config: Settings, runs: pd.DataFrame, metrics: Sequence[str]) -> pd.DataFrame:
    """One row for each (dataset, recipe, n), in the study's order, with the columns of each metric."""
    tables = [_summary(values(runs, metric), metric) for metric in metrics]
    counts = runs.drop_duplicates([*KEYS, "seed"]).groupby(KEYS)
    table = pd.concat([counts.size().rename("runs"), *tables], axis=1)
    table.insert(1, "failed", counts["status"].agg(lambda status: int((status != "ok").sum())))
    table = table.reset_index()
    order = {"dataset": arrange.datasets(runs), "recipe": [*config.recipes, *config.controls]}
    ranks = {key: {name: place for place, name in enumerate(names)} for key, names in order.items()}
    return table.sort_values(KEYS, key=lambda column: column.map(ranks.get(str(column.name), lambda value: value)))


def _summary(rows: pd.DataFrame, metric: str) -> pd.DataFrame:
    groups = rows.groupby(KEYS)
    ends = [style.t_interval(value.dropna()) for _, value in groups["value"]]
    low, high = np.array(ends, dtype=np.float64).reshape(-1, 2).T
    columns = {
        metric: groups["value"].median(),
        f"{metric}_low": low,
        f"{metric}_high": high,
        f"{metric}_null": groups["null"].mean(),
    }
    return pd.DataFrame(columns, index=groups.size().index).astype("float64")


def _with_capacity(config: Settings, table: pd.DataFrame) -> pd.DataFrame:
    """Adds the critic and the generator's width of each recipe; nothing for controls."""
    trained = table["recipe"].isin(config.recipes)
    critics = [critic(config, name) if there else "" for name, there in zip(table["recipe"], trained, strict=True)]
    widths = [width(config, name) if there else np.nan for name, there in zip(table["recipe"], trained, strict=True)]
    table.insert(2, "critic", critics)
    table.insert(3, "width", widths)
    return table

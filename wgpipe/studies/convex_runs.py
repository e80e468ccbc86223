"""The runs of `convex_potentials` as its statistics take them: errors that vanish at the truth, and dual values."""

from __future__ import annotations

import numpy as np
import pandas as pd

RUN = ["dataset", "recipe", "n", "seed"]
MAP_ERROR, SQUARED_ERROR, VALUE_ERROR = "map_error", "squared_map_error", "value_error"
VALUES = ["dual", "dual_gap", "dual_cost", "dual_sample"]


def errors(runs: pd.DataFrame) -> pd.DataFrame:
    """Rows of three more metrics, with a null of 0, which the truth has.

    `map_error` is (E|T - T*|² / Var Y)^½, the root of L2-UVP as a share, and `squared_map_error` its square;
    `value_error` is |V / ½W2² - 1|, V the value of the learned potential at its training sample.
    """
    uvp = runs[runs["metric"] == "uvp"]
    values = runs[runs["metric"] == "dual_sample"]
    true = values["dataset"].map(true_costs(runs)).astype("float64")
    columns = {
        MAP_ERROR: uvp.assign(value=np.sqrt(uvp["value"] / 100)),
        SQUARED_ERROR: uvp.assign(value=uvp["value"] / 100),
        VALUE_ERROR: values.assign(value=(values["value"] / true - 1).abs()),
    }
    rows = [rows.assign(metric=metric, null=0.0, excess=rows["value"]) for metric, rows in columns.items()]
    return pd.concat(rows, ignore_index=True)


def true_costs(runs: pd.DataFrame) -> pd.Series:
    """½W2² by dataset, where it is known."""
    known = runs[runs["metric"] == "w2_true"].dropna(subset="value").drop_duplicates("dataset")
    costs: pd.Series = known.set_index("dataset")["value"]
    return costs


def dual_runs(runs: pd.DataFrame) -> pd.DataFrame:
    """One row a run with a learned potential f, ordered: V(f) at held-out points, the gap that the search for f* leaves
    open, and the optimal cost of these points; `excess` = (V - gap) / cost - 1, which is at most 0, and `loose` the
    same without the gap. NaN where a run did not finish.
    """
    rows = runs[runs["metric"].isin(VALUES)]
    wide = rows.pivot(index=[*RUN, "status"], columns="metric", values="value").reindex(columns=VALUES)
    table = wide.astype("float64").reset_index().sort_values(RUN, ignore_index=True)
    table.columns.name = None
    table.loc[table["status"] != "ok", VALUES] = np.nan
    table["excess"] = (table["dual"] - table["dual_gap"]) / table["dual_cost"] - 1
    table["loose"] = table["dual"] / table["dual_cost"] - 1
    return table


def at_largest_n(runs: pd.DataFrame, recipes: list[str]) -> pd.DataFrame:
    """Runs of these recipes at the largest n that all of them have on a dataset, on the datasets that all ran on."""
    chosen = runs[runs["recipe"].isin(recipes)]
    counts = chosen.groupby(["dataset", "n"])["recipe"].nunique()
    shared = counts[counts == len(set(recipes))].reset_index()
    largest = shared.groupby("dataset", as_index=False)["n"].max()
    return chosen.merge(largest, on=["dataset", "n"])

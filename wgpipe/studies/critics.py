"""What the continued critics say, run by run, beside the bounds that tie the vanilla value V to W1."""

from __future__ import annotations

import numpy as np
import pandas as pd

from wgpipe.theory import vanilla

QUANTITIES = ("v", "lipschitz", "sample_w1", "half_diameter")
KEYS = ["dataset", "recipe", "n", "seed"]


def critic_runs(runs: pd.DataFrame) -> pd.DataFrame:
    """One row a trained run, ordered: status, the four quantities, `saturation` = V / (2 log 2), the two bounds on V at
    this run's L, W1 and B, and whether V lies `below` the lower or `above` the upper one (False where V is unknown).
    """
    rows = runs[runs["metric"].isin(QUANTITIES)]
    wide = rows.pivot(index=[*KEYS, "status"], columns="metric", values="value").reindex(columns=list(QUANTITIES))
    table = wide.astype("float64").reset_index().sort_values(KEYS, ignore_index=True)
    table.columns.name = None
    known = (table["status"] == "ok") & table[list(QUANTITIES[1:])].abs().lt(np.inf).all(axis=1)
    table.loc[~known, list(QUANTITIES)] = np.nan
    table["saturation"] = table["v"] / vanilla.SATURATION
    w1, lipschitz, radius = (
        table[name].to_numpy(dtype=np.float64) for name in ("sample_w1", "lipschitz", "half_diameter")
    )
    bounds = [
        (vanilla.lower_bound(w, slope, b), vanilla.upper_bound(w, slope)) if there else (np.nan, np.nan)
        for w, slope, b, there in zip(w1, lipschitz, radius, known, strict=True)
    ]
    table["lower"], table["upper"] = np.asarray(bounds, dtype=np.float64).reshape(-1, 2).T
    table["below"] = table["v"] < table["lower"]
    table["above"] = table["v"] > table["upper"]
    return table


def separation_runs(runs: pd.DataFrame) -> pd.DataFrame:
    """One row a run that has it: dataset, recipe, n, seed and `v` = V / (2 log 2) of the unbound critic, trained to
    its end against fresh points of the generator; NaN where the run failed.
    """
    rows = runs[runs["metric"] == "separation"]
    known = (rows["status"] == "ok") & np.isfinite(rows["value"])
    return rows[KEYS].assign(v=rows["value"].where(known)).sort_values(KEYS, ignore_index=True)


def critic_table(runs: pd.DataFrame) -> pd.DataFrame:
    """Means over the seeds of each (dataset, recipe, n), and shares of runs outside the bounds; NaN without V.

    `separation` is V / (2 log 2) of an unbound critic that was trained to its end, see `separation_runs`.
    """
    table = critic_runs(runs)
    known = table["v"].notna()
    for side in ("below", "above"):
        table[side] = table[side].astype("float64").where(known)
    means = ["v", "saturation", "lipschitz", "sample_w1", "half_diameter", "lower", "upper", "below", "above"]
    groups = table.groupby(KEYS[:3])
    counts = groups.agg(runs=("seed", "size"), known=("lipschitz", "count"))
    renamed = {"below": "share_below_lower", "above": "share_above_upper"}
    separation = separation_runs(runs).groupby(KEYS[:3])["v"].mean().rename("separation")
    return pd.concat([counts, groups[means].mean()], axis=1).join(separation).rename(columns=renamed).reset_index()

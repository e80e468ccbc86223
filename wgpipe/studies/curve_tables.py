"""Tables about curves through samples: constructed ones against the formula, trained ones, and the growth of Σ d²."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from wgpipe.config import Study as Settings
from wgpipe.stats.panels import FitRule
from wgpipe.stats.rates import fit_rate
from wgpipe.studies import arrange, style
from wgpipe.studies.curve_runs import constructed, curve_runs, squared_lengths, trained
from wgpipe.studies.tables import escape, latex_interval, latex_number, number, write_latex
from wgpipe.theory.curves import length_exponent, speed_exponent

GROUP = ["dataset", "recipe", "n"]
LAWS = {"walk_squared": length_exponent, "walk_speed": speed_exponent}
SYMBOLS = {"walk_squared": "$S$", "walk_speed": "$K_0$"}
NO_FLOOR = FitRule(floor_share=np.inf)  # S and K0 are no errors that end at a floor


def optimal_table(config: Settings, runs: pd.DataFrame) -> pd.DataFrame:
    """Constructed curves, one row a (dataset, recipe, n): means over seeds of K, K0, S, W1 and S/(4K).

    `difference` is the largest relative difference between W1 and S/(4K), `blur` the bound on what exact transport of
    the discretised curve can be off.
    """
    table = _of(config, runs, constructed(config))
    columns = {
        "speed": "curve_speed",
        "least_speed": "walk_speed",
        "times_k0": "times_k0",
        "squared_length": "walk_squared",
        "w1": "curve_w1",
        "formula": "best",
        "certificate": "curve_certificate",
        "blur": "curve_blur",
    }
    means = table.groupby(GROUP, sort=False)[list(columns.values())].mean()
    means.columns = pd.Index(columns)
    apart = (table["ratio"] - 1).abs().groupby([table[name] for name in GROUP], sort=False).max()
    return _counted(table).join(means).assign(difference=apart).reset_index()


def trained_table(config: Settings, runs: pd.DataFrame) -> pd.DataFrame:
    """Trained curves, one row a (dataset, recipe, n): how many have K >= K0, and their W1 over the best S/(4K).

    `ratio` is the geometric mean with its interval, over the runs with K >= K0 alone; `w1`, `certificate` and
    `times_k0` are means over all finished runs.
    """
    table = _of(config, runs, trained(config))
    rows = []
    for keys, own in table.groupby(GROUP, sort=False):
        ratios = own["ratio"].dropna()
        low, high = np.exp(style.t_interval(np.log(ratios)))
        rows.append(
            {
                **dict(zip(GROUP, keys, strict=True)),
                "fitting": int(own["fits"].sum()),
                "ratio": style.geometric_mean(ratios) if len(ratios) else np.nan,
                "ratio_low": low,
                "ratio_high": high,
                "least_ratio": ratios.min(),
                "times_k0": own["times_k0"].mean(),
                "speed": own["curve_speed"].mean(),
                "least_speed": own["walk_speed"].mean(),
                "w1": own["curve_w1"].mean(),
                "certificate": own["curve_certificate"].mean(),
                "blur": own["curve_blur"].mean(),
            }
        )
    columns = ["fitting", "ratio", "ratio_low", "ratio_high", "least_ratio", "times_k0", "speed", "least_speed", "w1"]
    measured = pd.DataFrame(rows, columns=[*GROUP, *columns, "certificate", "blur"]).set_index(GROUP)
    return _counted(table).join(measured).reset_index()


def length_table(runs: pd.DataFrame, recipe: str, min_n: float) -> pd.DataFrame:
    """Slopes of log S(n) and of log K0(n) from `min_n` on, one row a dataset and quantity, beside their exponents."""
    rows, facts = [], arrange.facts(runs)
    lengths = squared_lengths(runs, recipe, min_n)
    for dataset in arrange.planted(lengths, [recipe]):
        for quantity, law in LAWS.items():
            rate = fit_rate(lengths, dataset, recipe, quantity, NO_FLOOR)
            rows.append(
                {
                    "dataset": dataset,
                    "dimension": facts["dimension"][dataset],
                    "intrinsic": facts["intrinsic"][dataset],
                    "recipe": recipe,
                    "quantity": quantity,
                    "slope": rate.slope,
                    "ci_low": rate.ci_low,
                    "ci_high": rate.ci_high,
                    "exponent": law(facts["intrinsic"][dataset]),
                    "ns_used": " ".join(map(str, rate.ns)),
                    "local_slopes": "; ".join(
                        f"{n}-{larger}: {slope:.3f}" for (n, larger), slope in rate.local_slopes.items()
                    ),
                    "seeds": rate.seeds,
                    "runs": rate.runs,
                    "status": rate.status,
                    "note": rate.note,
                }
            )
    columns = ["dataset", "dimension", "intrinsic", "recipe", "quantity", "slope", "ci_low", "ci_high", "exponent"]
    table = pd.DataFrame(rows, columns=[*columns, "ns_used", "local_slopes", "seeds", "runs", "status", "note"])
    return table.sort_values(["quantity", "intrinsic", "dataset"], ascending=[False, True, True], kind="stable")


def write_trained_latex(table: pd.DataFrame, folder: Path) -> None:
    """trained.tex."""
    header = ["data", "recipe", "$n$", r"$K \geq K_0$", r"$W_1 / (S/4K)$ [95\,\%]", "$W_1$", "certificate"]
    _write(
        table,
        "dataset",
        lambda row: [
            escape(row["dataset"]),
            escape(row["recipe"]),
            str(row["n"]),
            f"{_count(row['fitting'])} of {row['seeds']}",
            latex_interval(row["ratio"], row["ratio_low"], row["ratio_high"], digits=2),
            latex_number(row["w1"]),
            latex_number(row["certificate"]),
        ],
        header,
        folder,
        "trained",
    )


def write_length_latex(table: pd.DataFrame, folder: Path) -> None:
    """lengths.tex: slopes of S and of K0."""
    header = ["quantity", "data", "$d^*$", r"slope in $n$ [95\,\%]", "exponent", "$n$", "seeds"]
    _write(
        table,
        "quantity",
        lambda row: [
            SYMBOLS[row["quantity"]],
            escape(row["dataset"]),
            number(row["intrinsic"], 0),
            latex_interval(row["slope"], row["ci_low"], row["ci_high"]),
            latex_number(row["exponent"]),
            _range(row["ns_used"]),
            str(row["seeds"]),
        ],
        header,
        folder,
        "lengths",
    )


def _write(table: pd.DataFrame, by: str, cells: Any, header: Sequence[str], folder: Path, name: str) -> None:
    groups = [[cells(row) for row in rows.to_dict("records")] for _, rows in table.groupby(by, sort=False)]
    write_latex(header, groups, folder, name)


def _range(ns: str) -> str:
    used = ns.split()
    return f"{used[0]}--{used[-1]}" if used else "--"


def _count(value: float) -> str:
    return "0" if np.isnan(value) else f"{value:.0f}"


def _of(config: Settings, runs: pd.DataFrame, recipes: Sequence[str]) -> pd.DataFrame:
    """Curves of these recipes, in the order of the settings."""
    table = curve_runs(runs[runs["recipe"].isin(recipes)])
    order = {"dataset": arrange.datasets(runs), "recipe": list(recipes)}
    ranks = {key: {name: place for place, name in enumerate(names)} for key, names in order.items()}
    keys = [*GROUP, "seed"]
    return table.sort_values(keys, key=lambda column: column.map(ranks.get(str(column.name), lambda value: value)))


def _counted(table: pd.DataFrame) -> pd.DataFrame:
    """Seeds of each group, and how many failed."""
    groups = table.assign(failed=table["status"].ne("ok")).groupby(GROUP, sort=False)
    return pd.DataFrame({"seeds": groups.size(), "failed": groups["failed"].sum()}).astype("int64")

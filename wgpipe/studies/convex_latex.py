"""The tables of `convex_potentials` for LaTeX."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from wgpipe.studies.tables import escape, latex_interval, latex_number, write_latex


def write_maps(table: pd.DataFrame, folder: Path) -> None:
    """maps.tex: L2-UVP of each map, the least of each pair and n in bold, and its cost beside the optimal one."""
    header = ["pair", "recipe", "$n$", r"UVP, \% [95\,\%]", r"cost [95\,\%]", "optimal", "seeds"]
    groups = []
    for _, rows in table.groupby(["dataset", "n"], sort=False):
        best = rows["uvp"].min()
        groups.append(
            [
                [
                    escape(row["dataset"]),
                    escape(row["recipe"]),
                    str(row["n"]),
                    latex_interval(row["uvp"], row["uvp_low"], row["uvp_high"], best=row["uvp"] == best),
                    latex_interval(row["cost"], row["cost_low"], row["cost_high"]),
                    latex_number(row["cost_true"]),
                    str(row["seeds"]),
                ]
                for row in rows.to_dict("records")
            ]
        )
    write_latex(header, groups, folder, "maps")


def write_rates(table: pd.DataFrame, folder: Path) -> None:
    """rates.tex: every slope with its interval and status."""
    header = ["pair", "recipe", "error", r"slope [95\,\%]", "seeds", "status"]
    groups = [
        [
            [
                escape(row["dataset"]),
                escape(row["recipe"]),
                escape(row["metric"].replace("_", " ")),
                latex_interval(row["slope"], row["ci_low"], row["ci_high"]),
                str(row["seeds"]),
                escape(row["status"]),
            ]
            for row in rows.to_dict("records")
        ]
        for _, rows in table.groupby(["metric", "dataset"], sort=False)
    ]
    write_latex(header, groups, folder, "rates")


def write_gans(table: pd.DataFrame, folder: Path) -> None:
    """gans.tex: W2 of each generator, the least on each dataset in bold, its null, modes and failures."""
    header = ["data", "recipe", r"$W_2$ [95\,\%]", "null", r"modes [95\,\%]", "failed", "collapsed", "seeds"]
    groups = []
    for _, rows in table.groupby(["dataset", "n"], sort=False):
        best = rows["w2"].min()
        groups.append(
            [
                [
                    escape(row["dataset"]),
                    escape(row["recipe"]),
                    latex_interval(row["w2"], row["w2_low"], row["w2_high"], best=row["w2"] == best),
                    latex_number(row["w2_null"]),
                    latex_interval(row["modes"], row["modes_low"], row["modes_high"], digits=1),
                    str(row["failed"]),
                    str(row["collapsed"]),
                    str(row["seeds"]),
                ]
                for row in rows.to_dict("records")
            ]
        )
    write_latex(header, groups, folder, "gans")

"""Figures of the smaller experiments of `convex_potentials`: work, two points, homotopy, GANs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from wgpipe.config import Study as Settings
from wgpipe.studies import arrange, style
from wgpipe.studies.convex_work import generates, recipe
from wgpipe.studies.rate_figures import recipe_handles
from wgpipe.studies.style import BLUE, GREY, INDIGO, look
from wgpipe.studies.truth_scores import finished
from wgpipe.theory.two_point import LARGER_BELOW, paper_bound, projection

COLUMNS = 3
MEAN = "mean and 95% interval over seeds"


def draw_work(config: Settings, table: pd.DataFrame, folder: Path) -> None:
    """`work`: the map error against counted work, a panel a pair, at the n that most recipes ran at."""
    rows = _at_common_n(table[np.isfinite(table["map_error"])]) if len(table) else table
    names = [str(name) for name, own in rows.groupby("dataset", sort=False) if len(own) > 1]
    figure, axes = style.panels(len(names), COLUMNS, style.PAGE if len(names) > 1 else 4.6, 2.1, legend=0.6)
    for ax, name in zip(axes, names, strict=False):
        ax.set_xscale("log")
        style.log_value(ax)
        style.log_ticks(ax.xaxis)
        for row in rows[rows["dataset"] == name].to_dict("records"):
            its = look(row["recipe"])
            ax.vlines(row["passes"], row["map_error_low"], row["map_error_high"], color=its.colour)
            ax.plot(row["passes"], row["map_error"], its.marker, color=its.colour)
        ax.set_title(f"{name}, n = {rows.loc[rows['dataset'] == name, 'n'].iloc[0]}")
    if not names:
        style.say(axes[0], "no two trainings of a pair to compare")
    style.label_edges(
        axes, COLUMNS, "passes of a batch through\na network, forward and backward", "L2 error of the map (share)"
    )
    shown = [name for name in config.recipes if name in set(rows["recipe"])]
    if shown:
        figure.legend(handles=recipe_handles(shown), loc="outside lower center", ncols=4, title=MEAN)
    style.save(figure, folder, "work")


def draw_two_point(table: pd.DataFrame, folder: Path) -> None:
    """`two_point`: distance of the two-point law to what even potentials reach, against its asymmetry a."""
    figure, (ax,) = style.panels(1, 1, 4.6, 2.4)
    excess = np.linspace(0, 0.5, 201)
    ax.plot(excess, [projection(a) for a in excess], color=BLUE, label=r"derived, $|v|\sqrt{2a(1-a)}$")
    ax.plot(excess, [paper_bound(a) for a in excess], color=INDIGO, ls="--", label="paper's bound, 2a|v|")
    ax.axvline(LARGER_BELOW, color=GREY, lw=0.7, ls=":")
    ax.text(LARGER_BELOW, 0.02, " a = 1/3", color=GREY, transform=ax.get_xaxis_transform())
    for column, colour, marker, label in (
        ("projection", BLUE, "o", "measured, cost ½|x − y|²"),
        ("projection_w1", INDIGO, "s", "measured, W₁"),
    ):
        ax.plot(table["excess"], table[column], marker, color=colour, mfc="white", ls="none", label=label, zorder=3)
        ax.vlines(table["excess"], table[f"{column}_low"], table[f"{column}_high"], color=colour)
    ax.set(xlabel="asymmetry a of ν = (½ − a) δ₋ᵥ + (½ + a) δᵥ", ylabel="distance ε / |v|", xlim=(0, 0.5), ylim=(0, 1))
    ax.legend(loc="upper left")
    style.save(figure, folder, "two_point")


def draw_homotopy(table: pd.DataFrame, threshold: float, folder: Path) -> None:
    """`homotopy`: L2-UVP against the length of training, from class Q and from the whole network."""
    names = list(dict.fromkeys(table["dataset"]))
    figure, axes = style.panels(len(names), COLUMNS, style.PAGE if len(names) > 1 else 4.6, 2.1, legend=0.6)
    kinds = ((False, "whole network from the start"), (True, "grown from class Q"))
    for ax, name in zip(axes, names, strict=False):
        own = table[table["dataset"] == name]
        style.log_n(ax, sorted({int(length) for length in own["length"]}), labels=6)
        style.log_value(ax)
        for grows, _ in kinds:
            line = own[own["homotopy"] == grows]
            its = look("homotopy" if grows else "icnn")
            place = line["length"] * (1.02 if grows else 0.98)
            ax.plot(line["length"], line["uvp"], ls=its.line, color=its.colour)
            ax.plot(place, line["uvp"], its.marker, color=its.colour)
            ax.vlines(place, line["uvp_low"], line["uvp_high"], color=its.colour)
        ax.axhline(threshold, color=GREY, lw=0.9, ls=":")
        ax.set_title(name)
    if not names:
        style.say(axes[0], "no trainings of several lengths")
    style.label_edges(axes, COLUMNS, "steps of a training", "L2-UVP (%)")
    handles = [
        Line2D([], [], color=its.colour, marker=its.marker, ls=its.line, label=label)
        for its, label in ((look("homotopy" if grows else "icnn"), label) for grows, label in kinds)
    ]
    handles.append(Line2D([], [], color=GREY, lw=0.9, ls=":", label=f"threshold, {threshold:g} %"))
    figure.legend(handles=handles, loc="outside lower center", ncols=3, title=MEAN)
    style.save(figure, folder, "homotopy")


def draw_gans(config: Settings, runs: pd.DataFrame, folder: Path) -> None:
    """`gans`: W2 of generators to their data, each seed and the mean, beside the null; modes where there are any."""
    generators = [name for name in config.recipes if generates(recipe(config, name))]
    chosen = runs[runs["recipe"].isin(generators)]
    names = [
        name for name in (arrange.datasets(chosen) if len(chosen) else []) if len(finished(_on(chosen, name), "w2"))
    ]
    panels = [(name, "w2", "W₂ to held-out data\n(units of the data)") for name in names]
    panels += [
        (name, "modes_captured", "modes captured")
        for name in names
        if len(finished(_on(chosen, name), "modes_captured"))
    ]
    figure, axes = style.panels(len(panels), 2, style.PAGE if len(panels) > 1 else 4.6, 1.7, legend=0.35)
    for ax, (name, metric, label) in zip(axes, panels, strict=False):
        own = _on(chosen, name)
        shown = [one for one in generators if one in set(own["recipe"])]
        _strip(ax, finished(own, metric), shown)
        null = own.loc[own["metric"] == metric, "null"].mean()
        if metric == "w2" and np.isfinite(null):
            ax.axvline(null, color=GREY, ls="--", lw=0.9)
        ax.set(xlabel=label, title=name)
    if not panels:
        style.say(axes[0], "no generator has finished")
    handles = [
        Line2D([], [], color=GREY, marker="o", ls="-", label=MEAN),
        Line2D([], [], color=GREY, marker="o", ls="none", ms=2, alpha=0.6, label="each seed"),
        Line2D([], [], color=GREY, ls="--", lw=0.9, label="null: two real samples"),
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=3)
    style.save(figure, folder, "gans")


def _strip(ax: Axes, rows: pd.DataFrame, recipes: list[str]) -> None:
    """Seeds, mean and interval of each recipe at its largest n, a row each."""
    for place, name in enumerate(recipes):
        own, its = rows[rows["recipe"] == name], look(name)
        values = own.loc[own["n"] == own["n"].max(), "value"].to_numpy(dtype=np.float64)
        if not len(values):
            ax.text(0.02, place, "no finished run", transform=ax.get_yaxis_transform(), va="center", color=GREY)
            continue
        ax.plot(values, np.full(len(values), place + 0.25), its.marker, color=its.colour, ls="none", ms=2, alpha=0.6)
        ax.plot(style.t_interval(values), [place, place], color=its.colour, solid_capstyle="butt")
        ax.plot(values.mean(), place, its.marker, color=its.colour)
    ax.yaxis.set_major_locator(FixedLocator(range(len(recipes))))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda place, _: recipes[round(place)] if place % 1 == 0 else ""))
    ax.yaxis.set_minor_locator(NullLocator())
    ax.set_ylim(len(recipes) - 0.4, -0.6)


def _at_common_n(table: pd.DataFrame) -> pd.DataFrame:
    """Rows of each dataset at the n that most of its rows have; of several, the largest."""
    counts = table.groupby(["dataset", "n"], as_index=False).size().sort_values(["dataset", "size", "n"])
    return table.merge(counts.drop_duplicates("dataset", keep="last")[["dataset", "n"]], on=["dataset", "n"])


def _on(rows: pd.DataFrame, name: str) -> pd.DataFrame:
    own: pd.DataFrame = rows[rows["dataset"] == name]
    return own

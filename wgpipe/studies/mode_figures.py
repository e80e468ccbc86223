"""Figures about modes: what generators make, how many modes they find, and what that depends on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from wgpipe.config import Study as Settings
from wgpipe.metrics.field import SEPARATOR
from wgpipe.studies import arrange, style
from wgpipe.studies.coulomb_runs import OURS, REAL, means, named, published_modes
from wgpipe.studies.style import GREY, look
from wgpipe.studies.truth_scores import largest_n

COLUMNS = 4
GRID = "grid-25"  # what is shown of the data that have pictures, where it ran
PERFECT = 1 - np.exp(-4.5)  # share of a normal law in the plane within 3 σ


def draw_scatter(config: Settings, runs: pd.DataFrame, folder: Path) -> None:
    """`scatter`: generated points of each method on the 25-grid, one seed, all on the same axes."""
    rows = runs[runs["metric"].str.startswith("scatter_") & (runs["status"] == "ok") & np.isfinite(runs["value"])]
    names = sorted(set(rows["dataset"]))
    dataset = GRID if GRID in names else next(iter(names), "")
    rows = largest_n(rows[rows["dataset"] == dataset])
    rows = rows[rows["seed"] == rows.groupby("recipe")["seed"].transform("min")]
    shown = [name for name in [arrange.NULL_CONTROL, *arrange.recipes(config, rows)] if name in set(rows["recipe"])]
    options: dict[str, Any] = {"sharex": True, "sharey": True, "subplot_kw": {"aspect": "equal"}}
    figure, axes = style.panels(len(shown), COLUMNS, style.PAGE, 1.85, legend=0.2, **options)
    reach = _reach(rows)
    for ax, name in zip(axes, shown, strict=False):
        points = _points(rows[rows["recipe"] == name])
        outside = int((np.abs(points) > reach).any(axis=1).sum())
        ax.plot(*points.T, ".", color=look(name).colour, ms=2.0, mew=0, alpha=0.8)
        ax.set_title(named(name) + (f", {outside} outside" if outside else ""), fontsize=6.5)
        ax.set(xlim=(-reach, reach), ylim=(-reach, reach))
    if shown:
        style.label_edges(axes, COLUMNS, "x (units of the data)", "y")
        seeds = rows["seed"].min()
        figure.suptitle(f"{dataset}, {len(points)} points each, seed {seeds}", fontsize=7)
    else:
        style.say(axes[0], "no generated points of a mixture in the plane")
    style.save(figure, folder, "scatter")


def draw_modes(config: Settings, table: pd.DataFrame, folder: Path) -> None:
    """`modes`: modes captured and share of high quality, for each method and dataset, published counts hollow."""
    datasets = list(dict.fromkeys(table["dataset"]))
    heights = [0.75 + 0.15 * count for count in table["dataset"].value_counts()[datasets]] or [1.5]
    options: dict[str, Any] = {"gridspec_kw": {"height_ratios": heights}}
    figure, axes = style.panels(2 * len(datasets), 2, style.PAGE, float(np.mean(heights)), legend=0.3, **options)
    for place, dataset in enumerate(datasets):
        rows = table[table["dataset"] == dataset].reset_index(drop=True)
        modes = float(rows["of"].iloc[0])
        _bars(axes[2 * place], rows, "modes", 1.0, modes)
        axes[2 * place].set(title=dataset, xlabel=f"modes captured, of {modes:.0f}")
        _bars(axes[2 * place + 1], rows, "high_quality", 100.0, 100 * PERFECT)
        axes[2 * place + 1].set(title=dataset, xlabel="points within 3 σ of a mode (%)")
        axes[2 * place + 1].set_yticklabels([])
    if datasets:
        handles = [
            Line2D([], [], color=GREY, marker="o", label="mean and 95% interval over seeds"),
            Line2D([], [], color=GREY, marker="o", mfc="white", ls="none", label="published, ± standard error"),
            Line2D([], [], color=GREY, ls="--", lw=0.9, label="a perfect sampler"),
        ]
        figure.legend(handles=handles, loc="outside lower center", ncols=3)
    else:
        style.say(axes[0], "no finished run on a mixture")
    style.save(figure, folder, "modes")


def draw_factors(rows: pd.DataFrame, folder: Path) -> None:
    """`factors`: modes that the original GAN captures against n, by its networks and the length of its training."""
    figure, (ax,) = style.panels(1, 1, style.COLUMN, 2.4, legend=0.5)
    if rows.empty:
        style.say(ax, "no finished run of the original GAN")
        style.save(figure, folder, "factors")
        return
    for recipe, own in rows.groupby("recipe", sort=False):
        its, about = look(str(recipe)), own.iloc[0]
        ns, found = means(own, "n")
        label = f"{about['architecture']} critic, {about['steps']} training"
        ax.plot(ns, [one.value for one in found], its.marker, ls=its.line, color=its.colour, label=label)
        ax.vlines(ns, [one.low for one in found], [one.high for one in found], color=its.colour)
    told = published_modes()
    told = told[(told["dataset"] == rows["dataset"].iloc[0]) & (told["method"] == "GAN")]
    for one in told.to_dict("records"):
        ax.axhline(one["modes"], color=GREY, ls="--", lw=0.9, zorder=0)
        place: dict[str, Any] = {"transform": ax.get_yaxis_transform(), "va": "center"}
        ax.text(1.01, one["modes"], f"GAN in\n{_paper(one['source'])}", color=GREY, fontsize=6, **place)
    style.log_n(ax, sorted(rows["n"].unique()))
    ax.set(xlabel="training sample size n", ylabel=f"modes captured on {rows['dataset'].iloc[0]}")
    ax.set_ylim(bottom=0)
    figure.legend(loc="outside lower center", ncols=2)
    style.save(figure, folder, "factors")


def _bars(ax: Axes, rows: pd.DataFrame, column: str, scale: float, most: float) -> None:
    sizes = rows["n"].nunique() > 1
    labels = []
    for place, row in enumerate(rows.to_dict("records")):
        ours = row["source"] == OURS
        its = look(arrange.NULL_CONTROL if row["recipe"] == REAL else row["recipe"])
        colour, marker = (its.colour, its.marker) if ours else (GREY, "o")
        ends = [scale * row[f"{column}{end}"] for end in ("_low", "_high")]
        ax.plot(ends, [place, place], color=colour, solid_capstyle="butt")
        ax.plot(scale * row[column], place, marker, color=colour, mfc=colour if ours else "white", ls="none")
        about = (f", n = {row['n']:.0f}" if sizes else "") if ours else f" in {_paper(row['source'])}"
        labels.append(row["recipe"] + about)
    ax.axvline(most, color=GREY, ls="--", lw=0.9, zorder=0)
    ax.set_yticks(range(len(rows)), labels)
    ax.set_ylim(len(rows) - 0.5, -0.5)
    ax.set_xlim(0, 1.05 * most)


def _paper(source: str) -> str:
    """`PacGAN` of `PacGAN (Lin et al. 2018)`."""
    return source.partition(" ")[0]


def _points(rows: pd.DataFrame) -> np.ndarray:
    parts = rows["metric"].str.split(SEPARATOR, expand=True)
    table = pd.Series(rows["value"].to_numpy(), index=[parts[1].astype(int), parts[0]]).unstack().dropna()
    return np.asarray(table[["scatter_x", "scatter_y"]].to_numpy())


def _reach(rows: pd.DataFrame) -> float:
    """Half the width of the axes: a quarter beyond the real points, or all points where there are none."""
    real = rows[rows["recipe"] == arrange.NULL_CONTROL]
    values = (real if len(real) else rows)["value"].abs()
    return 1.25 * float(values.max()) if len(values) else 1.0

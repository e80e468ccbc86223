"""A dot with its interval for each method: one row of panels a dataset, one column a quantity."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import LogFormatterMathtext, LogLocator

from wgpipe.config import Study as Settings
from wgpipe.studies import arrange, style
from wgpipe.studies.coulomb_runs import named
from wgpipe.studies.style import GREY, look
from wgpipe.studies.truth_scores import largest_n

NOTHING_HERE = "not measured\nof these data"
LARGE = 1e5  # values of a logarithmic axis from which they are written as powers of ten


class Quantity(NamedTuple):
    """A metric, how its axis is called, and whether that is logarithmic."""

    metric: str
    label: str
    log: bool = False


def draw_dots(
    config: Settings, runs: pd.DataFrame, quantities: Sequence[Quantity], folder: Path, name: str, nothing: str
) -> None:
    """`<name>`: mean over seeds (of a logarithmic axis, geometric) of finished runs at the largest n, by method.

    Real data, the control, come first, and a dashed line goes down from them. Datasets are those that have the first
    of the quantities; without any, the figure says `nothing`.
    """
    runs = largest_n(runs[runs["status"] == "ok"])
    measured = set(runs[runs["metric"] == quantities[0].metric]["dataset"]) if quantities else set()
    datasets = [dataset for dataset in arrange.datasets(runs) if dataset in measured] if measured else []
    heights = [0.8 + 0.15 * runs[runs["dataset"] == dataset]["recipe"].nunique() for dataset in datasets] or [1.4]
    columns = max(len(quantities), 1)
    options: dict[str, Any] = {"gridspec_kw": {"height_ratios": heights}}
    count = columns * len(datasets)
    figure, axes = style.panels(count, columns, style.PAGE, float(np.mean(heights)), **options)
    for row, dataset in enumerate(datasets):
        on_it = runs[(runs["dataset"] == dataset) & np.isfinite(runs["value"])]
        shown = on_it[on_it["metric"].isin([quantity.metric for quantity in quantities])]
        every = [arrange.NULL_CONTROL, *arrange.recipes(config, shown)]
        recipes = [recipe for recipe in every if recipe in set(shown["recipe"])]
        for column, quantity in enumerate(quantities):
            ax, rows = axes[columns * row + column], shown[shown["metric"] == quantity.metric]
            if rows.empty:
                style.say(ax, NOTHING_HERE)
                continue
            _dots(ax, rows, recipes, quantity.log, named_rows=column == 0)
            ax.set(title=dataset if column == 0 else "", xlabel=quantity.label)
    if not datasets:
        style.say(axes[0], nothing)
    style.save(figure, folder, name)


def _dots(ax: Axes, rows: pd.DataFrame, recipes: list[str], log: bool, named_rows: bool) -> None:
    if log:
        ax.set_xscale("log")
    for place, name in enumerate(recipes):
        values = rows[rows["recipe"] == name]["value"].to_numpy(dtype=np.float64)
        values = values[values > 0] if log else values
        shown, back = (np.log(values), np.exp) if log else (values, np.asarray)
        if not len(shown):
            continue
        its = look(name)
        ax.plot(back(np.asarray(style.t_interval(shown))), [place, place], color=its.colour, solid_capstyle="butt")
        ax.plot(back(shown.mean()), place, its.marker, color=its.colour, ls="none")
        if name == arrange.NULL_CONTROL:
            ax.axvline(float(back(shown.mean())), color=GREY, ls="--", lw=0.9, zorder=0)
    if log:
        _at_least_a_decade(ax)
        style.log_ticks(ax.xaxis)
        if ax.get_xlim()[1] > LARGE:
            ax.xaxis.set_major_locator(LogLocator(numticks=4))
            ax.xaxis.set_major_formatter(LogFormatterMathtext())
    ax.set_yticks(range(len(recipes)), [named(name) for name in recipes] if named_rows else [""] * len(recipes))
    ax.set_ylim(len(recipes) - 0.5, -0.5)


def _at_least_a_decade(ax: Axes) -> None:
    """Widen a logarithmic axis, since on a shorter one labels overlap."""
    low, high = np.log10(ax.get_xlim())
    more = max(1 - (high - low), 0) / 2
    ax.set_xlim(10 ** (low - more), 10 ** (high + more))

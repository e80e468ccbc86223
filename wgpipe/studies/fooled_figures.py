"""The figure of `capacity` about fooled critics: two laws with the same mean and covariance."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, LogFormatterSciNotation, NullLocator

from wgpipe.config import Study as Settings
from wgpipe.studies import arrange, style
from wgpipe.studies.capacity_runs import DEGREES, values
from wgpipe.studies.rate_figures import INTERVAL, seeds_of
from wgpipe.studies.style import GREY, look
from wgpipe.theory import fooled_example

RECIPE, NULL = "gaussian", "oracle"
MEASURED = {**{f"fooled_degree{degree}": f"degree {degree}" for degree in DEGREES}, "fooled_w1": "W₁"}
LEAST = 1e-17  # values of rounding below it are drawn at it
TICKS = [1e-16, 1e-12, 1e-8, 1e-4, 1]
SHIFT = 0.15  # of the two marks in a row
SUPREMUM = "sup of E f(X) − E f(Y)"
LAWS = {"N(0, 1)": fooled_example.normal_density, "Exp(1) − 1": fooled_example.exponential_density}
LINES = {"N(0, 1)": ("#0072B2", "-"), "Exp(1) − 1": ("#D55E00", "--")}


def draw_fooled(config: Settings, runs: pd.DataFrame, folder: Path) -> None:
    """`fooled`: two laws on the line, what critics see of them, and of the data and a Gaussian of equal moments."""
    figure, (left, middle, right) = style.panels(3, 3, style.PAGE, 2.3, legend=0.45)
    _laws(left)
    _seen(middle)
    own = runs[runs["recipe"] == RECIPE]
    drawn = values(own, "fooled_w1")["value"].notna().any()
    if drawn:
        dataset = str(runs.groupby("dataset")["recipe"].nunique()[arrange.datasets(own)].idxmax())
        _measured(right, runs[runs["dataset"] == dataset])
        right.set_title(f"{dataset}, measured")
    else:
        style.say(right, "no measured pair of laws\nwith equal moments")
    handles = [
        Line2D([], [], color=look(RECIPE).colour, marker="o", ls="none", label="data and Gaussian of equal moments"),
        Line2D([], [], color=GREY, marker="x", ls="none", label="null: two real samples, of equal moments"),
    ]
    title = f"measured: mean and {INTERVAL} of {seeds_of(own)}" if drawn else None
    figure.legend(handles=handles, loc="outside lower center", ncols=2, title=title)
    style.save(figure, folder, "fooled")


def _laws(ax: Axes) -> None:
    x = np.linspace(-3.5, 4.5, 1601)
    for name, density in LAWS.items():
        colour, line = LINES[name]
        ax.plot(x, density(x), color=colour, ls=line, label=name)
    ax.legend(loc="upper right")
    ax.set(xlabel="x", ylabel="density", ylim=(0, None), title="two laws of mean 0 and variance 1")


def _seen(ax: Axes) -> None:
    """Exact values of the example on the line."""
    seen = {f"degree {degree}": fooled_example.degree_supremum(degree) for degree in DEGREES}
    seen |= {"one ReLU": fooled_example.neuron_supremum(), "W₁": fooled_example.distance()}
    places = range(len(seen))
    ax.barh(places, list(seen.values()), color=GREY, height=0.6)
    for place, value in zip(places, seen.values(), strict=True):
        ax.text(value, place, f" {value:.3g}", va="center")
    ax.set_yticks(places, list(seen))
    ax.set_ylim(len(seen) - 0.5, -0.5)
    ax.set_xlim(0, 1.2 * max(seen.values()))
    ax.set(xlabel=SUPREMUM, title="what critics see of them, exactly")


def _measured(ax: Axes, runs: pd.DataFrame) -> None:
    """Means over the seeds and n of one dataset, and their nulls."""
    looks = {NULL: ("x", GREY, -SHIFT), RECIPE: ("o", look(RECIPE).colour, SHIFT)}
    for place, metric in enumerate(MEASURED):
        rows = values(runs, metric)
        for recipe, (marker, colour, shift) in looks.items():
            own = rows[(rows["recipe"] == recipe) & rows["value"].notna()]
            if own.empty:
                continue
            by_seed = own.groupby("seed")["value"].mean()
            low, high = np.maximum(style.t_interval(by_seed), LEAST)
            ax.plot([low, high], [place + shift] * 2, color=colour, solid_capstyle="butt")
            ax.plot(max(by_seed.mean(), LEAST), place + shift, marker, color=colour)
    ax.set_xscale("log")
    ax.xaxis.set_major_locator(FixedLocator(TICKS))
    ax.xaxis.set_major_formatter(LogFormatterSciNotation())
    ax.xaxis.set_minor_locator(NullLocator())
    ax.set_xlim(LEAST / 3, 30)
    ax.set_yticks(range(len(MEASURED)), list(MEASURED.values()))
    ax.set_ylim(len(MEASURED) - 0.5, -0.5)
    ax.set(xlabel=SUPREMUM)

"""Figure of the shortest walks: the sum of squared steps against n, and its slopes over the dimension."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from wgpipe.config import Study as Settings
from wgpipe.studies import style
from wgpipe.studies.curve_runs import curve_runs
from wgpipe.studies.rate_figures import INTERVAL
from wgpipe.studies.style import GREY
from wgpipe.theory.curves import length_exponent

COLOURS = (style.BLUE, style.ORANGE, style.GREEN, style.RED, style.PURPLE, style.SKY, style.BROWN)
MARKERS = "osD^vPX"


def draw_lengths(config: Settings, runs: pd.DataFrame, lengths: pd.DataFrame, recipe: str, folder: Path) -> None:
    """`lengths`: S(n) = Σ d² of the shortest walk with slopes of theory, and the fitted slopes with the claim's band.

    `lengths` is the table of slopes, `recipe` the one whose walks are shown.
    """
    slopes = lengths[(lengths["quantity"] == "walk_squared") & (lengths["recipe"] == recipe)]
    table = curve_runs(runs[(runs["recipe"] == recipe) & runs["dataset"].isin(slopes["dataset"])])
    table = table[table["walk_squared"].gt(0)]
    figure, (left, right) = style.panels(2, 2, style.PAGE, 2.5, legend=0.6)
    if table.empty:
        for ax in (left, right):
            style.say(ax, "no finished walk through planted data")
        style.save(figure, folder, "lengths")
        return
    claim = next((one for name, one in config.claims.items() if name == "uni-length"), None)
    looks = {str(name): (COLOURS[i % 7], MARKERS[i % 7]) for i, name in enumerate(slopes["dataset"])}
    _sums(left, table, slopes, looks)
    _slopes(right, slopes, looks, claim.test.band if claim else np.nan)
    handles = [
        *(
            Line2D([], [], color=colour, marker=marker, ls="-", label=f"{name} ($d^*$ = {intrinsic:g})")
            for (name, (colour, marker)), intrinsic in zip(looks.items(), slopes["intrinsic"], strict=True)
        ),
        Line2D([], [], color=GREY, ls="--", lw=0.9, label=r"theory, $n^{1-2/d^*}$"),
        Patch(color=GREY, alpha=0.2, lw=0, label="band of the claim"),
    ]
    title = f"geometric mean and {INTERVAL} of {style.seeds_text(table['seed'].nunique())}"
    figure.legend(handles=handles, loc="outside lower center", ncols=3, title=title)
    style.save(figure, folder, "lengths")


def _sums(ax: Axes, table: pd.DataFrame, slopes: pd.DataFrame, looks: dict[str, tuple[str, str]]) -> None:
    style.log_n(ax, sorted({int(n) for n in table["n"]}))
    style.log_value(ax)
    for row in slopes.to_dict("records"):
        colour, marker = looks[row["dataset"]]
        own = table[table["dataset"] == row["dataset"]]
        means = own.groupby("n")["walk_squared"].agg(style.geometric_mean)
        ends = [np.exp(style.t_interval(np.log(rows))) for _, rows in own.groupby("n")["walk_squared"]]
        ax.plot(means.index, means, marker, ls="-", color=colour)
        ax.fill_between(means.index, *np.asarray(ends).T, color=colour, alpha=0.18, lw=0)
        ns = means.index.to_numpy(dtype=np.float64)
        guide = means.iloc[-1] * (ns / ns[-1]) ** length_exponent(row["intrinsic"])
        ax.plot(ns, guide, color=GREY, ls="--", lw=0.9, zorder=0)
    ax.set(xlabel="sample size n (points)", ylabel="S = Σ d² of the shortest walk\n(squared units of the data)")


def _slopes(ax: Axes, slopes: pd.DataFrame, looks: dict[str, tuple[str, str]], band: float) -> None:
    dimensions = sorted(set(slopes["intrinsic"]))
    fine = np.linspace(min(dimensions) - 0.3, max(dimensions) + 0.3, 200)
    theory = 1 - 2 / fine
    ax.plot(fine, theory, color=GREY, ls="--", lw=0.9, zorder=0)
    ax.fill_between(fine, theory - band, theory + band, color=GREY, alpha=0.2, lw=0, zorder=0)
    for row in slopes.to_dict("records"):
        colour, marker = looks[row["dataset"]]
        ax.vlines(row["intrinsic"], row["ci_low"], row["ci_high"], color=colour)
        face = colour if row["status"] == "ok" else "white"
        ax.plot(row["intrinsic"], row["slope"], marker, color=colour, mfc=face, ls="none")
    ax.xaxis.set_major_locator(FixedLocator(dimensions))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda d, _: f"{d:g}"))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.set(xlabel="intrinsic dimension d*", ylabel="slope of log S against log n")

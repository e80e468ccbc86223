"""Figures about critics and about failures: V against W1 between its bounds, and the spread of what was generated."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from wgpipe.config import Study as Settings
from wgpipe.stats.intervals import proportion
from wgpipe.studies import arrange, style
from wgpipe.studies.critics import critic_runs, separation_runs
from wgpipe.studies.style import GREY, look
from wgpipe.theory import vanilla


def draw_sandwich(config: Settings, runs: pd.DataFrame, folder: Path) -> None:
    """`sandwich`: V of the continued critic against W1 of the same two samples, run by run.

    Left in the units of the data, with the bounds at the median L and B of the runs of the first recipe; right divided
    by each run's own L and B, which makes the bounds the same for all.
    """
    table = critic_runs(runs)
    table = table[table["v"] > 0]
    recipes = [name for name in arrange.recipes(config, runs) if name in set(table["recipe"])]
    figure, (left, right) = style.panels(2, 2, style.PAGE, 2.6, legend=0.4)
    if not recipes:
        for ax in (left, right):
            style.say(ax, "no run with a value of V")
    else:
        typical = table[table["recipe"] == recipes[0]][["lipschitz", "half_diameter"]].median()
        _raw(left, table, recipes, float(typical["lipschitz"]), float(typical["half_diameter"]))
        _scaled(right, table, recipes)
        figure.legend(handles=_handles(recipes), loc="outside lower center", ncols=4)
    style.save(figure, folder, "sandwich")


def draw_saturation(config: Settings, runs: pd.DataFrame, folder: Path) -> None:
    """`saturation`: V / (2 log 2) of unbound critics, trained to their end, against n; one panel a dataset."""
    table = separation_runs(runs)
    table = table[table["v"].notna()]
    names = [name for name in arrange.datasets(runs) if name in set(table["dataset"])]
    columns = min(3, max(len(names), 1))
    figure, axes = style.panels(len(names), columns, style.COLUMN if columns == 1 else style.PAGE, 2.0, legend=0.5)
    if not names:
        style.say(axes[0], "no finished run with an unbound critic")
    handles: dict[str, Line2D] = {}
    for ax, dataset in zip(axes, names, strict=False):
        own = table[table["dataset"] == dataset]
        style.log_n(ax, sorted({int(n) for n in own["n"]}))
        for recipe in [name for name in config.recipes if name in set(own["recipe"])]:
            handles[recipe] = _separation(ax, own[own["recipe"] == recipe], recipe)
        ax.axhline(1, color=GREY, ls=":", lw=0.9)
        ax.set_ylim(min(0.0, 1.1 * float(own["v"].min())), 1.05)
        ax.set_title(dataset)
    if names:
        style.label_edges(axes, columns, "training sample size n (points)", "V / (2 log 2)")
        saturated = Line2D([], [], color=GREY, ls=":", lw=0.9, label="saturated")
        figure.legend(handles=[*handles.values(), saturated], loc="outside lower center", ncols=2)
    style.save(figure, folder, "saturation")


def _separation(ax: Axes, rows: pd.DataFrame, recipe: str) -> Line2D:
    """Runs as points; mean and interval of each n as a line with bars."""
    its = look(recipe)
    ax.plot(rows["n"], rows["v"], its.marker, color=its.colour, ls="none", ms=2, alpha=0.5)
    groups = rows.groupby("n")["v"]
    mean, ends = groups.mean(), groups.agg(style.t_interval)
    reach = [[mean[n] - ends[n][0], ends[n][1] - mean[n]] for n in mean.index]
    bars = np.nan_to_num(np.asarray(reach).T).clip(min=0)
    ax.errorbar(mean.index, mean, yerr=bars, color=its.colour, ls=its.line, marker=its.marker, capsize=2)
    return Line2D([], [], color=its.colour, ls=its.line, marker=its.marker, label=f"{recipe}: mean, 95% interval")


def draw_stability(config: Settings, runs: pd.DataFrame, collapse: float, folder: Path) -> None:
    """`stability`: the spread of every run, and the share of runs that diverged, timed out or collapsed, by recipe."""
    rows = runs[(runs["metric"] == "spread") & runs["recipe"].isin(config.recipes)]
    recipes = [name for name in arrange.recipes(config, runs) if name in set(rows["recipe"])]
    figure, (left, right) = style.panels(2, 2, style.PAGE, 0.8 + 0.2 * max(len(recipes), 4), sharey=True)
    if not recipes:
        for ax in (left, right):
            style.say(ax, "no trained run with a spread")
    else:
        _spreads(left, rows, recipes, collapse)
        _shares(right, rows, recipes, collapse)
    style.save(figure, folder, "stability")


def _raw(ax: Axes, table: pd.DataFrame, recipes: Sequence[str], lipschitz: float, half_diameter: float) -> None:
    _scatter(ax, table, "sample_w1", "v", recipes)
    w1 = np.geomspace(table["sample_w1"].min() * 0.8, table["sample_w1"].max() * 1.25, 200)
    lower = [vanilla.lower_bound(float(w), lipschitz, half_diameter) for w in w1]
    ax.plot(w1, lower, color=GREY, ls="--", lw=0.9)
    ax.plot(w1, lipschitz * w1 / 2, color=GREY, lw=0.9)
    ax.axhline(vanilla.SATURATION, color=GREY, ls=":", lw=0.9)
    ax.set(
        xlabel="W₁ between training and generated sample (units of the data)",
        ylabel="V of the continued critic (nats)",
        title=f"bounds at L = {lipschitz:.2g}, B = {half_diameter:.2g} (medians of {recipes[0]})",
    )


def _scaled(ax: Axes, table: pd.DataFrame, recipes: Sequence[str]) -> None:
    scale = table["lipschitz"] * table["half_diameter"] ** 2
    scaled = table.assign(u=table["sample_w1"] / scale, w=table["v"] / (scale * table["lipschitz"]))
    scaled = scaled[np.isfinite(scaled["w"]) & (scaled["u"] > 0)]
    if scaled.empty:
        style.say(ax, "no critic with a slope above 0")
        return
    _scatter(ax, scaled, "u", "w", recipes)
    u = np.geomspace(scaled["u"].min() * 0.8, scaled["u"].max() * 1.25, 200)
    ax.plot(u, [vanilla.lower_bound(float(x), 1.0, 1.0) for x in u], color=GREY, ls="--", lw=0.9)
    ax.plot(u, u / 2, color=GREY, lw=0.9)
    ax.set(xlabel="W₁ / (L B²)", ylabel="V / (L² B²)", title="each run at its own L and B")


def _scatter(ax: Axes, table: pd.DataFrame, x: str, y: str, recipes: Sequence[str]) -> None:
    style.log_value(ax)
    ax.set_xscale("log")
    style.log_ticks(ax.xaxis)
    sns.scatterplot(
        data=table,
        x=x,
        y=y,
        hue="recipe",
        hue_order=recipes,
        style="recipe",
        style_order=recipes,
        palette={name: look(name).colour for name in recipes},
        markers={name: look(name).marker for name in recipes},
        s=11,
        alpha=0.7,
        linewidth=0.2,
        legend=False,
        ax=ax,
    )


def _handles(recipes: Sequence[str]) -> list[Line2D]:
    return [
        *(Line2D([], [], color=look(name).colour, marker=look(name).marker, ls="none", label=name) for name in recipes),
        Line2D([], [], color=GREY, lw=0.9, label="upper bound (L/2) W₁"),
        Line2D([], [], color=GREY, ls="--", lw=0.9, label="lower bound"),
        Line2D([], [], color=GREY, ls=":", lw=0.9, label="saturation 2 log 2"),
    ]


def _spreads(ax: Axes, rows: pd.DataFrame, recipes: Sequence[str], collapse: float) -> None:
    ns = sorted(rows["n"].unique())
    for place, name in enumerate(recipes):
        own = rows[(rows["recipe"] == name) & (rows["status"] == "ok")]
        height = place + 0.5 * (own["n"].map(ns.index) + 0.5) / len(ns) - 0.25
        ax.plot(own["value"], height, look(name).marker, color=look(name).colour, ls="none", ms=2, alpha=0.6)
    ax.axvline(collapse, color=GREY, ls="--", lw=0.9)
    ax.text(collapse, 1.01, "collapse", transform=ax.get_xaxis_transform(), color=GREY, ha="center")
    ax.set_yticks(range(len(recipes)), recipes)
    ax.set_ylim(len(recipes) - 0.5, -0.5)
    ax.set_xlim(left=0)
    ax.set_xlabel("spread of finished runs\n(generated / real standard deviation)")


def _shares(ax: Axes, rows: pd.DataFrame, recipes: Sequence[str], collapse: float) -> None:
    right = 0.0
    for place, name in enumerate(recipes):
        own = rows[rows["recipe"] == name]
        failed = int(((own["status"] != "ok") | ~(own["value"] >= collapse)).sum())
        share, its = proportion(failed, len(own)), look(name)
        ax.plot([share.low, share.high], [place, place], color=its.colour, solid_capstyle="butt")
        ax.plot(share.value, place, its.marker, color=its.colour, ls="none")
        ax.text(1.02, place, f"{failed} of {len(own)}", transform=ax.get_yaxis_transform(), va="center")
        right = max(right, share.high)
    ax.set_xlim(-0.03 * right, 1.03 * right)
    ax.set_xlabel("share of failed runs, 95% interval\n(diverged, timed out or collapsed)")

"""Figures about charges: density along the flow, the kernel's sign, the critic's field, and tests with controls."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from wgpipe.config import Study as Settings
from wgpipe.metrics.flow_density import FlowDensity
from wgpipe.stats.intervals import Interval
from wgpipe.studies import style
from wgpipe.studies.coulomb_runs import indexed, means
from wgpipe.studies.dots import Quantity, draw_dots
from wgpipe.studies.style import GREY, look
from wgpipe.studies.truth_scores import largest_n
from wgpipe.theory.coulomb import decayed, first_rate, logistic

OF_DIMENSION = {2: style.SKY, 3: style.BLUE, 4: style.INDIGO, 5: style.PURPLE}


def draw_decay(config: Settings, runs: pd.DataFrame, folder: Path) -> None:
    """`decay`: density along the exact flow on and off the data's support against theory, and the smoothed kernel."""
    times, densities = indexed(runs, "flow_time"), indexed(runs, "flow_density")
    families = densities["dataset"].str.split("-").str[0]
    figure, axes = style.panels(3, 3, style.PAGE, 2.2, legend=0.25)
    for ax, family, unit in ((axes[0], "ball", "q"), (axes[1], "sphere", "p(0)")):
        on, at = densities[families == family], times[times["dataset"].str.startswith(f"{family}-")]
        if on.empty:
            style.say(ax, f"no flow on a {family}")
            continue
        found = means(on, "at")[1]
        t = [one.value for one in means(at, "at")[1]]
        _points(ax, t, found)
        fine = np.linspace(0, 1.05 * t[-1], 200)
        first = found[0].value
        theory = logistic(first, 1.0, fine) if family == "ball" else decayed(first, fine)
        ax.plot(fine, theory, color=GREY, lw=0.9)
        style.log_value(ax)
        ax.set(xlabel=f"time, in units of 1/{unit}", ylabel=f"density, in units of {unit}")
        ax.set_title("on the support: logistic" if family == "ball" else "off the support: 1/t")
    rates, start = indexed(runs, "first_rate"), FlowDensity(**config.metrics.get("flow_density", {})).start
    if rates.empty:
        style.say(axes[2], "no flow inside a sphere")
    else:
        epsilons, found = means(rates, "at")
        _points(axes[2], epsilons, found)
        fine = np.linspace(0.01, 1.05 * epsilons[-1], 200)
        axes[2].plot(fine, [first_rate(float(epsilon), start) for epsilon in fine], color=GREY, lw=0.9)
        axes[2].set(xlabel="ε / radius of the cloud", ylabel="rate of the first step / p(0)", title="smoothed kernel")
    handles = [
        Line2D([], [], color=style.BROWN, marker="o", label="particles, mean and 95% interval over seeds"),
        Line2D([], [], color=GREY, lw=0.9, label="theory; right: at the cloud's centre"),
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=2)
    style.save(figure, folder, "decay")


def draw_harmonic(table: pd.DataFrame, folder: Path) -> None:
    """`harmonic`: largest Laplacian of the kernel, and points that its flow leaves without a particle, over D - m."""
    figure, (left, right) = style.panels(2, 2, style.PAGE, 2.3, legend=0.25)
    if table.empty:
        for ax in (left, right):
            style.say(ax, "no run with a Laplacian")
        style.save(figure, folder, "harmonic")
        return
    for m in sorted(int(one) for one in set(table["m"])):
        rows, colour = table[table["m"] == m], OF_DIMENSION.get(m, GREY)
        excess, shift = rows["D"] - m, 0.04 * (m - 3)
        left.plot(excess, rows["largest_laplacian"], "o-", color=colour, label=f"data in R^{m}")
        right.plot(excess + shift, 100 * rows["stuck"], "o-", color=colour)
        right.vlines(excess + shift, 100 * rows["stuck_low"], 100 * rows["stuck_high"], color=colour)
    for ax in (left, right):
        ax.axvline(0, color=GREY, ls="--", lw=0.9, zorder=0)
        ax.set_xlabel("D - m; superharmonic up to 0")
    left.axhline(0, color=GREY, lw=0.6, zorder=0)
    left.set_ylabel("largest Δk(r) / |Δk(0)|")
    right.set_ylabel("sample points without a particle\nwhere the flow rests (%)")
    figure.legend(loc="outside lower center", ncols=table["m"].nunique())
    style.save(figure, folder, "harmonic")


def draw_controls(config: Settings, runs: pd.DataFrame, folder: Path) -> None:
    """`controls`: birthday test and nearest-neighbour ratio of each method, beside those of real data."""
    panels = (
        Quantity("birthday_support", "support by the birthday test", log=True),
        Quantity("neighbour_ratio", "distance to the nearest training point\nover that to the nearest held-out point"),
    )
    draw_dots(config, runs, panels, folder, "controls", "no finished run on a mixture")


def draw_critic(config: Settings, runs: pd.DataFrame, folder: Path) -> None:
    """`critic`: the critic's values against the exact potential, and mean (D - pot)² over training."""
    critic, exact = indexed(runs, "charge_critic"), indexed(runs, "charge_potential")
    curves = indexed(runs, "regression")
    cells = [tuple(key) for key, _ in critic.groupby(["dataset", "recipe"])]
    figure, axes = style.panels(len(cells) + 1, 4, style.PAGE, 2.1)
    for ax, (dataset, recipe) in zip(axes, cells, strict=False):
        pair = [each[(each["dataset"] == dataset) & (each["recipe"] == recipe)] for each in (critic, exact)]
        learned, potential = (largest_n(each[each["seed"] == each["seed"].min()]).sort_values("at") for each in pair)
        own = look(str(recipe))
        real = learned["at"].to_numpy() % 2 == 0
        x, y = potential["value"].to_numpy(), learned["value"].to_numpy()
        ax.plot(x[real], y[real], "o", color=GREY, ms=2.5, mew=0, label="real")
        ax.plot(x[~real], y[~real], own.marker, color=own.colour, ms=2.5, mew=0, label="generated")
        ends = np.array([min(x.min(), y.min()), max(x.max(), y.max())])
        ax.plot(ends, ends, color=GREY, ls="--", lw=0.9)
        ax.set(title=f"{recipe}\non {dataset}", xlabel="exact potential", ylabel="critic D")
        ax.legend(loc="upper left", handletextpad=0.1, borderpad=0)
    _training(axes[-1], curves)
    style.save(figure, folder, "critic")


def _points(ax: Axes, x: Sequence[float] | np.ndarray, found: Sequence[Interval]) -> None:
    ax.plot(x, [one.value for one in found], "o", color=style.BROWN)
    ax.vlines(x, [one.low for one in found], [one.high for one in found], color=style.BROWN)


def _training(ax: Axes, curves: pd.DataFrame) -> None:
    if curves.empty:
        style.say(ax, "no history of a critic")
        return
    style.log_value(ax)
    for (dataset, recipe), rows in curves.groupby(["dataset", "recipe"]):
        rows = largest_n(rows)
        steps = np.sort(rows["at"].unique())
        values = [style.geometric_mean(rows[rows["at"] == step]["value"]) for step in steps]
        line = {"ring-8": ":", "grid-25": "-"}.get(str(dataset), "--")
        ax.plot(steps, values, ls=line, color=look(str(recipe)).colour, label=str(dataset))
    ax.set(xlabel="training step", ylabel="mean (D - pot)², both kinds")
    ax.set_title("over training")
    ax.legend(loc="upper right", handlelength=1.5, borderpad=0)

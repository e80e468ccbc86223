"""The figure of `capacity` about the course of training: the order in which moments are learned."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from wgpipe.config import Study as Settings
from wgpipe.studies import style
from wgpipe.studies.capacity_runs import DEGREES, course, crossings, steps, values
from wgpipe.studies.rate_figures import INTERVAL, seeds_of
from wgpipe.studies.style import BLUE, GREEN, GREY, ORANGE, RED

COLOURS = dict(zip(DEGREES, (BLUE, GREEN, ORANGE, RED), strict=True))
MARKERS = dict(zip(DEGREES, "osv^", strict=True))
SPREAD = 0.25  # of the seeds of one degree, across


def draw_order(config: Settings, runs: pd.DataFrame, threshold: float, folder: Path) -> None:
    """`order`: error of the moments of each degree against the step at which training stopped, and when it is learned.

    Of the first dataset and the largest n that have it. The step of a seed that never falls below the threshold is at
    the upper edge.
    """
    lengths = {name: steps(config, name) for name in course(config)}
    own = runs[runs["recipe"].isin(lengths)]
    own = own[own["dataset"] == own["dataset"].min()]
    own = own[own["n"] == own["n"].max()]
    figure, (left, right) = style.panels(2, 2, style.PAGE, 2.5, legend=0.45)
    drawn = values(own, "moment1")["value"].notna().any()
    if not drawn:
        for ax in (left, right):
            style.say(ax, "no finished run that was stopped early")
    else:
        for degree in DEGREES:
            rows = values(own, f"moment{degree}")
            _course(left, rows.assign(step=rows["recipe"].map(lengths)).dropna(subset=["value"]), degree)
        left.axhline(threshold, color=GREY, ls="--", lw=0.9)
        left.set(xlabel="step of training (generator updates)", ylabel="relative error of the moments")
        left.set_xscale("log")
        style.log_ticks(left.xaxis)
        style.log_value(left)
        _learned(right, crossings(own, {name: lengths[name] for name in set(own["recipe"])}, threshold), own, lengths)
    handles = [
        Line2D([], [], color=COLOURS[degree], marker=MARKERS[degree], label=f"degree {degree}") for degree in DEGREES
    ]
    handles.append(Line2D([], [], color=GREY, ls=":", label="null: two real samples"))
    handles.append(Line2D([], [], color=GREY, ls="--", lw=0.9, label=f"threshold {threshold:g}"))
    what = f"{own['dataset'].iloc[0]}, n = {own['n'].iloc[0]}: " if drawn else ""
    title = f"{what}geometric mean and {INTERVAL} of {seeds_of(own)}"
    figure.legend(handles=handles, loc="outside lower center", ncols=6, title=title)
    style.save(figure, folder, "order")


def _course(ax: Axes, rows: pd.DataFrame, degree: int) -> None:
    logs = rows.assign(value=np.log(rows["value"])).groupby("step")["value"]
    mean = np.exp(logs.mean())
    bands = np.exp(np.array([style.t_interval(one) for _, one in logs]).reshape(-1, 2))
    ax.plot(mean.index, mean, color=COLOURS[degree], marker=MARKERS[degree])
    ax.fill_between(mean.index, bands[:, 0], bands[:, 1], color=COLOURS[degree], alpha=0.18, lw=0)
    null = rows.groupby("step")["null"].mean().dropna()
    ax.plot(null.index, null, color=COLOURS[degree], ls=":", lw=0.8)


def _learned(ax: Axes, learned: pd.DataFrame, own: pd.DataFrame, lengths: dict[str, int]) -> None:
    if learned.empty:
        style.say(ax, "no seed finished at every length")
        return
    ran = sorted(lengths[name] for name in set(own["recipe"]))
    never = 2.0 * ran[-1]
    for degree in DEGREES:
        rows = learned[learned["degree"] == degree]
        places = degree + SPREAD * np.linspace(-1, 1, len(rows))
        found = rows["step"].clip(upper=never)
        colour, marker = COLOURS[degree], MARKERS[degree]
        there = (rows["step"] < np.inf).to_numpy()
        ax.plot(places[there], found[there], marker, color=colour, ls="none")
        ax.plot(places[~there], found[~there], marker, color=colour, mfc="white", ls="none")
        ax.plot([degree - SPREAD, degree + SPREAD], [found.median()] * 2, color=colour, lw=1.4)
    ax.axhline(ran[-1], color=GREY, lw=0.7)
    ax.set_xticks(DEGREES)
    ax.set(xlabel="degree of the moments", ylabel="step at which the error\nfalls below the threshold")
    style.log_value(ax)
    ax.set_ylim(0.8 * ran[0], 1.2 * never)
    ax.text(1.01, never, "never", transform=ax.get_yaxis_transform(), va="center", color=GREY)

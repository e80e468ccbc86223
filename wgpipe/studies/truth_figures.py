"""Scores against the truth as figures: over the dimension, with what is published beside."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from wgpipe.config import Study as Settings
from wgpipe.studies import arrange, style
from wgpipe.studies.published_scores import FUNNELS, MIXTURES, published_cos, published_uvp, published_w1_error
from wgpipe.studies.style import GREY, look
from wgpipe.studies.truth_scores import GAUSSIAN, largest_n

DODGE = 1.02  # between the places of neighbouring recipes at one dimension, as a factor
CEILING = "gradient_cos_ceiling"
PERCENT = "L2-UVP (%)"


@dataclass(frozen=True)
class Panel:
    """One score over the dimension, on pairs whose names match `pairs`."""

    title: str
    axis: str
    metric: str
    pairs: str
    log: bool = False
    published: Callable[[str, str], float] | None = None
    guide: float | None = None  # where the truth lies, if that is one number


def draw_dimension(config: Settings, runs: pd.DataFrame, folder: Path) -> None:
    """`dimension`: each score against d, a line a recipe, published values hollow."""
    runs = largest_n(runs[(runs["status"] == "ok") & np.isfinite(runs["value"])])
    chosen = {panel: _of(runs, panel, panel.metric) for panel in _panels(runs)}
    chosen = {panel: rows for panel, rows in chosen.items() if len(rows)}
    figure, axes = style.panels(len(chosen), 3, style.PAGE, 1.8, legend=0.95)
    for ax, (panel, rows) in zip(axes, chosen.items(), strict=False):
        _draw(ax, arrange.recipes(config, rows), rows, panel)
        ceilings = _of(runs, panel, CEILING) if panel.metric == "gradient_cos_published" else rows.iloc[:0]
        if len(ceilings):
            by_dimension = ceilings.groupby("dimension")["value"].mean()
            ax.plot(by_dimension.index, by_dimension, color=GREY, ls="--", lw=0.9, zorder=0)
    if not chosen:
        style.say(axes[0], "no finished run with a score")
    shown = pd.concat(chosen.values()) if chosen else runs.iloc[:0]
    handles = [
        Line2D([], [], color=look(name).colour, marker=look(name).marker, ls=look(name).line, label=name)
        for name in arrange.recipes(config, shown)
    ]
    handles += [
        Line2D([], [], color=GREY, marker="o", mfc="white", ls="none", label="published, one seed"),
        Line2D([], [], color=GREY, ls="--", lw=0.9, label="the truth"),
    ]
    title = f"mean, geometric on logarithmic axes, and 95% interval of {style.seeds_text(shown['seed'].nunique())}"
    figure.legend(handles=handles, loc="outside lower center", ncols=5, title=title)
    style.save(figure, folder, "dimension")


def _panels(runs: pd.DataFrame) -> list[Panel]:
    matches = [FUNNELS.fullmatch(name) for name in sorted(set(runs["dataset"]))]
    panels = []
    for count in sorted({int(match["funnels"]) for match in matches if match}):
        pairs = rf"published_funnels-{count}in\d+"
        cosine = "cos of gradients,\npublished formula"
        error = "relative error of\nthe W₁ estimate"
        panels += [
            Panel(f"{count} funnels", cosine, "gradient_cos_published", pairs, published=published_cos),
            Panel(f"{count} funnels", error, "w1_error", pairs, published=published_w1_error, guide=0.0),
        ]
    mixtures, gaussians = MIXTURES.pattern, rf"{GAUSSIAN}-.*"
    panels += [
        Panel("Mix3toMix10, map", PERCENT, "uvp", mixtures, log=True, published=published_uvp),
        Panel("Mix3toMix10, inverse map", PERCENT, "uvp_inverse", mixtures, log=True),
        Panel("Gaussian pairs, map", PERCENT, "uvp", gaussians, log=True),
        Panel("Gaussian pairs, inverse map", PERCENT, "uvp_inverse", gaussians, log=True),
    ]
    return panels


def _of(runs: pd.DataFrame, panel: Panel, metric: str) -> pd.DataFrame:
    """Values of a metric on the pairs of a panel, those that its axis can show."""
    rows = runs[(runs["metric"] == metric) & runs["dataset"].str.fullmatch(panel.pairs)]
    return rows[rows["value"] > 0] if panel.log else rows


def _draw(ax: Axes, recipes: Sequence[str], rows: pd.DataFrame, panel: Panel) -> None:
    if panel.log:
        style.log_value(ax)
    for place, name in enumerate(recipes):
        own, its = rows[rows["recipe"] == name], look(name)
        dodge = DODGE ** (place - (len(recipes) - 1) / 2)
        centres, ends, hollow = [], [], []
        for (dimension, dataset), group in own.groupby(["dimension", "dataset"]):
            values = group["value"].to_numpy(dtype=np.float64)
            shown = np.log(values) if panel.log else values
            back = np.exp if panel.log else np.asarray
            centres.append((dimension * dodge, float(back(shown.mean()))))
            ends.append(back(np.asarray(style.t_interval(shown))))
            if panel.published is not None:
                hollow.append((dimension * dodge, panel.published(str(dataset), name)))
        x, y = np.asarray(centres).T
        ax.plot(x, y, its.marker, ls=its.line, color=its.colour)
        ax.vlines(x, *np.asarray(ends).T, color=its.colour, lw=0.9)
        if hollow:
            ax.plot(
                *np.asarray(hollow).T, its.marker, color=its.colour, mfc="white", mew=0.7, ls="none", ms=4.5, zorder=1
            )
    if panel.guide is not None:
        ax.axhline(panel.guide, color=GREY, ls="--", lw=0.9, zorder=0)
    _dimensions(ax, sorted(set(rows["dimension"])))
    ax.set(title=panel.title, xlabel="dimension d", ylabel=panel.axis)


def _dimensions(ax: Axes, dimensions: Sequence[int]) -> None:
    """A logarithmic axis with a tick at each dimension."""
    ax.set_xscale("log")
    ax.xaxis.set_major_locator(FixedLocator(dimensions))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda d, _: f"{d:g}"))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.set_xlim(dimensions[0] / 1.3, dimensions[-1] * 1.3)

"""Figures of `convex_potentials` against the sample size: map errors, values, moments."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from wgpipe.config import Study as Settings
from wgpipe.studies import arrange, style
from wgpipe.studies.convex_runs import MAP_ERROR, VALUE_ERROR, dual_runs, errors
from wgpipe.studies.rate_figures import recipe_handles
from wgpipe.studies.style import GREY, look
from wgpipe.studies.truth_scores import finished

COLUMNS = 3
N_AXIS = "points of each law in\nthe training sample, n"
GUIDES = {-0.5: (0, (4, 2)), -1.0: (0, (1, 1))}
Dashes = str | tuple[int, tuple[int, ...]]
DASHES: tuple[Dashes, ...] = ("-", "-.", ":", (0, (6, 1)))  # of pairs in one panel
MIN_NS = 3  # of a curve that is drawn
MAX_PANELS = 9
JITTER = 0.12  # of single runs about their place


def draw_rates(config: Settings, runs: pd.DataFrame, folder: Path) -> None:
    """`rates`: the L2 error of maps against n, a panel a pair, with the two powers that are claimed for it."""
    rows = finished(errors(runs), MAP_ERROR)
    names = _with_curves(rows)
    figure, axes = style.panels(len(names), COLUMNS, style.PAGE if len(names) > 1 else 4.6, 2.1, legend=0.75)
    for ax, name in zip(axes, names, strict=False):
        _curves(ax, config, rows[rows["dataset"] == name])
        _guides(ax, rows[rows["dataset"] == name], tuple(GUIDES))
        ax.set_title(name)
    if not names:
        style.say(axes[0], "no map has finished runs at three n")
    style.label_edges(axes, COLUMNS, N_AXIS, "L2 error of the map\n(share of the target's deviation)")
    shown = rows[rows["dataset"].isin(names)]
    handles = [*recipe_handles(arrange.recipes(config, shown) if len(shown) else []), *_guide_handles(tuple(GUIDES))]
    _legend(figure, handles, shown)
    style.save(figure, folder, "rates")


def draw_values(config: Settings, runs: pd.DataFrame, folder: Path) -> None:
    """`values`: how far the value at a sample is from the true distance, and the values at held-out points."""
    figure, axes = style.panels(2, 2, style.PAGE, 2.3, legend=0.75)
    rows = finished(errors(runs), VALUE_ERROR)
    rows = rows[rows["dataset"].str.startswith("gaussian_pair")]
    names = _with_curves(rows)
    if names:
        for name, dashes in zip(names, DASHES, strict=False):
            _curves(axes[0], config, rows[rows["dataset"] == name], dashes)
        _guides(axes[0], rows[rows["dataset"].isin(names)], (-0.5,))
        _n_axis(axes[0], rows[rows["dataset"].isin(names)])
        axes[0].set(xlabel=N_AXIS, ylabel="|value / (½W₂²) − 1|")
        axes[0].set_title("at the training sample")
    else:
        style.say(axes[0], "no value of a pair of Gaussians at three n")
    _excesses(axes[1], config, dual_runs(runs))
    recipes = arrange.recipes(config, rows[rows["dataset"].isin(names)]) if names else []
    handles = [
        *(Line2D([], [], color=look(name).colour, marker=look(name).marker, ls="none", label=name) for name in recipes),
        *(Line2D([], [], color=GREY, ls=dashes, label=name) for name, dashes in zip(names, DASHES, strict=False)),
        *_guide_handles((-0.5,)),
    ]
    _legend(figure, handles, rows)
    style.save(figure, folder, "values")


def draw_moments(config: Settings, runs: pd.DataFrame, folder: Path) -> None:
    """`moments`: residuals of the tangent moments, and of means and second moments, against n."""
    kinds = {
        "tangent_residual": "moments of the tangent space, ∂f/∂θ",
        "moment_residual": "means and second moments",
    }
    figure, axes = style.panels(len(kinds), 2, style.PAGE, 2.2, legend=0.75, sharey=True)
    shown = []
    for ax, (metric, title) in zip(axes, kinds.items(), strict=True):
        rows = finished(runs, metric)
        rows = rows[rows["dataset"].str.startswith("gaussian_pair") & (rows["value"] > 1e-9)]
        names = [name for name in (arrange.datasets(rows) if len(rows) else []) if name == _first(rows)]
        own = rows[rows["dataset"].isin(names)]
        if own.empty:
            style.say(ax, "no finished run")
            continue
        _curves(ax, config, own)
        ns = np.asarray(sorted(own["n"].unique()), dtype=np.float64)
        ax.plot(ns, ns**-0.5, color=GREY, lw=0.9, ls=(0, (4, 2)), zorder=0)
        ax.set_title(f"{title}\n{names[0]}")
        shown.append(own)
    style.label_edges(axes, 2, N_AXIS, "relative residual |r| / |s|\nat the training sample")
    rows = pd.concat(shown) if shown else runs.iloc[:0]
    handles = recipe_handles(arrange.recipes(config, rows) if len(rows) else [])
    handles.append(Line2D([], [], color=GREY, lw=0.9, ls=(0, (4, 2)), label="two samples of one law, $n^{-1/2}$"))
    _legend(figure, handles, rows)
    style.save(figure, folder, "moments")


def _excesses(ax: Axes, config: Settings, table: pd.DataFrame) -> None:
    """(V - gap) / cost - 1 of every run, a row a recipe."""
    known = table[table["excess"].notna()]
    recipes = arrange.recipes(config, known) if len(known) else []
    if not recipes:
        style.say(ax, "no value at held-out points")
        return
    for place, name in enumerate(recipes):
        own, its = known[known["recipe"] == name], look(name)
        heights = place + np.linspace(-JITTER, JITTER, len(own))
        ax.plot(100 * own["excess"], heights, its.marker, color=its.colour, ls="none", ms=2.5, alpha=0.6)
    ax.axvline(0, color=GREY, lw=0.9)
    ax.set_xscale("symlog", linthresh=0.1, linscale=0.5)
    ax.set_xlim(min(-1.0, 150 * float(known["excess"].min())), max(0.1, 150 * float(known["excess"].max())))
    ax.set_yticks(range(len(recipes)), recipes)
    ax.set_ylim(len(recipes) - 0.5, -0.5)
    ax.set(xlabel="(value − gap) / cost − 1, in %, each run", title="at held-out, optimally coupled points")


def _curves(ax: Axes, config: Settings, rows: pd.DataFrame, dashes: Dashes = "") -> None:
    """Geometric mean and interval over seeds of each recipe against n."""
    _n_axis(ax, rows)
    style.log_value(ax)
    for name in arrange.recipes(config, rows):
        its = look(name)
        sns.lineplot(
            data=rows[rows["recipe"] == name],
            x="n",
            y="value",
            errorbar=style.t_interval,
            color=its.colour,
            linestyle=dashes or its.line,
            marker=its.marker,
            markeredgewidth=0,
            err_kws={"alpha": 0.18, "lw": 0},
            legend=False,
            ax=ax,
        )


def _n_axis(ax: Axes, rows: pd.DataFrame) -> None:
    style.log_n(ax, sorted({int(n) for n in rows["n"]}), labels=6)


def _guides(ax: Axes, rows: pd.DataFrame, powers: Sequence[float]) -> None:
    """Lines of these slopes from below the least error at the smallest n."""
    ns = np.asarray(sorted(rows["n"].unique()), dtype=np.float64)
    starts = rows[rows["n"] == ns[0]].groupby(["dataset", "recipe"])["value"].agg(style.geometric_mean)
    for power in powers:
        ax.plot(ns, 0.8 * starts.min() * (ns / ns[0]) ** power, color=GREY, ls=GUIDES[power], lw=0.9, zorder=0)


def _guide_handles(powers: Sequence[float]) -> list[Line2D]:
    labels = {-0.5: r"$n^{-1/2}$: estimation", -1.0: r"$n^{-1}$: the paper"}
    return [Line2D([], [], color=GREY, ls=GUIDES[power], lw=0.9, label=labels[power]) for power in powers]


def _legend(figure: Figure, handles: list[Line2D], rows: pd.DataFrame) -> None:
    title = f"geometric mean and 95% interval of {style.seeds_text(rows['seed'].nunique())}"
    figure.legend(handles=handles, loc="outside lower center", ncols=4, title=title)


def _with_curves(rows: pd.DataFrame) -> list[str]:
    """Datasets on which some recipe has enough n for a curve."""
    counts = rows.groupby(["dataset", "recipe"])["n"].nunique()
    enough = {name for name, _ in counts.index[counts >= MIN_NS]}
    return [name for name in (arrange.datasets(rows) if len(rows) else []) if name in enough][:MAX_PANELS]


def _first(rows: pd.DataFrame) -> str:
    """The dataset that most recipes ran on; of several, the first."""
    counts = rows.groupby("dataset")["recipe"].nunique()
    return next(name for name in arrange.datasets(rows) if counts[name] == counts.max())

"""Figures about curves through samples: what they look like, W1 against their speed, and how trained ones compare."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from wgpipe.config import Study as Settings
from wgpipe.metrics.field import SEPARATOR
from wgpipe.studies import arrange, style
from wgpipe.studies.curve_runs import constructed, curve_runs, trained
from wgpipe.studies.rate_figures import AXES, INTERVAL, curves, finished_w1, reading_handles, recipe_handles
from wgpipe.studies.style import GREY, look
from wgpipe.theory.curves import error_exponent

MAX_PANELS = 6
LEAST_DIMENSION = 3  # from which on the empirical measure has the rate n^(-1/d)
TRACE = ("trace", "trace_sample")


def draw_curves(config: Settings, runs: pd.DataFrame, folder: Path) -> None:
    """`curves`: the optimal curve through a sample in the plane beside trained ones, at the first seed."""
    rows = runs[runs["metric"].str.startswith("trace") & (runs["status"] == "ok") & np.isfinite(runs["value"])]
    recipes = [*constructed(config)[:1], *trained(config)]
    rows = rows[rows["recipe"].isin(recipes)]
    dataset = max(arrange.datasets(rows), key=rows.groupby("dataset")["recipe"].nunique().get, default="")
    rows = rows[rows["dataset"] == dataset]
    rows = rows[(rows["n"] == rows["n"].max()) & (rows["seed"] == rows["seed"].min())]
    drawn = [name for name in recipes if name in set(rows["recipe"])][:MAX_PANELS]
    figure, axes = style.panels(len(drawn), 3, style.PAGE, 2.55, legend=0.45, subplot_kw={"aspect": "equal"})
    low, high = _square(rows)
    facts = curve_runs(runs)
    facts = facts.merge(rows[["dataset", "recipe", "n", "seed"]].drop_duplicates()).set_index("recipe")
    for ax, name in zip(axes, drawn, strict=False):
        own = rows[rows["recipe"] == name]
        path, sample = (_points(own, what) for what in TRACE)
        ax.plot(*path.T, color=look(name).colour, lw=0.9, zorder=1)
        ax.plot(*sample.T, "o", color=style.BLACK, ms=2.6, zorder=2)
        fact = facts.loc[name] if name in facts.index else {"times_k0": np.nan, "curve_w1": np.nan}
        ax.set(xticks=[], yticks=[], xlim=(low[0], high[0]), ylim=(low[1], high[1]))
        ax.spines[:].set_visible(True)
        ax.set_title(f"{name}: $K$ = {fact['times_k0']:.2g} $K_0$, $W_1$ = {fact['curve_w1']:.2g}")
    if not drawn:
        style.say(axes[0], "no finished curve in the plane")
    handles = [
        Line2D([], [], color=style.BLACK, marker="o", ms=2.6, ls="none", label="sample point"),
        *(Line2D([], [], color=look(name).colour, lw=0.9, label=name) for name in drawn),
    ]
    title = f"{dataset}, n = {rows['n'].max()}, seed {rows['seed'].min()}" if drawn else ""
    figure.legend(handles=handles, loc="outside lower center", ncols=4, title=title)
    style.save(figure, folder, "curves")


def draw_speed(config: Settings, runs: pd.DataFrame, folder: Path) -> None:
    """`speed`: W1 to the sample against K; left of one sample size, right of all, in units of K0 and of S/(4 K0)."""
    table = curve_runs(runs)
    table = table[table["curve_w1"].gt(0)]
    built, learned = (table[table["recipe"].isin(names)] for names in (constructed(config), trained(config)))
    figure, (left, right) = style.panels(2, 2, style.PAGE, 2.5, legend=0.6)
    if built.empty:
        for ax in (left, right):
            style.say(ax, "no finished curve of known speed")
        style.save(figure, folder, "speed")
        return
    dataset, n = _most_compared(built, learned)
    _raw_speed(left, built, learned, dataset, n)
    scaled = [
        rows[rows["dataset"] == dataset].assign(
            y=lambda one: one["curve_w1"] * 4 * one["walk_speed"] / one["walk_squared"]
        )
        for rows in (built, learned)
    ]
    _scaled_speed(right, *scaled)
    names = [name for name in trained(config) if name in set(scaled[1]["recipe"])]
    handles = [
        Line2D([], [], color=GREY, ls="--", lw=0.9, label="best of this speed, $S/4K$"),
        Line2D([], [], color=GREY, ls=":", lw=0.9, label="$K_0$"),
        Line2D([], [], color=style.INDIGO, marker="o", ls="none", label="constructed, $K$ = 1, 2, 4, … $K_0$"),
        *(
            Line2D([], [], color=look(name).colour, marker=look(name).marker, ls="none", label=f"{name}, trained")
            for name in names
        ),
    ]
    title = f"{dataset}; every run of {style.seeds_text(built['seed'].nunique())}"
    figure.legend(handles=handles, loc="outside lower center", ncols=3, title=title)
    style.save(figure, folder, "speed")


def draw_trained(config: Settings, runs: pd.DataFrame, folder: Path) -> None:
    """`trained`: ratio of trained curves to the best of their speed, K/K0, and W1 with its certificate, against n."""
    table = curve_runs(runs[runs["recipe"].isin(trained(config))])
    table = table[table["curve_w1"].gt(0)]
    names = [name for name in trained(config) if name in set(table["recipe"])]
    figure, axes = style.panels(3, 3, style.PAGE, 2.2, legend=0.6)
    if not names:
        for ax in axes:
            style.say(ax, "no finished trained curve")
        style.save(figure, folder, "trained")
        return
    ns = sorted({int(n) for n in table["n"]})
    for ax, column, label in zip(
        axes,
        ("ratio", "times_k0", "curve_w1"),
        ("W₁ / (S/4K), runs with K ≥ K₀", "K / K₀", "W₁ to the sample (units of the data)"),
        strict=True,
    ):
        style.log_n(ax, ns)
        style.log_value(ax)
        for place, name in enumerate(names):
            dodge = 1.06 ** (place - (len(names) - 1) / 2)
            own = table[table["recipe"] == name]
            _means(ax, own.dropna(subset=column), column, name, dodge)
            if column == "curve_w1":
                certificates = own.groupby("n")["curve_certificate"].agg(style.geometric_mean)
                ax.plot(
                    certificates.index * dodge,
                    certificates,
                    look(name).marker,
                    color=look(name).colour,
                    mfc="white",
                    mew=0.6,
                    ls=":",
                    lw=0.8,
                )
        ax.set(xlabel="sample size n (points)", ylabel=label)
    if table["ratio"].isna().all():
        axes[0].clear()
        style.say(axes[0], "no run has K ≥ K₀")
    for ax in axes[:2]:
        ax.axhline(1, color=GREY, ls="--", lw=0.9, zorder=0)
    handles = [
        *recipe_handles(names),
        Line2D([], [], color=GREY, ls="--", lw=0.9, label="1: the best of its speed; $K = K_0$"),
        Line2D([], [], color=GREY, marker="o", mfc="white", mew=0.6, ls=":", label="certificate, at most $W_1$"),
    ]
    seeds = style.seeds_text(table["seed"].nunique())
    title = f"geometric mean and {INTERVAL} over finished runs of {seeds}; small: each run"
    figure.legend(handles=handles, loc="outside lower center", ncols=4, title=title)
    style.save(figure, folder, "trained")


def draw_total(config: Settings, runs: pd.DataFrame, control: str, folder: Path) -> None:
    """`total`: W1 to held-out data against n, on the data on which the control and a curve ran.

    Of several constructed curves the first is drawn.
    """
    finished, facts = finished_w1(runs), arrange.facts(runs)
    drawn = {}
    for dataset in facts.index:
        ran = set(finished.loc[finished["dataset"] == dataset, "recipe"])
        first = [name for name in constructed(config) if name in ran][:1]
        names = [name for name in arrange.recipes(config, runs) if name in ran & {*first, *trained(config), control}]
        if control in names and len(names) > 1:
            drawn[str(dataset)] = names
    figure, axes = style.panels(len(drawn), 3, style.PAGE if len(drawn) != 1 else style.COLUMN, 2.2, legend=0.9)
    for ax, (dataset, names) in zip(axes, drawn.items(), strict=False):
        own = finished[finished["dataset"] == dataset]
        curves(ax, runs, own, dataset, names)
        intrinsic = facts["intrinsic"][dataset]
        if intrinsic >= LEAST_DIMENSION:
            _guide(ax, own[own["recipe"] == control], error_exponent(intrinsic))
        ax.set_title(f"{dataset} ($d^*$ = {intrinsic:g})")
    if not drawn:
        style.say(axes[0], f"no data on which both {control} and a curve ran")
    style.label_edges(axes, 3, *AXES)
    recipes = [name for name in arrange.recipes(config, runs) if any(name in names for names in drawn.values())]
    guide = Line2D([], [], color=GREY, ls="--", lw=0.9, label=r"$n^{-1/d^*}$, for $d^* \geq 3$")
    title = f"geometric mean and {INTERVAL} of {style.seeds_text(finished['seed'].nunique())}"
    figure.legend(
        handles=[*recipe_handles(recipes), guide, *reading_handles()], loc="outside lower center", ncols=4, title=title
    )
    style.save(figure, folder, "total")


def _square(rows: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Lower and upper corner (2,) of a square around all points of these rows, with a margin."""
    axis = rows["metric"].str.extract(r"_([xy]):", expand=False)
    ends = rows.groupby(axis)["value"].agg(["min", "max"]).reindex(["x", "y"]).to_numpy()
    centre, reach = ends.mean(axis=1), 0.54 * np.ptp(ends, axis=1).max()
    return centre - reach, centre + reach


def _points(rows: pd.DataFrame, what: str) -> np.ndarray:
    """(m, 2) in the order of their numbers."""
    parts = rows["metric"].str.split(SEPARATOR, expand=True)
    table = pd.Series(rows["value"].to_numpy(), index=[parts[1].astype(int), parts[0]]).unstack()
    return table[[f"{what}_x", f"{what}_y"]].dropna().sort_index().to_numpy()


def _most_compared(built: pd.DataFrame, learned: pd.DataFrame) -> tuple[str, int]:
    """The dataset and n with most constructed speeds; of several, with most trained recipes, then the largest n."""
    speeds, recipes = (rows.groupby(["dataset", "n"])["recipe"].nunique() for rows in (built, learned))
    dataset, n = max(speeds.index, key=lambda key: (speeds[key], recipes.get(key, 0), key[1], key[0]))
    return str(dataset), int(n)


def _raw_speed(ax: Axes, built: pd.DataFrame, learned: pd.DataFrame, dataset: str, n: int) -> None:
    _log_log(ax)
    own, others = (rows[(rows["dataset"] == dataset) & (rows["n"] == n)] for rows in (built, learned))
    for _, rows in own.groupby("seed"):
        first = rows.iloc[0]
        speeds = np.geomspace(first["walk_speed"], rows["curve_speed"].max(), 2)
        ax.plot(speeds, first["walk_squared"] / (4 * speeds), color=GREY, ls="--", lw=0.7, zorder=0)
        ax.axvline(first["walk_speed"], color=GREY, ls=":", lw=0.6, zorder=0)
    ax.plot(own["curve_speed"], own["curve_w1"], "o", color=style.INDIGO, ls="none", ms=2.8)
    _learned(ax, others, "curve_speed", "curve_w1")
    ax.set(
        xlabel="Lipschitz constant K (units of the data per unit of U)",
        ylabel="W₁ to the sample (units of the data)",
        title=f"n = {n}, a line a sample",
    )


def _scaled_speed(ax: Axes, built: pd.DataFrame, learned: pd.DataFrame) -> None:
    _log_log(ax)
    ns = sorted({int(n) for n in [*built["n"], *learned["n"]]})
    ax.plot(built["times_k0"], built["y"], "o", color=style.INDIGO, ls="none", ms=2.8)
    _learned(ax, learned, "times_k0", "y")
    low, high = 1.0, max(2.0, float(pd.concat([built["times_k0"], learned["times_k0"]]).max()))
    ax.plot([low, high], [1 / low, 1 / high], color=GREY, ls="--", lw=0.9, zorder=0)
    ax.axvline(1, color=GREY, ls=":", lw=0.9, zorder=0)
    ax.set(xlabel="K / K₀", ylabel="W₁ / (S/4K₀)", title=f"n = {', '.join(map(str, ns))}")


def _learned(ax: Axes, rows: pd.DataFrame, x: str, y: str) -> None:
    for name, own in rows.groupby("recipe"):
        its = look(str(name))
        ax.plot(own[x], own[y], its.marker, color=its.colour, ls="none", ms=2.6, alpha=0.7, mew=0)


def _log_log(ax: Axes) -> None:
    style.log_value(ax)
    ax.set_xscale("log")
    style.log_ticks(ax.xaxis)


def _means(ax: Axes, own: pd.DataFrame, column: str, recipe: str, dodge: float) -> None:
    """Each run, small, and the geometric mean with its interval at each n."""
    its = look(recipe)
    ax.plot(own["n"] * dodge, own[column], ".", color=its.colour, ms=3.5, alpha=0.45, mew=0)
    logs = np.log(own[column]).groupby(own["n"])
    centres = np.exp(logs.mean())
    at = centres.index.to_numpy(dtype=np.float64) * dodge
    ends = np.exp([style.t_interval(values) for _, values in logs]).reshape(-1, 2)
    ax.plot(at, centres, its.marker, ls=its.line, color=its.colour)
    ax.vlines(at, ends[:, 0], ends[:, 1], color=its.colour, lw=0.9)


def _guide(ax: Axes, control: pd.DataFrame, exponent: float) -> None:
    """A line of this slope through the control's mean at the smallest n, a little above."""
    if control.empty:
        return
    means = control.groupby("n")["value"].agg(style.geometric_mean)
    ns = means.index.to_numpy(dtype=np.float64)
    ax.plot(ns, 1.15 * means.iloc[0] * (ns / ns[0]) ** exponent, color=GREY, ls="--", lw=0.9, zorder=0)

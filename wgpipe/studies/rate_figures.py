"""Figures of a study of rates: W1 against n, the fitted slopes, and the variants of each method."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from wgpipe.config import Study as Settings
from wgpipe.stats.claim_test import LEVEL
from wgpipe.stats.panels import panel
from wgpipe.stats.rates import RULE
from wgpipe.studies import arrange, style
from wgpipe.studies.rate_tables import bound
from wgpipe.studies.style import GREY, look

INTERVAL = f"{LEVEL:.0%} interval"
MAX_ROWS = 60  # of the forest plot, above which it shows the base recipes and controls only
AXES = ("training sample size n (points)", "W₁ to held-out data\n(units of the data)")
GUIDES = (("vanilla", (0, (1, 1))), ("wgan", (0, (4, 2))))
GUIDE_LABELS = {
    "vanilla": r"bound, vanilla: $n^{-\frac{1}{2}\min(\alpha/d^*,\,1/2)}$",
    "wgan": r"bound, Wasserstein: $n^{-\min(\alpha/d^*,\,1/2)}$",
}


def draw_rates(config: Settings, runs: pd.DataFrame, alpha: float, folder: Path) -> None:
    """`rates`: W1 against n, one panel a dataset; base recipes and controls."""
    finished, facts = finished_w1(runs), arrange.facts(runs)
    recipes = _main_recipes(config, runs)
    figure, axes = style.panels(len(facts), 3, style.PAGE, 1.75, legend=0.8)
    for ax, (dataset, fact) in zip(axes, facts.iterrows(), strict=True):
        own = finished[finished["dataset"] == dataset]
        guides = {name: bound(name, alpha, fact["intrinsic"]) for name, _ in GUIDES}
        if own[own["recipe"].isin(recipes)].empty:
            style.say(ax, "no finished run\nwith a value of W1")
        else:
            curves(ax, runs, own, str(dataset), [name for name in recipes if name in set(own["recipe"])])
            _guides(ax, own[own["recipe"].isin([name for name in recipes if name in config.recipes])], guides)
        ax.set_title(f"{_title(str(dataset), fact)}{_exponents(guides)}")
    style.label_edges(axes, 3, *AXES)
    handles = [*recipe_handles(recipes), *reading_handles()]
    handles += [Line2D([], [], color=GREY, ls=dashes, lw=0.9, label=GUIDE_LABELS[name]) for name, dashes in GUIDES]
    title = f"geometric mean and {INTERVAL} of {seeds_of(finished)}"
    figure.legend(handles=handles, loc="outside lower center", ncols=3, title=title)
    style.save(figure, folder, "rates")


def draw_variants(config: Settings, runs: pd.DataFrame, folder: Path) -> None:
    """`variants`: W1 against n on the dataset that most recipes ran on; other constraints, widths and latent spaces."""
    dataset = _widest(runs)
    finished = finished_w1(runs)
    own = finished[finished["dataset"] == dataset]
    ran = [name for name in arrange.recipes(config, own) if name in config.recipes]
    bases = [name for name in config.recipes if arrange.variation(config, name) == "base"]
    kinds = {name: arrange.variation(config, name) for name in ran if not _crossed(config, name)}
    groups = [
        (f"{arrange.method(config, base)}: what binds the critic", _beside([base], kinds, "constraint", config))
        for base in bases
    ]
    groups += [(kind, _beside(bases, kinds, kind, config)) for kind in ("width", "latent dimension", "degree")]
    groups = [(title, names) for title, names in groups if names]
    figure, axes = style.panels(len(groups), 2, style.PAGE, 1.9, legend=0.6, sharex=True, sharey=True)
    for ax, (title, names) in zip(axes, groups, strict=False):
        ax.set_title(f"{title}, on {dataset}")
        curves(ax, runs, own, dataset, names)
        ax.legend(handles=recipe_handles(names), loc="upper left", bbox_to_anchor=(1.0, 1.0))
    if not groups:
        style.say(axes[0], f"no variant of a base recipe has a finished run on {dataset}")
    style.label_edges(axes, 2, *AXES)
    figure.legend(
        handles=reading_handles(),
        loc="outside lower center",
        ncols=3,
        title=f"geometric mean and {INTERVAL} of {seeds_of(own)}",
    )
    style.save(figure, folder, "variants")


def draw_slopes(config: Settings, rates: pd.DataFrame, alpha: float, folder: Path) -> None:
    """`slopes`: slope and interval of each dataset and recipe, beside the bounds and the empirical control."""
    shown = rates
    if len(rates) > MAX_ROWS:
        main = {arrange.base(config, name) for name in config.recipes} | set(config.controls)
        shown = rates[rates["recipe"].isin(main)]
    groups = list(shown.groupby("dataset", sort=False))
    tallest = max(len(rows) for _, rows in groups)
    figure, axes = style.panels(len(groups), 3, style.PAGE, 0.5 + 0.13 * tallest, legend=0.75, sharex=True)
    for ax, (dataset, rows) in zip(axes, groups, strict=True):
        fact = rows.iloc[0]
        _forest(ax, rows)
        for name, dashes in GUIDES:
            exponent = bound(name, alpha, fact["intrinsic"])
            if np.isfinite(exponent) and rows["slope"].notna().any():
                ax.axvline(exponent, color=GREY, ls=dashes, lw=0.9, zorder=0)
        ax.set_title(_title(str(dataset), fact))
    style.label_edges(axes, 3, "slope of log W₁ against log n", "")
    handles = [
        Line2D([], [], color=GREY, marker="o", ls="-", label=f"slope and {INTERVAL} over seeds"),
        Line2D(
            [], [], color=GREY, marker="o", ls="-", mfc="white", label="not fit for a verdict (status in rates.csv)"
        ),
        *(Line2D([], [], color=GREY, ls=dashes, lw=0.9, label=GUIDE_LABELS[name]) for name, dashes in GUIDES),
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=2)
    style.save(figure, folder, "slopes")


def _forest(ax: Axes, rows: pd.DataFrame) -> None:
    for place, row in enumerate(rows.to_dict("records")):
        its = look(row["recipe"])
        if not np.isfinite(row["slope"]):
            ax.text(
                0.02, place, f"no slope: {row['status']}", transform=ax.get_yaxis_transform(), va="center", color=GREY
            )
            continue
        ax.plot([row["ci_low"], row["ci_high"]], [place, place], color=its.colour, solid_capstyle="butt")
        face = its.colour if row["status"] == "ok" else "white"
        ax.plot(row["slope"], place, its.marker, color=its.colour, mfc=face, ls="none")
    ax.set_yticks(range(len(rows)), list(rows["recipe"]))
    ax.set_ylim(len(rows) - 0.5, -0.5)


def curves(ax: Axes, runs: pd.DataFrame, own: pd.DataFrame, dataset: str, recipes: Sequence[str]) -> None:
    """One line a recipe with its band, hollow points where a fit may not look, and the null below."""
    shown = own[own["recipe"].isin(recipes)]
    style.log_n(ax, sorted({int(n) for n in own["n"]}))
    style.log_value(ax)
    for name in recipes:
        its, rows = look(name), shown[shown["recipe"] == name]
        sns.lineplot(
            data=rows,
            x="n",
            y="value",
            errorbar=style.t_interval,
            color=its.colour,
            linestyle=its.line,
            marker=its.marker,
            markeredgecolor=its.colour,
            markeredgewidth=0.6,
            err_kws={"alpha": 0.18, "lw": 0},
            legend=False,
            ax=ax,
        )
        dropped = list(panel(runs, dataset, name, "w1").dropped(RULE))
        hollow = rows[rows["n"].isin(dropped)].groupby("n")["value"].agg(style.geometric_mean)
        ax.plot(hollow.index, hollow, its.marker, color=its.colour, mfc="white", mew=0.6, ls="none", zorder=3)
    null = own.groupby("n")["null"].mean().dropna()
    if len(null):
        bottom = min(float(null.min()) * 0.8, float(shown["value"].min()) * 0.9)
        ax.fill_between(null.index, bottom, null, color=GREY, alpha=0.25, lw=0)
        ax.plot(null.index, RULE.null_factor * null, color=GREY, lw=0.7)
        ax.set_ylim(bottom, 1.3 * max(float(shown["value"].max()), RULE.null_factor * float(null.max())))


def _guides(ax: Axes, trained: pd.DataFrame, exponents: dict[str, float]) -> None:
    """Both bounds as lines that start just above the trained recipes."""
    if trained.empty:
        return
    ns = np.asarray(sorted(trained["n"].unique()), dtype=np.float64)
    start = 1.2 * trained[trained["n"] == ns[0]].groupby("recipe")["value"].agg(style.geometric_mean).max()
    for name, dashes in GUIDES:
        if np.isfinite(exponents[name]):
            ax.plot(ns, start * (ns / ns[0]) ** exponents[name], color=GREY, ls=dashes, lw=0.9, zorder=0)


def finished_w1(runs: pd.DataFrame) -> pd.DataFrame:
    """Rows of W1 of runs that finished with a finite value, ordered."""
    rows = runs[(runs["metric"] == "w1") & (runs["status"] == "ok")]
    finite = rows[rows["value"].abs() < np.inf]
    return finite.sort_values(["dataset", "recipe", "n", "seed"])


def _main_recipes(config: Settings, runs: pd.DataFrame) -> list[str]:
    ran = arrange.recipes(config, runs)
    return [name for name in ran if name not in config.recipes or arrange.variation(config, name) == "base"]


def _beside(bases: Sequence[str], kinds: dict[str, arrange.Variation], kind: str, config: Settings) -> list[str]:
    """Each base followed by its variants of a kind; nothing if there is no such variant."""
    groups = {
        base: [name for name in kinds if kinds[name] == kind and arrange.base(config, name) == base] for base in bases
    }
    return [name for base, variants in groups.items() if variants for name in (base, *variants) if name in kinds]


def _crossed(config: Settings, recipe: str) -> bool:
    """Whether both networks differ in their widths: those are for the figure `oracle`."""
    widths = [arrange.hidden(config, recipe, side) for side in arrange.SIDES]
    return all(widths) and widths[0] != widths[1] and arrange.variation(config, recipe) == "width"


def _widest(runs: pd.DataFrame) -> str:
    """The dataset that most recipes ran on; of several, one of d* = 2 if there is one, else the first."""
    counts = runs.groupby("dataset")["recipe"].nunique()
    most = [name for name in arrange.datasets(runs) if counts[name] == counts.max()]
    intrinsic = arrange.facts(runs)["intrinsic"]
    return next((name for name in most if intrinsic[name] == 2), most[0])


def _title(dataset: str, fact: pd.Series) -> str:
    known = f"$d^*$ = {fact['intrinsic']:g}, " if np.isfinite(fact["intrinsic"]) else ""
    return f"{dataset} ({known}$d$ = {fact['dimension']:g})"


def _exponents(guides: dict[str, float]) -> str:
    shown = [f"{exponent:.3g}" for exponent in guides.values() if np.isfinite(exponent)]
    return f"\nslopes of bounds {', '.join(shown).replace('-', '−')}" if shown else ""


def seeds_of(finished: pd.DataFrame) -> str:
    """How many seeds these rows have: `8 seeds`."""
    return style.seeds_text(finished["seed"].nunique())


def recipe_handles(recipes: Sequence[str]) -> list[Line2D]:
    """Of a legend: the recipes."""
    return [
        Line2D([], [], color=look(name).colour, marker=look(name).marker, ls=look(name).line, label=name)
        for name in recipes
    ]


def reading_handles() -> list[Line2D | Patch]:
    """Of a legend: the null, twice the null, and what is left out of a fit."""
    return [
        Patch(color=GREY, alpha=0.25, lw=0, label="null: two real samples"),
        Line2D([], [], color=GREY, lw=0.7, label=f"{RULE.null_factor:g} × null"),
        Line2D([], [], color=GREY, marker="o", mfc="white", ls="none", label="left out of the fit"),
    ]

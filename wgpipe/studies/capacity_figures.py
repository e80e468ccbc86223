"""Figures of `capacity` about distances: the map of generator width and critic, and W1 against n for each critic."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle

from wgpipe.config import Study as Settings
from wgpipe.studies import arrange, style
from wgpipe.studies.capacity_runs import critic, is_main, matched, values, width
from wgpipe.studies.rate_figures import AXES, INTERVAL, curves, finished_w1, reading_handles, recipe_handles, seeds_of
from wgpipe.studies.style import GREY
from wgpipe.studies.tables import number

COLUMNS = 3
QUANTITIES = {
    "w1": "W₁ to held-out data",
    "w1_train": "W₁ to the training sample",
    "w1_gap": "W₁ held-out − training, n points each",
}
WIDE = 0.25  # half an interval over the cell's W1 to held-out data, from which the cell is hatched
LIGHT = 0.55  # share of the colour scale above which text is black
PARAMETRIC = -0.5


def draw_capacity(config: Settings, runs: pd.DataFrame, folder: Path) -> None:
    """`capacity`: a cell for each critic and width of the generator; rows are quantities, columns numbers of points.

    On the dataset with most widths. A cell is the median over seeds; hatched: half its 95 % interval is over `WIDE` of
    its W1.
    """
    dataset = _widest(config, runs)
    own = runs[runs["dataset"] == dataset]
    cells = {metric: _cells(config, own, metric) for metric in QUANTITIES}
    ns = _shared_ns(cells["w1"])
    figure, axes = style.panels(
        len(QUANTITIES) * max(len(ns), 1), max(len(ns), 1), style.PAGE, 1.5, legend=0.35, sharex=True, sharey=True
    )
    if not ns:
        for ax in axes:
            style.say(ax, "no finished runs\nof several widths")
    for row, (metric, title) in enumerate(QUANTITIES.items()):
        shown = [cells[metric][cells[metric]["n"] == n] for n in ns]
        limits = _limits(metric, shown)
        for column, (n, table) in enumerate(zip(ns, shown, strict=True)):
            ax = axes[row * len(ns) + column]
            _map(ax, config, table, cells["w1"][cells["w1"]["n"] == n], limits)
            ax.set_title(f"{title}, n = {n}")
    style.label_edges(axes, max(len(ns), 1), "hidden units of the generator", "critic")
    hatched = Patch(facecolor="white", edgecolor=GREY, hatch="//", label=f"interval over ± {WIDE:.0%} of W₁")
    none = Patch(facecolor="#eeeeee", edgecolor=GREY, lw=0.5, label="not run, or no finished run")
    title = f"{dataset}: median over {seeds_of(own)}, units of the data"
    figure.legend(handles=[hatched, none], loc="outside lower center", ncols=2, title=title)
    style.save(figure, folder, "capacity")


def draw_rates(config: Settings, runs: pd.DataFrame, folder: Path) -> None:
    """`rates`: W1 to held-out data against n for each critic, generators of the data's form, one panel a dataset."""
    finished, facts = finished_w1(runs), arrange.facts(runs)
    figure, axes = style.panels(len(facts), COLUMNS, style.PAGE, 2.3, legend=1.0)
    shown: list[str] = []
    for ax, dataset in zip(axes, map(str, facts.index), strict=True):
        own = finished[finished["dataset"] == dataset]
        recipes = [name for name in matched(config, runs, dataset) if name in set(own["recipe"])]
        ax.set_title(dataset)
        if not recipes:
            style.say(ax, "no finished run\nwith a value of W1")
            continue
        curves(ax, runs, own, dataset, recipes)
        _guide(ax, own)
        shown += [name for name in recipes if name not in shown]
    style.label_edges(axes, COLUMNS, *AXES)
    guide = Line2D([], [], color=GREY, ls=(0, (1, 1)), lw=0.9, label=r"$n^{-1/2}$ (height without meaning)")
    critics = {critic(config, name) if name in config.recipes else name for name in shown}  # looks are those of critics
    order = [name for name in [*config.recipes, *config.controls] if name in critics]
    figure.legend(
        handles=[*recipe_handles(order), *reading_handles(), guide],
        loc="outside lower center",
        ncols=4,
        title=f"geometric mean and {INTERVAL} of {seeds_of(finished)}",
    )
    style.save(figure, folder, "rates")


def _guide(ax: Axes, own: pd.DataFrame) -> None:
    ns = np.asarray(sorted(own["n"].unique()), dtype=np.float64)
    start = 1.15 * own[own["n"] == ns[0]].groupby("recipe")["value"].agg(style.geometric_mean).max()
    ax.plot(ns, start * (ns / ns[0]) ** PARAMETRIC, color=GREY, ls=(0, (1, 1)), lw=0.9, zorder=0)


def _widest(config: Settings, runs: pd.DataFrame) -> str:
    """The dataset whose recipes have most widths; of several the first."""
    trained = runs[runs["recipe"].isin(config.recipes)]
    widths = trained.assign(width=trained["recipe"].map(lambda name: width(config, name)))
    counts = widths.groupby("dataset")["width"].nunique()
    names = arrange.datasets(runs)
    return max(names, key=lambda name: (counts.get(name, 0), -names.index(name)))


def _cells(config: Settings, runs: pd.DataFrame, metric: str) -> pd.DataFrame:
    """critic, width, n -> median over seeds, and half the interval of the mean."""
    rows = values(runs, metric)
    rows = rows[rows["recipe"].isin(_mapped(config)) & rows["value"].notna()]
    rows = rows.assign(
        critic=rows["recipe"].map(lambda name: critic(config, name)),
        width=rows["recipe"].map(lambda name: width(config, name)),
    )
    groups = rows.groupby(["critic", "width", "n"])["value"]
    reach = groups.agg(lambda value: np.diff(style.t_interval(value))[0] / 2)
    return pd.DataFrame({"median": groups.median(), "reach": reach.astype("float64")}).reset_index()


def _mapped(config: Settings) -> list[str]:
    """Whole trainings: those of a main recipe's critic."""
    main = {critic(config, name) for name in config.recipes if is_main(config, name)}
    return [name for name in config.recipes if critic(config, name) in main]


def _shared_ns(cells: pd.DataFrame) -> list[int]:
    """The n at which generators of more than one width ran."""
    widths = cells.groupby("n")["width"].nunique()
    return [int(n) for n in sorted(widths.index[widths > 1])]


def _limits(metric: str, tables: Sequence[pd.DataFrame]) -> tuple[float, float]:
    medians = pd.concat([table["median"] for table in tables]) if tables else pd.Series(dtype="float64")
    if medians.empty:
        return 0.0, 1.0
    low = min(0.0, float(medians.min())) if metric == "w1_gap" else float(medians.min())
    return low, float(medians.max()) if medians.max() > low else low + 1.0


def _map(ax: Axes, config: Settings, table: pd.DataFrame, scale: pd.DataFrame, limits: tuple[float, float]) -> None:
    """One panel: critics down, in the order of the settings, widths across; `scale` has W1 of the same cells."""
    critics = [name for name in config.recipes if name in set(scale["critic"])]
    widths = sorted(set(scale["width"]))
    w1 = scale.set_index(["critic", "width"])["median"]
    image = np.full((len(critics), len(widths)), np.nan)
    ax.set_facecolor("#eeeeee")
    for cell in table.to_dict("records"):
        if (cell["critic"], cell["width"]) not in w1.index:
            continue
        row, column = critics.index(cell["critic"]), widths.index(cell["width"])
        image[row, column] = cell["median"]
        share = (cell["median"] - limits[0]) / (limits[1] - limits[0])
        colour = "black" if share > LIGHT else "white"
        ax.text(column, row, number(cell["median"], 2), ha="center", va="center", color=colour, fontsize=6.5)
        if not cell["reach"] <= WIDE * w1[cell["critic"], cell["width"]]:
            corner = (column - 0.5, row - 0.5)
            ax.add_patch(Rectangle(corner, 1, 1, fill=False, hatch="//", edgecolor=GREY, lw=0, alpha=0.6))
    ax.imshow(image, cmap="viridis", vmin=limits[0], vmax=limits[1], aspect="auto", interpolation="none")
    ax.set_xticks(range(len(widths)), [f"{units}" for units in widths])
    ax.set_yticks(range(len(critics)), critics)
    ax.tick_params(length=0)

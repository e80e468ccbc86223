"""Pictures of gradients and maps in two dimensions, beside the true ones."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from wgpipe.config import Study as Settings
from wgpipe.metrics.field import SEPARATOR
from wgpipe.studies import arrange, style
from wgpipe.studies.style import GREY, look
from wgpipe.studies.truth_scores import Kind, largest_n, of_kind

COLUMNS = 3
LIGHT = "#B8B8B8"
ARROW = 0.07  # length of a gradient of norm 1, as a share of the width of a panel


def draw_gradients(config: Settings, runs: pd.DataFrame, folder: Path) -> None:
    """`gradients`: learned over true gradients, on the two-dimensional pair of cost |x - y| with most critics."""
    recipes, fields, dataset = _fields(config, runs, "w1")
    figure, axes = _panels(len(recipes))
    for ax, name in zip(axes, recipes, strict=False):
        points, learned, true = fields[name]
        width = np.ptp(points[:, 0])
        _arrows(ax, points, true * ARROW * width, LIGHT, 0.008)
        _arrows(ax, points, learned * ARROW * width, look(name).colour, 0.005)
        ax.set_title(name)
    if not recipes:
        style.say(axes[0], "no critic of a two-dimensional pair")
    handles = [
        Line2D([], [], color=LIGHT, lw=2.2, label="true gradient, of length 1"),
        Line2D([], [], color=GREY, lw=1.2, label="learned gradient"),
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=2, title=_title(dataset, runs))
    style.save(figure, folder, "gradients")


def draw_maps(config: Settings, runs: pd.DataFrame, folder: Path, leave_out: Collection[str] = ()) -> None:
    """`maps`: where each map takes points and where they belong, on the two-dimensional pair with most maps."""
    recipes, fields, dataset = _fields(config, runs[~runs["recipe"].isin(leave_out)], "w2")
    figure, axes = _panels(len(recipes))
    for ax, name in zip(axes, recipes, strict=False):
        points, learned, true = fields[name]
        colour = look(name).colour
        _segments(ax, learned, true, colour)
        ax.plot(*points.T, ".", color=LIGHT, ms=2)
        ax.plot(*true.T, "o", color=GREY, mfc="none", mew=0.5, ms=3)
        ax.plot(*learned.T, "o", color=colour, mew=0, ms=2)
        ax.set_title(name)
    if not recipes:
        style.say(axes[0], "no map of a two-dimensional pair")
    handles = [
        Line2D([], [], color=LIGHT, marker=".", ls="none", label="point x of the source"),
        Line2D([], [], color=GREY, marker="o", mfc="none", mew=0.5, ls="none", label="true image T*(x)"),
        Line2D([], [], color=GREY, marker="o", mew=0, ms=2, lw=0.7, label="learned image T(x), and its error"),
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=3, title=_title(dataset, runs))
    style.save(figure, folder, "maps")


def _fields(
    config: Settings, runs: pd.DataFrame, kind: Kind
) -> tuple[list[str], dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]], str]:
    """Recipes, their (points, learned, true) of shape (m, 2) each for the first finished seed, and the pair's name."""
    rows = runs[runs["metric"].str.startswith("field") & (runs["status"] == "ok") & np.isfinite(runs["value"])]
    drawn = [name for name in of_kind(runs, kind) if name in set(rows["dataset"])]
    if not drawn:
        return [], {}, ""
    dataset = max(drawn, key=rows.groupby("dataset")["recipe"].nunique().get)
    rows = largest_n(rows[rows["dataset"] == dataset])
    first = rows[rows["seed"] == rows.groupby("recipe")["seed"].transform("min")]
    fields = {str(recipe): _vectors(own) for recipe, own in first.groupby("recipe")}
    return [name for name in arrange.recipes(config, first) if name in fields], fields, dataset


def _vectors(rows: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    parts = rows["metric"].str.split(SEPARATOR, expand=True)
    table = pd.Series(rows["value"].to_numpy(), index=[parts[1].astype(int), parts[0]]).unstack().dropna()
    points, learned, true = (
        table[[f"{name}_x", f"{name}_y"]].to_numpy() for name in ("field", "field_learned", "field_true")
    )
    return points, learned, true


def _panels(count: int) -> tuple[Figure, list[Axes]]:
    options: dict[str, Any] = {"sharex": True, "sharey": True, "subplot_kw": {"aspect": "equal"}}
    figure, axes = style.panels(count, COLUMNS, style.PAGE, 2.4, legend=0.45, **options)
    for ax in axes:
        ax.set(xticks=[], yticks=[])
        ax.spines[:].set_visible(True)
    return figure, axes


def _arrows(ax: Axes, points: np.ndarray, vectors: np.ndarray, colour: str, width: float) -> None:
    ax.quiver(*points.T, *vectors.T, color=colour, angles="xy", scale_units="xy", scale=1, width=width, headwidth=3.5)


def _segments(ax: Axes, starts: np.ndarray, ends: np.ndarray, colour: str) -> None:
    gaps = np.full(len(starts), np.nan)
    for_each = [np.stack([starts[:, axis], ends[:, axis], gaps], axis=1).ravel() for axis in (0, 1)]
    ax.plot(*for_each, color=colour, lw=0.7)


def _title(dataset: str, runs: pd.DataFrame) -> str:
    return f"{dataset}, seed {runs['seed'].min()}" if dataset else ""

"""W1 against the widths of the networks, a line an n: the statistical error as a plateau below that of the networks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from wgpipe.config import Study as Settings
from wgpipe.stats.rates import RULE
from wgpipe.studies import arrange, style
from wgpipe.studies.style import GREY, look

ROOM = 0.55  # for the labels, as a share of the widths' range
SLICES = ("both networks", "generator, widest critic", "critic, widest generator")


def draw_sizes(config: Settings, sizes: pd.DataFrame, folder: Path) -> None:
    """`oracle`: from a `size_table`, W1 along three lines through the grid of widths, where two widths or more ran."""
    shown = [
        (f"{dataset}, {method}\nwidth of {name}", method, rows)
        for (dataset, method), own in sizes.groupby(["dataset", "method"], sort=False)
        for name, rows in _slices(own)
    ]
    columns = 3 if any(name.endswith(SLICES[1]) or name.endswith(SLICES[2]) for name, _, _ in shown) else 2
    figure, axes = style.panels(len(shown), columns, style.PAGE, 2.1, legend=0.5)
    if not shown:
        style.say(axes[0], "no method ran with several widths")
    for ax, (title, method, rows) in zip(axes, shown, strict=False):
        base = next(name for name in config.recipes if arrange.method(config, name) == method)
        _lines(ax, rows, look(base).colour)
        ax.set_title(title)
    if shown:
        style.label_edges(axes, columns, "units in each hidden layer", "W₁ to held-out data\n(units of the data)")
        figure.legend(handles=_handles(), loc="outside lower center", ncols=3)
    style.save(figure, folder, "oracle")


def _slices(own: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """Name and rows, with their `width`, of each of the lines that have several widths."""
    generator, critic = own["generator_width"], own["critic_width"]
    chosen = (generator == critic, critic == critic.max(), generator == generator.max())
    for name, rows, width in zip(SLICES, chosen, (generator, generator, critic), strict=True):
        if width[rows].nunique() > 1:
            yield name, own[rows].assign(width=width[rows])


def _lines(ax: Axes, rows: pd.DataFrame, colour: str) -> None:
    widths = rows[rows["w1"].notna()].groupby("n")["width"].nunique()
    ns = sorted(widths.index[widths > 1])  # one width alone shows nothing
    style.log_n(ax, sorted({int(width) for width in rows["width"]}))
    style.log_value(ax)
    for n, shade in zip(ns, sns.light_palette(colour, len(ns) + 1)[1:], strict=True):
        line = rows[(rows["n"] == n) & rows["w1"].notna()].sort_values("width")
        ax.plot(line["width"], line["w1"], color=shade)
        ax.fill_between(line["width"], line["ci_low"], line["ci_high"], color=shade, alpha=0.18, lw=0)
        for above, points in line.groupby("above_null"):
            ax.plot(points["width"], points["w1"], "o", color=shade, mfc=shade if above else "white", ls="none")
        begin = _plateau(line)
        if begin is not None:
            ax.plot(begin["width"], begin["w1"], "|", color="black", ms=11, zorder=4)
        last = line.iloc[-1]
        ax.annotate(f"n = {n}", (last["width"], last["w1"]), xytext=(4, 0), textcoords="offset points", va="center")
    null = rows["null"].mean()
    if np.isfinite(null):
        ax.axhspan(0.8 * null, null, color=GREY, alpha=0.25, lw=0)
        ax.axhline(RULE.null_factor * null, color=GREY, lw=0.7)
        ax.set_ylim(bottom=0.8 * null)
    narrowest, widest = float(rows["width"].min()), float(rows["width"].max())
    ax.set_xlim(right=widest * (widest / narrowest) ** ROOM)


def _plateau(line: pd.DataFrame) -> pd.Series | None:
    """The narrowest networks from which on all wider ones lie on the plateau."""
    on_it = line["plateau"].to_numpy() == True  # noqa: E712
    begins = len(on_it) - int(np.argmin(on_it[::-1])) if not on_it.all() else 0
    return line.iloc[begins] if begins < len(line) else None


def _handles() -> list[Line2D | Patch]:
    return [
        Line2D([], [], color=GREY, marker="o", label="geometric mean, 95% interval"),
        Line2D([], [], color=GREY, marker="o", mfc="white", ls="none", label="below 2 × null"),
        Line2D([], [], color="black", marker="|", ms=11, ls="none", label="plateau begins: none shown to be better"),
        Patch(color=GREY, alpha=0.25, lw=0, label="null: two real samples"),
        Line2D([], [], color=GREY, lw=0.7, label="2 × null"),
    ]

"""The critical-difference diagram, a row a method, with the interval of each mean rank."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from wgpipe.stats.claim_test import LEVEL
from wgpipe.stats.rankings import Ranking
from wgpipe.studies import style

ROW = 0.17  # inches a method
BAR = 0.035  # between two bars, in widths of the axes
RULER = -1.1  # its height, in rows


def draw_ranking(ranking: Ranking | None, p_values: pd.DataFrame | None, otherwise: str, folder: Path) -> None:
    """`critical_difference`: mean ranks with intervals; bars beside methods that Nemenyi's test cannot tell apart.

    After Demšar 2006, turned so that names stand in rows; the sentence `otherwise` where there is no ranking.
    """
    rows = len(ranking.methods) + 1.5 if ranking else 1.0
    figure, (ax,) = style.panels(1, 1, style.COLUMN, 0.45 + ROW * rows)
    if ranking is None or p_values is None:
        style.say(ax, otherwise)
    else:
        _draw_ranks(ax, ranking)
        _draw_ruler(ax, ranking.critical_difference)
        _draw_bars(ax, alike(ranking, p_values))
    style.save(figure, folder, "critical_difference")


def alike(ranking: Ranking, p_values: pd.DataFrame) -> list[tuple[int, int]]:
    """(first, last) place of every largest run of methods, in order of rank, that the test cannot tell apart."""
    names = ranking.methods
    runs: list[tuple[int, int]] = []
    for first, name in enumerate(names):
        last = max(place for place in range(first, len(names)) if place == first or _same(p_values, name, names[place]))
        if last > first and (not runs or last > runs[-1][1]):
            runs.append((first, last))
    return runs


def _same(p_values: pd.DataFrame, first: str, second: str) -> bool:
    return float(p_values.loc[first, second]) >= 1 - LEVEL  # type: ignore[arg-type]


def _draw_ranks(ax: Axes, ranking: Ranking) -> None:
    for place, (name, rank) in enumerate(zip(ranking.methods, ranking.ranks, strict=True)):
        look = style.look(name)
        ax.plot([rank.low, rank.high], [place, place], color=look.colour)
        ax.plot(rank.value, place, look.marker, color=look.colour)
    ax.set_yticks(range(len(ranking.methods)), [*ranking.methods])
    ax.set_ylim(len(ranking.methods) - 0.5, RULER - 0.6)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set_xlabel(f"mean rank by W1 over {ranking.cells} cells (1 is the best)")


def _draw_ruler(ax: Axes, length: float) -> None:
    """The critical difference as a length on the axis of ranks."""
    ax.plot([1, 1 + length], [RULER, RULER], color=style.BLACK, marker="|", markersize=4, lw=0.8)
    ax.annotate(
        f"critical difference {length:.2f}",
        (1, RULER),
        (0, 3),
        textcoords="offset points",
        va="bottom",
        fontsize=6.5,
    )


def _draw_bars(ax: Axes, runs: list[tuple[int, int]]) -> None:
    for column, (first, last) in enumerate(runs):
        x = 1 + BAR * (column + 1)
        ends = [first - 0.25, last + 0.25]
        ax.plot([x, x], ends, color=style.BLACK, lw=2, transform=ax.get_yaxis_transform(), clip_on=False)

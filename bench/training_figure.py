"""Iterations a second against the size of the stack."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from wgpipe.atomic import atomic
from wgpipe.studies.style import BLUE, GREY, METADATA, ORANGE, PAGE, Look, label_edges, log_value, panels, paper

if TYPE_CHECKING:
    from bench.train import Row

LOOKS = {"plain": Look(GREY, ""), "engine": Look(BLUE, "o"), "jax": Look(ORANGE, "s")}
NAMES = {"plain": "plain PyTorch, one process a run", "engine": "wgpipe", "jax": "JAX, vmap and scan"}


def draw(rows: list[Row], out: Path) -> None:
    """Write `training.svg`: a panel a method and size, a line an implementation and number of threads."""
    methods = list(dict.fromkeys(row.method for row in rows))
    sizes = list(dict.fromkeys((row.width, row.batch) for row in rows))
    counts = sorted({row.threads for row in rows})
    with paper():
        figure, axes = panels(len(methods) * len(sizes), len(methods), PAGE, 1.7, 0.35, sharex=True, sharey="row")
        places = [(method, size) for size in sizes for method in methods]
        for one, (method, size) in zip(axes, places, strict=True):
            here = [row for row in rows if (row.method, (row.width, row.batch)) == (method, size)]
            for count in counts:
                panel(one, [row for row in here if row.threads == count], "-" if count == counts[0] else "--")
            one.set_title(f"{method}, {size[0]} × {size[1]}")
            log_value(one)
            one.set_xscale("log")
            one.xaxis.set_major_locator(FixedLocator(sorted({row.stack for row in rows if drawn(row)})))
            one.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))
            one.xaxis.set_minor_locator(NullLocator())
        label_edges(axes, len(methods), "stack", "iterations/s")
        handles, labels = legend(axes[0], counts)
        figure.legend(handles, labels, loc="outside lower center", ncols=len(labels))
        with atomic(out / "training.svg") as path:
            figure.savefig(path, format="svg", metadata=METADATA["svg"])


def drawn(row: Row) -> bool:
    """Whether a row is a point of a line."""
    return row.implementation in ("engine", "jax")


def panel(axes: Axes, rows: list[Row], style: str) -> None:
    for implementation, look in LOOKS.items():
        found = sorted((row for row in rows if row.implementation == implementation), key=lambda row: row.stack)
        if not found:
            continue
        middle = [row.iterations_per_second for row in found]
        if implementation == "plain":
            axes.axhline(middle[0], color=look.colour, linestyle=style)
            continue
        stacks = [row.stack for row in found]
        axes.plot(stacks, middle, color=look.colour, marker=look.marker, linestyle=style)
        low, high = [row.lowest for row in found], [row.highest for row in found]
        axes.fill_between(stacks, low, high, color=look.colour, alpha=0.2, linewidth=0)


def legend(axes: Axes, counts: list[int]) -> tuple[list[Artist], list[str]]:
    """Colours are implementations, line styles numbers of threads."""
    handles: list[Artist] = []
    labels: list[str] = []
    for name, look in LOOKS.items():
        handles += axes.plot([], [], color=look.colour, marker=look.marker)
        labels.append(NAMES[name])
    for count, style in zip(counts, ("-", "--"), strict=False):
        handles += axes.plot([], [], color="black", linestyle=style)
        labels.append("1 thread" if count == 1 else f"{count} threads")
    return handles, labels

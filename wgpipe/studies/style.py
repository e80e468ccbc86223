"""How every figure looks: one palette over all studies, paper widths, and files that are the same bytes each time."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullLocator
from scipy import stats

from wgpipe.atomic import atomic
from wgpipe.stats.claim_test import LEVEL

COLUMN, PAGE = 3.4, 7.0  # widths of a paper's column and page, in inches
GREY = "#767676"
MANY_DECADES = 500  # largest over smallest value of an axis from which 2 and 5 are not labelled
METADATA: dict[str, dict[str, Any]] = {
    "pdf": {"CreationDate": None},
    "svg": {"Date": None},
    "png": {"Software": None},
}
SETTINGS: dict[Any, Any] = {
    "svg.hashsalt": "wgpipe",
    "pdf.fonttype": 42,
    "font.family": "DejaVu Sans",
    "font.size": 7.0,
    "axes.titlesize": 7.5,
    "axes.labelsize": 7.0,
    "xtick.labelsize": 6.5,
    "ytick.labelsize": 6.5,
    "legend.fontsize": 6.5,
    "legend.title_fontsize": 6.5,
    "legend.frameon": False,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "lines.linewidth": 1.1,
    "lines.markersize": 3.5,
    "figure.constrained_layout.use": True,
    "savefig.dpi": 200,
}


@dataclass(frozen=True)
class Look:
    """Colour, marker and line style of a recipe."""

    colour: str
    marker: str
    line: str = "-"


# Okabe and Ito's colours. Hue: the loss, or what binds the critic; line style: width and latent dimension.
BLACK, ORANGE, SKY, GREEN, BLUE, RED, PURPLE = (
    "#000000",
    "#E69F00",
    "#56B4E9",
    "#009E73",
    "#0072B2",
    "#D55E00",
    "#CC79A7",
)
BROWN, INDIGO = "#7A5230", "#332288"
LOOKS = {
    "oracle": Look(GREY, "."),
    "empirical": Look(BLACK, "D"),
    "gaussian": Look(BROWN, "X", ":"),
    "vanilla-lp": Look(BLUE, "o"),
    "vanilla-lp_32": Look(BLUE, "v", "--"),
    "vanilla-lp_2d": Look(BLUE, "^", ":"),
    "vanilla-lp_g16c16": Look(BLUE, "<", "-."),
    "vanilla-lp_g128c128": Look(BLUE, ">"),
    "vanilla-none": Look(PURPLE, "P"),
    "vanilla-clip": Look(ORANGE, "X"),
    "vanilla-gp": Look(GREEN, "p"),
    "vanilla-groupsort": Look(SKY, "h"),
    "vanilla-spectral": Look(BLACK, "d"),
    "vanilla-minimax-lp": Look(INDIGO, "*"),
    "wgan-lp": Look(RED, "s"),
    "wgan-lp_32": Look(RED, "v", "--"),
    "wgan-lp_2d": Look(RED, "^", ":"),
    "wgan-lp_g16c16": Look(RED, "<", "-."),
    "wgan-lp_g128c128": Look(RED, ">"),
    "wgan-clip": Look(ORANGE, "X"),
    "wgan-gp": Look(GREEN, "p"),
    "wgan-groupsort": Look(SKY, "h"),
    "wgan-spectral": Look(BLACK, "d"),
    "wgan-relu1": Look(PURPLE, "P"),
    "polynomial-1": Look(BROWN, "^"),
    "polynomial-2": Look(BROWN, "s", "--"),
    "polynomial-3": Look(BROWN, "p", ":"),
    "critic-clip": Look(ORANGE, "X"),
    "critic-gp": Look(GREEN, "p"),
    "critic-lp": Look(RED, "s"),
    "critic-spectral": Look(BLACK, "d"),
    "critic-groupsort": Look(SKY, "h"),
    "critic-relu1": Look(PURPLE, "P"),
    "moments-1": Look(GREY, "^", ":"),
    "moments-2": Look(ORANGE, "v", "--"),
    "moments-2_cubic": Look(ORANGE, "v", "--"),
    "moments-3": Look(GREEN, "p", "-."),
    "moments-3_cubic": Look(GREEN, "p", "-."),
    "relu-1": Look(PURPLE, "P"),
    "relu-1_cubic": Look(PURPLE, "P"),
    "relu-2": Look(BLUE, "o"),
    "deep": Look(RED, "s"),
    "deep_cubic": Look(RED, "s"),
    "groupsort": Look(SKY, "h"),
    "map-icnn": Look(BLUE, "o"),
    "map-w2gn": Look(SKY, "^"),
    "map-seguy-l2": Look(ORANGE, "s"),
    "map-seguy-entropy": Look(RED, "v"),
    "map-bures": Look(BROWN, "X", ":"),
    "map-discrete": Look(BLACK, "D"),
    "icnn": Look(BLUE, "o"),
    "icnn_50": Look(BLUE, "v", ":"),
    "icnn_100": Look(BLUE, "^", ":"),
    "icnn_200": Look(BLUE, "p", ":"),
    "icnn_400": Look(BLUE, "d", ":"),
    "icnn_800": Look(BLUE, "h", ":"),
    "homotopy": Look(SKY, "s", "--"),
    "homotopy_50": Look(SKY, "v", "--"),
    "homotopy_100": Look(SKY, "^", "--"),
    "homotopy_200": Look(SKY, "p", "--"),
    "homotopy_400": Look(SKY, "d", "--"),
    "homotopy_800": Look(SKY, "h", "--"),
    "q-closed": Look(BROWN, "X", ":"),
    "q-trained": Look(BROWN, "P", "-."),
    "plan-l2": Look(ORANGE, "s"),
    "plan-l2_work": Look(ORANGE, "D", "--"),
    "plan-entropy": Look(RED, "v"),
    "gan-wgan-gp": Look(GREEN, "p"),
    "gan-icnn": Look(BLUE, "o"),
    "gan-q": Look(BROWN, "X"),
    "compose-icnn": Look(SKY, "^"),
    "curve-1": Look(INDIGO, "o"),
    "curve-2": Look(INDIGO, "^", "--"),
    "curve-4": Look(INDIGO, "s", "-."),
    "curve-8": Look(INDIGO, "v", ":"),
    "curve-grow": Look(INDIGO, "p"),
    "wgan-gs16": Look(RED, "s"),
    "wgan-gs64": Look(SKY, "h"),
    "wgan-free": Look(PURPLE, "P"),
    "coulomb": Look(BROWN, "o"),
    "coulomb-toy": Look(BROWN, "^", "--"),
    "gan": Look(PURPLE, "P"),
    "gan_short": Look(PURPLE, "v", "--"),
    "gan_maxout": Look(INDIGO, "d"),
    "gan_maxout_short": Look(INDIGO, "^", "--"),
    "wgan-gp_modes": Look(GREEN, "p"),
    "wgan-lp_modes": Look(RED, "s"),
    "wgan-clip_modes": Look(ORANGE, "X"),
    "mmd-gan": Look(SKY, "h"),
    "gmmn": Look(BLUE, "*"),
    "began": Look(INDIGO, "D"),
    "flow": Look(BLACK, "o", ":"),
    "flow-space": Look(BLACK, "o", ":"),
    "kde-scott": Look(GREY, "v", ":"),
    "coulomb_images": Look(BROWN, "o"),
    "wgan-gp_images": Look(GREEN, "p"),
    "wgan-gp_ttur": Look(GREEN, "^", "--"),
    "wgan-lp_images": Look(RED, "s"),
    "dcgan": Look(PURPLE, "P"),
    "dcgan_ttur": Look(PURPLE, "v", "--"),
    "began_images": Look(INDIGO, "D"),
    "mmd-gan_images": Look(SKY, "h"),
    "gaussian_images": Look(BROWN, "X", ":"),
}


def look(recipe: str) -> Look:
    """The look of a recipe, the same in all figures.

    One that is not listed gets a marker and dashes by its name, and the colour of what stands before its `_`.
    """
    if recipe in LOOKS:
        return LOOKS[recipe]
    digest = hashlib.sha256(recipe.encode()).digest()
    colours = (ORANGE, SKY, GREEN, PURPLE, BROWN)
    base = LOOKS.get(recipe.partition("_")[0])
    colour = base.colour if base else colours[digest[0] % len(colours)]
    return Look(colour, "opvhd"[digest[1] % 5], ("-", "--", "-.")[digest[2] % 3])


@contextmanager
def paper() -> Iterator[None]:
    """Inside it figures are made in this style, whatever the user's own matplotlib settings are."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(dict(sns.axes_style("ticks")) | SETTINGS)
        yield


def panels(
    count: int, columns: int, width: float, height: float, legend: float = 0.0, **options: Any
) -> tuple[Figure, list[Axes]]:
    """A figure of `count` panels, at least one, in rows of at most `columns`.

    In inches: `width` of the whole, `height` of a row, and `legend` for what stands below all rows. `options` are those
    of `Figure.subplots`.
    """
    count = max(count, 1)
    columns = min(columns, count)
    rows = -(-count // columns)
    figure = Figure(figsize=(width, height * rows + legend))
    axes = figure.subplots(rows, columns, squeeze=False, **options).ravel().tolist()
    for spare in axes[count:]:
        spare.remove()
    return figure, axes[:count]


def save(figure: Figure, folder: Path, name: str) -> None:
    """`<name>.pdf`, `.svg` and `.png`, each atomically, with no date in them. To be called inside `paper()`."""
    layout = figure.get_layout_engine()
    if layout is not None:
        layout.execute(figure)
        figure.set_layout_engine("none")
    for kind, metadata in METADATA.items():
        with atomic(folder / f"{name}.{kind}") as path:
            figure.savefig(path, format=kind, metadata=metadata)


def say(axes: Axes, sentence: str) -> None:
    """A sentence instead of data."""
    axes.text(0.5, 0.5, sentence, transform=axes.transAxes, ha="center", va="center", color=GREY, wrap=True)
    axes.set_axis_off()


def label_edges(axes: Sequence[Axes], columns: int, x: str, y: str) -> None:
    """Name the axes where panels in rows of `columns` have no neighbour: below each column, and left of each row."""
    for place, one in enumerate(axes):
        lowest = place + columns >= len(axes)
        one.set(xlabel=x if lowest else "", ylabel=y if place % columns == 0 else "")
        if lowest:
            one.xaxis.set_tick_params(labelbottom=True)


def log_n(axes: Axes, ns: list[int], labels: int = 4) -> None:
    """A logarithmic axis of sample sizes, with at most `labels` of them written."""
    axes.set_xscale("log")
    step = -(-len(ns) // labels)
    axes.xaxis.set_major_locator(FixedLocator(ns[::step]))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda n, _: f"{n:g}"))
    axes.xaxis.set_minor_locator(FixedLocator(ns))
    axes.xaxis.set_minor_formatter(FuncFormatter(lambda n, _: ""))


class ValueLocator(LogLocator):
    """1, 2 and 5 times powers of ten, or powers of ten alone if there are many of them."""

    def tick_values(self, vmin: float, vmax: float) -> Any:
        """Places of the ticks between two values."""
        self.set_params(subs=(1.0,) if vmax > MANY_DECADES * vmin else (1.0, 2.0, 5.0))
        return super().tick_values(vmin, vmax)


def log_ticks(axis: Axis) -> None:
    """Labels of a logarithmic axis of values."""
    axis.set_major_locator(ValueLocator(numticks=8))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_locator(NullLocator())


def log_value(axes: Axes) -> None:
    """A logarithmic axis of values, upwards."""
    axes.set_yscale("log")
    log_ticks(axes.yaxis)


def geometric_mean(values: Any) -> float:
    """exp of the mean logarithm."""
    return float(np.exp(np.mean(np.log(values))))


def t_interval(values: Any) -> tuple[float, float]:
    """Student's t interval of the mean over seeds at level 95 %; NaN for one value.

    On a logarithmic axis seaborn hands over logarithms, and the interval is that of the geometric mean.
    """
    given = np.asarray(values, dtype=np.float64)
    if len(given) < 2:
        return np.nan, np.nan
    reach = stats.t.ppf((1 + LEVEL) / 2, len(given) - 1) * given.std(ddof=1) / np.sqrt(len(given))
    return float(given.mean() - reach), float(given.mean() + reach)


def seeds_text(seeds: int) -> str:
    """`8 seeds`."""
    return f"{seeds} seed{'' if seeds == 1 else 's'}"

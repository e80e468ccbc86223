"""Figures of the study `coulomb_images`: what generators make, what it resembles, and how it scores."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from wgpipe.config import Study as Settings
from wgpipe.extractors import NEIGHBOURS
from wgpipe.metrics.picture_file import Pictures
from wgpipe.studies import arrange, style
from wgpipe.studies.coulomb_runs import named
from wgpipe.studies.dots import Quantity, draw_dots
from wgpipe.studies.image_runs import extractors, with_floors_of_equal_size

ACROSS = 2  # datasets beside each other
COLUMNS = 12  # images in a row
WHITE = 255
ROW = 0.22  # inches
NOTHING = "no image was generated"
BESIDE = ("precision", "recall")


def draw_samples(config: Settings, pictures: Sequence[Pictures], folder: Path) -> None:
    """`samples`: images of the first seed of each method, as they come, real ones first; one panel a dataset."""
    by_dataset = _arranged(config, pictures, [arrange.NULL_CONTROL])
    most = max((len(given) for given in by_dataset.values()), default=5)
    figure, axes = style.panels(len(by_dataset), ACROSS, style.PAGE, 0.3 + ROW * most)
    for ax, (dataset, given) in zip(axes, by_dataset.items(), strict=False):
        rows = [list(each.generated[0, :COLUMNS]) for each in given]
        _mosaic(ax, rows, [named(each.recipe) for each in given])
        ax.set_title(f"{dataset}, n = {given[0].n}, seed {given[0].seeds[0]}")
    if not by_dataset:
        style.say(axes[0], NOTHING)
    style.save(figure, folder, "samples")


def draw_neighbours(config: Settings, pictures: Sequence[Pictures], folder: Path) -> None:
    """`neighbours`: generated images above the nearest training images in pixels and in features, by method."""
    by_dataset = _arranged(config, [each for each in pictures if each.recipe not in config.controls], [])
    most = max((3 * len(given) for given in by_dataset.values()), default=6)
    figure, axes = style.panels(len(by_dataset), ACROSS, style.PAGE, 0.3 + 1.25 * ROW * most)
    for ax, (dataset, given) in zip(axes, by_dataset.items(), strict=False):
        rows: list[list[np.ndarray]] = []
        labels: list[str] = []
        for each in given:
            features = f"in features, of {NEIGHBOURS}" if each.n > NEIGHBOURS else "in features"
            nearest = {"in pixels": each.in_pixels, features: each.in_features}
            there = {where: images for where, images in nearest.items() if len(images)}
            rows += [list(each.shown), *map(list, there.values())]
            labels += [named(each.recipe), *there]
        _mosaic(ax, rows, labels, every=1 + len(there))
        ax.set_title(f"{dataset}, n = {given[0].n}, seed {given[0].seeds[0]}")
    if not by_dataset:
        style.say(axes[0], NOTHING)
    style.save(figure, folder, "neighbours")


def draw_scores(config: Settings, runs: pd.DataFrame, folder: Path) -> None:
    """`scores`: FID by each extractor, precision and recall by the first, with the floor of as many real images."""
    names = extractors(runs)
    quantities = [Quantity(f"fid:{name}", f"FID by {name}", log=True) for name in names]
    quantities += [Quantity(f"{score}:{name}", f"{score} by {name}") for name in names[:1] for score in BESIDE]
    shown = with_floors_of_equal_size(runs)
    draw_dots(config, shown, quantities, folder, "scores", "no finished run has an image score")


def draw_checks(config: Settings, runs: pd.DataFrame, folder: Path) -> None:
    """`checks`: balanced classes, support by the birthday test, and nearest-neighbour ratios."""
    quantities = (
        Quantity("feature_w1", "W1 in feature space"),
        Quantity("classes_balanced", "classes within a factor\nof 2 of their share"),
        Quantity("image_birthday_support", "support by the\nbirthday test", log=True),
        Quantity("pixel_neighbour_ratio", "distance to training /\nheld-out images, pixels"),
        Quantity("feature_neighbour_ratio", "the same,\nfeatures"),
    )
    draw_dots(config, runs, quantities, folder, "checks", "no finished run has features of images")


def _arranged(config: Settings, pictures: Sequence[Pictures], first: Sequence[str]) -> dict[str, list[Pictures]]:
    """Pictures by dataset, by name, each in the order of the recipes; of controls, those of `first` alone."""
    order = {recipe: place for place, recipe in enumerate([*first, *config.recipes])}
    known = sorted(
        (each for each in pictures if each.recipe in order), key=lambda each: (each.dataset, order[each.recipe])
    )
    return {name: [each for each in known if each.dataset == name] for name in dict.fromkeys(p.dataset for p in known)}


def _mosaic(ax: Axes, rows: Sequence[Sequence[np.ndarray]], labels: Sequence[str], every: int = 0) -> None:
    """Rows of images (channels, side, side) uint8 with a label each; with `every`, a gap after so many rows."""
    channels, side, _ = rows[0][0].shape
    edge, gap = max(side // 14, 1), max(side // 3, 2) if every else 0
    step, width = side + edge, max(map(len, rows))
    tops = [place * step + (place // every if every else 0) * gap for place in range(len(rows))]
    canvas = np.full((channels, tops[-1] + step, width * step), WHITE, dtype=np.uint8)
    for top, row in zip(tops, rows, strict=True):
        for column, image in enumerate(row):
            left = column * step
            canvas[:, top : top + side, left : left + side] = image
    shown = canvas[0] if channels == 1 else canvas.transpose(1, 2, 0)
    ax.imshow(shown, cmap="gray", vmin=0, vmax=WHITE, interpolation="nearest")
    ax.set_yticks([top + side / 2 for top in tops], labels)
    ax.set_xticks([])
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)

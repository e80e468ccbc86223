"""Patches of the photographs that scikit-learn and scikit-image ship: natural images without a download."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, NamedTuple

import numpy as np

from wgpipe.data import Card, Source
from wgpipe.data.images import ImageDataset
from wgpipe.data.pictures import decoded
from wgpipe.registry import register

SIDE = 32
STRIDE = 4  # pixels between neighbouring patches
TRAIN_SHARE = 2 / 3  # of a photograph's width


class Photograph(NamedTuple):
    """A file inside an installed package, and its size in pixels."""

    path: str
    sha256: str
    width: int
    height: int

    @property
    def source(self) -> Source:
        """Where it is taken from."""
        return Source(f"photograph-{Path(self.path).name}", (f"package:{self.path}",), sha256=self.sha256)

    @property
    def cut(self) -> int:
        """First column of the right part."""
        return round(TRAIN_SHARE * self.width)


PHOTOGRAPHS = (
    Photograph(
        "sklearn/datasets/images/china.jpg",
        "8378025ad2519d649d02e32bd98990db4ab572357d9f09841c2fbfbb4fefad29",
        640,
        427,
    ),
    Photograph(
        "sklearn/datasets/images/flower.jpg",
        "a77f6ec41e353afdf8bdff2ea981b2955535d8d83294f8cfa49cf4e423dd5638",
        640,
        427,
    ),
    Photograph(
        "skimage/data/astronaut.png",
        "88431cd9653ccd539741b555fb0a46b61558b301d4110412b5bc28b5e3ea6cb5",
        512,
        512,
    ),
    Photograph(
        "skimage/data/chelsea.png",
        "596aa1e7cb875eb79f437e310381d26b338a81c2da23439704a73c4651e8c4bb",
        451,
        300,
    ),
    Photograph(
        "skimage/data/coffee.png",
        "cc02f8ca188b167c775a7101b5d767d1e71792cf762c33d6fa15a4599b5a8de7",
        600,
        400,
    ),
    Photograph(
        "skimage/data/rocket.jpg",
        "c2dd0de7c538df8d111e479619b129464d0269d0ae5fd18ca91d33a7fdfea95c",
        640,
        427,
    ),
)


def count(width: int, height: int) -> int:
    """How many patches a part of a photograph gives; none if it is smaller than one."""
    return math.prod(max(0, (length - SIDE) // STRIDE + 1) for length in (width, height))


def patches(photograph: np.ndarray) -> np.ndarray:
    """(height, width, 3) uint8 -> (count, 3072) uint8, flattened as (channel, row, column), row of patches by row."""
    windows = np.lib.stride_tricks.sliding_window_view(photograph, (SIDE, SIDE), axis=(0, 1))
    chosen: np.ndarray = windows[::STRIDE, ::STRIDE]
    return chosen.reshape(-1, 3 * SIDE * SIDE)


@register("patches", cites=("pedregosa2011", "vanderwalt2014"))
class Patches(ImageDataset):
    """32×32 patches of six colour photographs, one every 4 pixels: to train, of the left two thirds of each.

    Patches of one split overlap and depend on each other; those of the right third share no pixel with the others, but
    do not show quite the same things either, so that scores of real against real patches are far from 0.
    """

    accepted: ClassVar[str] = "patches-32x32"
    shape: ClassVar[tuple[int, int, int]] = (3, SIDE, SIDE)

    def sources(self) -> tuple[Source, ...]:
        """Files inside the two packages."""
        return tuple(photograph.source for photograph in PHOTOGRAPHS)

    def card(self) -> Card:
        """Facts."""
        return self.image_card(
            title="overlapping 32×32 patches of six photographs",
            train_size=sum(count(one.cut, one.height) for one in PHOTOGRAPHS),
            test_size=sum(count(one.width - one.cut, one.height) for one in PHOTOGRAPHS),
            source="scikit-learn (china, flower) and scikit-image (astronaut, chelsea, coffee, rocket)",
            licence="CC BY 2.0 (china by danielbuechele, flower by vultilion), public domain or CC0 (the others)",
        )

    def prepare(self, files: Mapping[str, Path]) -> dict[str, np.ndarray]:
        """`train` and `test`, (N, 3072) uint8."""
        parts: dict[str, list[np.ndarray]] = {"train": [], "test": []}
        for one in PHOTOGRAPHS:
            file = files[one.source.file]
            pixels = np.asarray(decoded(file.read_bytes(), str(file), (one.width, one.height)))
            parts["train"].append(patches(pixels[:, : one.cut]))
            parts["test"].append(patches(pixels[:, one.cut :]))
        return {split: np.concatenate(part) for split, part in parts.items()}

"""LSUN bedrooms, from the publisher's lmdb or from its pictures exported to a folder or a .zip file."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import ClassVar, Self

import numpy as np

from wgpipe import placed
from wgpipe.data import Card, Source
from wgpipe.data.exports import pictures
from wgpipe.data.images import ImageDataset
from wgpipe.data.pictures import central_square, decoded, flattened, reduced
from wgpipe.data.rows import fill
from wgpipe.errors import UserError
from wgpipe.registry import register

SIDE = 64
PUBLISHED = 3_033_042  # pictures in bedroom_train_lmdb
TEST = 10_000
SOURCE = Source(
    file="lsun_bedroom.json",
    urls=("placed:bedroom_train_lmdb", "placed:lsun_bedroom", "placed:lsun_bedroom.zip"),
    page="https://www.yf.io/p/lsun (scene classification, bedroom, training set)",
)


def key(name: str) -> tuple[str, str]:
    """What pictures are ordered by: the publisher's key, which exports keep as the file's name without its ending."""
    return PurePosixPath(name).stem, name


@register("lsun_bedroom", cites=("yu2015",))
class LsunBedroom(ImageDataset):
    """Photographs of bedrooms (Yu et al. 2015), all or as many as the name says.

    The publisher gives no checksum. Its keys are hashes, so that the first 10 000 in their order, the test split, are a
    random choice; those that follow are the training split.
    """

    accepted: ClassVar[str] = "lsun_bedroom-64x64, or lsun_bedroom-64x64-<training pictures>"
    shape: ClassVar[tuple[int, int, int]] = (3, SIDE, SIDE)
    test: ClassVar[int] = TEST

    train: int

    @classmethod
    def from_name(cls, name: str) -> Self:
        """`lsun_bedroom-64x64-290000` -> 290 000 pictures to train; without a number, all but those of the test."""
        match = re.fullmatch(rf"{cls.registered_name}-{cls.size()}(?:-([1-9]\d*))?", name)
        if match is None or int(match[1] or 1) > PUBLISHED - TEST:
            raise UserError(f"dataset '{name}' is unknown; accepted: {cls.accepted}, up to {PUBLISHED - TEST}.")
        return cls.model_validate({"name": name, "train": int(match[1] or PUBLISHED - TEST)})

    def sources(self) -> tuple[Source, ...]:
        """A record of what the user has placed: the lmdb's folder, a folder of pictures, or a .zip file of them."""
        return (SOURCE,)

    def card(self) -> Card:
        """Facts."""
        return self.image_card(
            title=f"LSUN bedrooms, the central square reduced to {SIDE}×{SIDE} pixels",
            train_size=self.train,
            test_size=self.test,
            source="LSUN, bedroom training set, by Yu, Seff, Zhang, Song, Funkhouser and Xiao; test split held out",
            licence="none stated; photographs of many owners, for research",
        )

    def prepare_in(self, folder: Path, files: Mapping[str, Path]) -> dict[str, np.ndarray]:
        """`train` (train, 12288) and `test` (10000, 12288), uint8."""
        record = files[SOURCE.file]
        path = placed.check(record)
        with pictures(path) as rooms:
            names = sorted(rooms.names, key=key)
            wanted = self.test + self.train
            if len(names) < wanted:
                fitting = f"lsun_bedroom-{self.size()}-{len(names) - self.test}"
                accepted = f"; accepted: {fitting}, or smaller" if len(names) > self.test else ""
                raise UserError(f"{path} holds {len(names)} pictures, and {self.name} needs {wanted}{accepted}.")
            rows = fill(
                folder / f"{self.name}-{placed.sha256(record)[:16]}",
                wanted,
                math.prod(self.shape),
                lambda index: room(rooms.read(names[index]), f"{path}: {names[index]}"),
            )
        return {"test": rows[: self.test], "train": rows[self.test :]}


def room(content: bytes, name: str) -> np.ndarray:
    """(12288,) uint8 of an encoded picture of at least 64 pixels a side."""
    picture = decoded(content, name)
    side = max(SIDE, min(picture.size))
    return flattened(reduced(central_square(picture, side, name), SIDE))

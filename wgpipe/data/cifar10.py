"""CIFAR-10, from the binary archive: the one for Python is made of pickles."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

import numpy as np

from wgpipe.data import Card, Source
from wgpipe.data.archives import read_tar
from wgpipe.data.images import ImageDataset
from wgpipe.errors import UserError
from wgpipe.registry import register

SHAPE = (3, 32, 32)
SOURCE = Source(
    file="cifar-10-binary.tar.gz",
    urls=(
        "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
        "https://cave.cs.toronto.edu/kriz/cifar-10-binary.tar.gz",
        "https://storage.googleapis.com/s4tf-hosted-binaries/datasets/CIFAR10/cifar-10-binary.tar.gz",
    ),
    md5="c32a1d4ab5d03f1284b67883e8d87530",
)
FOLDER = "cifar-10-batches-bin"
SPLITS = {"train": [f"data_batch_{i}.bin" for i in range(1, 6)], "test": ["test_batch.bin"]}


def read_batch(content: bytes, name: str, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Labels (count,) and pixels (count, 3072) of a batch: records of a label's byte and the pixels of an image.

    Pixels are ordered by channel, row and column. Raises `UserError` for another number of bytes, or a label above 9.
    """
    size = 1 + math.prod(SHAPE)
    if len(content) != count * size:
        raise UserError(f"{name} holds {len(content)} bytes; accepted: {count * size}, {count} records of {size} each.")
    records: np.ndarray = np.frombuffer(content, dtype=np.uint8).reshape(count, size)
    labels, pixels = records[:, 0], records[:, 1:]
    if labels.max() > 9:
        raise UserError(f"{name} has label {labels.max()}; accepted: 0 to 9.")
    return labels, pixels


@register("cifar10", cites=("krizhevsky2009",))
class Cifar10(ImageDataset):
    """Small photographs of ten kinds of animals and vehicles (Krizhevsky 2009)."""

    accepted: ClassVar[str] = "cifar10-32x32"
    classes: ClassVar[int] = 10
    shape: ClassVar[tuple[int, int, int]] = SHAPE
    batch: ClassVar[int] = 10_000

    def sources(self) -> tuple[Source, ...]:
        """The archive, by the md5 that its page gives."""
        return (SOURCE,)

    def card(self) -> Card:
        """Facts."""
        return self.image_card(
            title="CIFAR-10 photographs, 32×32 pixels",
            train_size=self.batch * len(SPLITS["train"]),
            test_size=self.batch * len(SPLITS["test"]),
            source="CIFAR-10 (binary version), by Krizhevsky, Nair and Hinton",
            licence="none stated; its authors ask to cite their report",
        )

    def prepare(self, files: Mapping[str, Path]) -> dict[str, np.ndarray]:
        """`train` (50000, 3072) and `test` (10000, 3072), and their labels, uint8."""
        path = files[SOURCE.file]
        contents = read_tar(path, [f"{FOLDER}/{batch}" for batches in SPLITS.values() for batch in batches])
        arrays = {}
        for split, batches in SPLITS.items():
            read = [
                read_batch(contents[f"{FOLDER}/{batch}"], f"{path}: {FOLDER}/{batch}", self.batch) for batch in batches
            ]
            arrays[f"{split}_labels"] = np.concatenate([labels for labels, _ in read])
            arrays[split] = np.concatenate([pixels for _, pixels in read])
        return arrays

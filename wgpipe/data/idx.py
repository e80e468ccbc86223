"""Images in the idx format of MNIST: reading it, and what the datasets in this format share."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Literal, Self

import numpy as np

from wgpipe.data import Card, FiniteDataset, Source
from wgpipe.errors import UserError

SIDE = 28
SPLITS = {"train": ("train", 60000), "test": ("t10k", 10000)}
UNSIGNED_BYTE = 0x08


def read(path: Path, shape: tuple[int, ...]) -> np.ndarray:
    """The array of an idx file of unsigned bytes that must have this shape.

    The format: two zero bytes, the type, the number of axes, each length as a big-endian uint32, then the values.
    Raises `UserError` for any other type, shape or length of file.
    """
    content = path.read_bytes()
    magic = bytes([0, 0, UNSIGNED_BYTE, len(shape)])
    if content[:4] != magic:
        raise UserError(f"{path} begins with bytes {content[:4].hex()}; accepted: {magic.hex()}, an idx file of bytes.")
    header = np.array(shape, dtype=">u4").tobytes()
    if content[4 : 4 + len(header)] != header:
        raise UserError(f"{path} is not an idx array of shape {shape}.")
    start, size = 4 + len(header), math.prod(shape)
    if len(content) != start + size:
        raise UserError(f"{path} holds {len(content) - start} values; accepted: {size}, as its shape {shape} says.")
    values: np.ndarray = np.frombuffer(content, dtype=np.uint8, offset=start)
    return values.reshape(shape)


def reduce(images: np.ndarray, side: int) -> np.ndarray:
    """(N, 28, 28) uint8 -> (N, side²) float32 in [-1, 1]: averages over squares; `side` divides 28."""
    block = SIDE // side
    sums = images.reshape(-1, side, block, side, block).sum(axis=(2, 4), dtype=np.uint32)
    averages: np.ndarray = sums.reshape(len(images), -1).astype(np.float32)
    averages /= 127.5 * block**2
    averages -= 1
    return averages


class IdxImages(FiniteDataset):
    """28×28 grey images, 60 000 to train and 10 000 to test, reduced to 14×14 or 7×7 where the name asks for it."""

    classes: ClassVar[int] = 10
    title: ClassVar[str]
    origin: ClassVar[str]
    licence: ClassVar[str]
    folders: ClassVar[tuple[str, ...]]  # URLs, tried in order
    checksums: ClassVar[dict[str, str]]  # file inside the .gz -> sha256

    side: Literal[28, 14, 7]

    @classmethod
    def from_name(cls, name: str) -> Self:
        """`mnist-14x14`, and 28x28 or 7x7 likewise; `UserError` for any other."""
        match = re.fullmatch(rf"{cls.registered_name}-(?:28x28|14x14|7x7)", name)
        if match is None:
            raise UserError(f"dataset '{name}' is unknown; accepted: {cls.accepted}.")
        return cls.model_validate({"name": name, "side": int(name.rsplit("x", 1)[1])})

    def sources(self) -> tuple[Source, ...]:
        """Four .gz files: images and labels of both splits. Their names begin with the family's."""
        return tuple(
            Source(
                file=f"{self.registered_name}-{file}",
                urls=tuple(f"{folder}/{file}.gz" for folder in self.folders),
                sha256=checksum,
            )
            for file, checksum in self.checksums.items()
        )

    def card(self) -> Card:
        """Facts. `latent` 16 is a choice; `radius` is that of the cube [-1, 1]^d, an upper bound."""
        return Card(
            name=self.name,
            title=f"{self.title}, {self.side}×{self.side} pixels",
            dimension=self.side**2,
            intrinsic=None,
            latent=16,
            train_size=SPLITS["train"][1],
            test_size=SPLITS["test"][1],
            radius=self.side,
            source=self.origin,
            licence=self.licence,
            cites=self.cites,
            shape=(1, self.side, self.side),
        )

    def prepare(self, files: Mapping[str, Path]) -> dict[str, np.ndarray]:
        """`train` (60000, d) and `test` (10000, d), float32 in [-1, 1], and their labels, uint8."""
        arrays = {}
        for split, (prefix, count) in SPLITS.items():
            images = read(files[f"{self.registered_name}-{prefix}-images-idx3-ubyte"], (count, SIDE, SIDE))
            arrays[split] = reduce(images, self.side)
            arrays[f"{split}_labels"] = read(files[f"{self.registered_name}-{prefix}-labels-idx1-ubyte"], (count,))
        return arrays

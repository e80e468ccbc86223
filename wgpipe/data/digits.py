"""Scikit-learn's copy of the handwritten digits of the UCI repository, 8×8 pixels."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Self

import numpy as np

from wgpipe import rng
from wgpipe.data import Card, FiniteDataset, Source
from wgpipe.errors import UserError
from wgpipe.registry import register

PIXELS = 64
POINTS = 1797
TRAIN = 1198  # two thirds
SOURCE = Source(
    file="digits.csv",
    urls=("package:sklearn/datasets/data/digits.csv.gz",),
    sha256="6ebb3d2fee246a4e99363262ddf8a00a3c41bee6014c373ed9d9216ba7f651b8",
)


@register("digits", cites=("alpaydin1998",))
class Digits(FiniteDataset):
    """Counts 0 … 16 of ink, scaled to [0, 1]. Split once, at random, into 1198 training and 599 test points."""

    accepted: ClassVar[str] = "digits"

    @classmethod
    def from_name(cls, name: str) -> Self:
        """Only `digits`; `UserError` for any other."""
        if name != cls.registered_name:
            raise UserError(f"dataset '{name}' is unknown; accepted: {cls.accepted}.")
        return cls(name=name)

    def sources(self) -> tuple[Source, ...]:
        """One .csv of 64 pixels and a label a row."""
        return (SOURCE,)

    def card(self) -> Card:
        """Facts. `latent` 10 is a choice; `radius` is that of the cube [0, 1]^64, an upper bound."""
        return Card(
            name=self.name,
            title="handwritten digits, 8×8 pixels in [0, 1]",
            dimension=PIXELS,
            intrinsic=None,
            latent=10,
            train_size=TRAIN,
            test_size=POINTS - TRAIN,
            radius=PIXELS**0.5 / 2,
            source="UCI, Optical Recognition of Handwritten Digits (test part), as shipped with scikit-learn",
            licence="CC BY 4.0",
            cites=self.cites,
        )

    def prepare(self, files: Mapping[str, Path]) -> dict[str, np.ndarray]:
        """`train` (1198, 64) and `test` (599, 64), float32, and their labels, uint8."""
        table = np.loadtxt(files[SOURCE.file], delimiter=",", dtype=np.uint8)
        order = rng.stream("split", self.name).permutation(len(table))
        points = table[order, :PIXELS].astype(np.float32) / 16
        labels = table[order, PIXELS]
        return {
            "train": points[:TRAIN],
            "test": points[TRAIN:],
            "train_labels": labels[:TRAIN],
            "test_labels": labels[TRAIN:],
        }

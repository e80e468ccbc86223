"""A tiny dataset of images with labels: horizontal or vertical stripes under noise."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Self

import numpy as np

from wgpipe.data import Card, FiniteDataset
from wgpipe.registry import register
from wgpipe.rng import stream

SIDE = 8
SIZES = {"train": 640, "test": 200}


@register("stripes")
class Stripes(FiniteDataset):
    """8×8 grey images of two classes."""

    accepted: ClassVar[str] = "stripes"
    classes: ClassVar[int] = 2

    @classmethod
    def from_name(cls, name: str) -> Self:
        return cls(name=name)

    def card(self) -> Card:
        sizes = {f"{split}_size": size for split, size in SIZES.items()}
        facts = {"dimension": SIDE**2, "intrinsic": None, "latent": 4, "radius": float(SIDE), "shape": (1, SIDE, SIDE)}
        return Card(name=self.name, title="stripes", source="this file", licence="MIT", **sizes, **facts)

    def prepare(self, files: Mapping[str, Path]) -> dict[str, np.ndarray]:
        arrays = {}
        for split, size in SIZES.items():
            draws = stream("stripes", split)
            labels = draws.integers(2, size=size).astype(np.uint8)
            lines = np.where(draws.random((size, SIDE)) < 0.5, -0.6, 0.6)
            pictures = np.broadcast_to(lines[:, None], (size, SIDE, SIDE)).copy()
            pictures[labels == 1] = pictures[labels == 1].transpose(0, 2, 1)
            noisy = pictures + 0.2 * draws.standard_normal(pictures.shape)
            arrays[split] = np.clip(noisy, -1, 1).astype(np.float32).reshape(size, -1)
            arrays[f"{split}_labels"] = labels
        return arrays


@register("bare")
class Bare(Stripes):
    """The same without labels."""

    accepted: ClassVar[str] = "bare"
    classes: ClassVar[int] = 0

    def prepare(self, files: Mapping[str, Path]) -> dict[str, np.ndarray]:
        return {name: array for name, array in super().prepare(files).items() if name in SIZES}

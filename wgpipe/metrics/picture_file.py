"""A file of generated images and the training images nearest to them. Reading it loads no torch."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from wgpipe.atomic import atomic
from wgpipe.stored import reading


@dataclass(frozen=True)
class Pictures:
    """Images (channels, height, width) uint8 of one dataset and recipe, at its largest n.

    `generated` (E, k, ...) by seed, ascending; `shown` (m, ...) the first of them of the first seed, and beside them
    the training images nearest to these, `in_pixels` and `in_features` (of no extractor: empty).
    """

    dataset: str
    recipe: str
    n: int
    seeds: np.ndarray
    generated: np.ndarray
    shown: np.ndarray
    in_pixels: np.ndarray
    in_features: np.ndarray


def read_pictures(file: Path) -> Pictures:
    """What `write_pictures` wrote; `UserError` for another file."""
    with reading(file, "make it again by `wgpipe pictures`"):
        with np.load(file, allow_pickle=False) as stored:
            arrays: dict[str, Any] = {name: stored[name] for name in stored.files}
        dataset, recipe, n = (arrays.pop(name).item() for name in ("dataset", "recipe", "n"))
        return Pictures(dataset, recipe, n, **arrays)


def save_pictures(pictures: Pictures, out: Path) -> None:
    """One .npz file, atomically; the same pictures give the same bytes."""
    arrays: dict[str, Any] = {name: np.asarray(value) for name, value in asdict(pictures).items()}
    out.parent.mkdir(parents=True, exist_ok=True)
    with atomic(out) as path, path.open("wb") as file:
        np.savez_compressed(file, **arrays)

"""Blocks whose members generate given images, and an extractor whose features are the pixels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np

from wgpipe.data import FiniteDataset, dataset
from wgpipe.data.pixels import images
from wgpipe.extractors.reference import reference_rows
from wgpipe.rng import run_stream, sample_stream, stream

NAME, SHAPE = "mnist-7x7", (1, 7, 7)
Made = Callable[[int, int], np.ndarray]  # member, count -> images


def noise(key: str, count: int) -> np.ndarray:
    """(count, 49) independent grey values in [-1, 1], as 256 levels."""
    return (stream("test-images", key).integers(256, size=(count, 49)) / 127.5 - 1).astype(np.float32)


def fresh(member: int, count: int) -> np.ndarray:
    """Images of the same law as the data."""
    return images(real(), noise(f"fresh {member}", count))


def real() -> FiniteDataset:
    found = dataset(NAME)
    assert isinstance(found, FiniteDataset)
    return found


@dataclass
class Images:
    """What `TrainedBlock` offers of images: noise of 7×7 pixels, 600 to train and 2000 to test; two members."""

    made: Made = fresh
    n: int = 400
    recipe: str = "dcgan"
    lost: tuple[bool, bool] = (False, False)

    @property
    def job(self) -> SimpleNamespace:
        arrays = {"train": noise("train", 600), "test": noise("test", 2000)}
        arrays |= {"test_labels": np.repeat(np.arange(10, dtype=np.uint8), 200)}
        recipe = SimpleNamespace(method=SimpleNamespace(name=self.recipe))
        return SimpleNamespace(
            dataset=real(),
            arrays=arrays,
            n=self.n,
            seeds=(0, 1),
            recipe=recipe,
            streams=lambda: [sample_stream(NAME, seed) for seed in (0, 1)],
        )

    @property
    def dataset_name(self) -> str:
        return NAME

    def streams(self, purpose: str) -> list[np.random.Generator]:
        return [run_stream(NAME, self.n, seed, purpose) for seed in (0, 1)]

    def generated_images(self, count: int) -> np.ndarray:
        return np.stack([self.made(member, count) for member in (0, 1)])

    def finite(self, count: int) -> np.ndarray:
        return ~np.asarray(self.lost)

    def training(self, member: int) -> np.ndarray:
        """All images that a member was trained on."""
        arrays = self.job.arrays["train"]
        return images(real(), real().rows(arrays, sample_stream(NAME, member), self.n))


def by_pixels(block: Images, name: str, given: np.ndarray) -> np.ndarray:
    """Features that are the pixels, in bytes."""
    return given.reshape(len(given), -1).astype(np.float32)


def features_of(block: Images, name: str, count: int) -> np.ndarray:
    found = np.stack([by_pixels(block, name, each) for each in block.generated_images(count)])
    found[~block.finite(count)] = np.nan
    return found


def reference_features(block: Images, name: str, split: str, count: int) -> np.ndarray:
    rows = reference_rows(real(), block.job.arrays, "test", count)
    return by_pixels(block, name, images(real(), block.job.arrays[split][rows]))

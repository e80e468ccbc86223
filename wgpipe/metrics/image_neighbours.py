"""Does a generator of images repeat its training images?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import repeat
from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field, PositiveInt

from wgpipe.data import FiniteDataset
from wgpipe.data.pixels import images
from wgpipe.extractors import wanted
from wgpipe.extractors.features import (
    draws_real_images,
    features_of,
    features_of_images,
    reference_features,
    reference_images,
)
from wgpipe.metrics import Metric
from wgpipe.metrics.neighbours import neighbour_ratio
from wgpipe.registry import register

if TYPE_CHECKING:
    from wgpipe.train.evaluate import TrainedBlock


@register("image_neighbours", cites=("unterthiner2018",))
class ImageNeighbours(Metric):
    """Mean distance of generated images to their nearest training image, over that to equally many held-out ones.

    1 for a generator that owes its training images no more than their law, 0 for one that repeats them all; in pixels
    (`pixel_neighbour_ratio`) and in the features of the first extractor (`feature_neighbour_ratio`). Both sets have
    `real` images, or as many as there are: where the training sample is larger, copies of its other images are not
    found, and a generator that copies has 1 - real / n. The control `oracle` draws training images, so held-out ones
    that are not among those compared with stand in for it. Other data than images have nothing.
    """

    extractors: tuple[str, ...] = Field(
        ("classifier",), min_length=1, description="the first that fits the data says in which features"
    )
    datasets: tuple[str, ...] = Field((), description="datasets that are measured; none: all of images")
    real: PositiveInt = Field(10000, description="training images, and held-out ones, that are compared with")
    generated: PositiveInt = Field(2048, description="generated images")

    def measure(self, block: TrainedBlock) -> dict[str, tuple[np.ndarray, str]]:  # type: ignore[override]
        """Both quantities -> ((E,) float64, protocol)."""
        card, names = block.job.dataset.card(), wanted(dict(self), block.job.dataset)
        if not names:
            return {}
        name = names[0]
        assert card.test_size is not None
        sets = min(self.real, block.job.n, card.test_size - self.generated)
        made: Iterable[np.ndarray]
        features: Iterable[np.ndarray]
        if draws_real_images(block):
            made, features = self._held_out(block, sets, name)
        else:
            made, features = generated_pixels(block, self.generated), features_of(block, name, self.generated)
        train = list(training_images(block, sets))
        train_features = (features_of_images(block, name, each) for each in train)
        held_out = pixels(reference_images(block, "test", sets))
        held_out_features = reference_features(block, name, "test", sets)
        return {
            "pixel_neighbour_ratio": self._ratios(made, map(pixels, train), held_out, "pixels"),
            "feature_neighbour_ratio": self._ratios(features, train_features, held_out_features, name),
        }

    def _held_out(self, block: TrainedBlock, sets: int, name: str) -> tuple[Iterable[np.ndarray], Iterable[np.ndarray]]:
        """Pixels and features, (k, ·) for every member, of real images after those that are compared with."""
        fresh, members = reference_images(block, "test", sets + self.generated)[sets:], len(block.job.seeds)
        both = pixels(fresh), features_of_images(block, name, fresh)
        return repeat(both[0], members), repeat(both[1], members)

    def _ratios(
        self, made: Iterable[np.ndarray], train: Iterable[np.ndarray], held_out: np.ndarray, space: str
    ) -> tuple[np.ndarray, str]:
        """(k, f) and (m, f) member after member, (m, f) -> (E,) and the protocol."""
        unseen, ratios, count = held_out.astype(np.float64, copy=False), [], 0
        for points, others in zip(made, train, strict=True):
            ratios.append(neighbour_ratio(points.astype(np.float64), others.astype(np.float64, copy=False), unseen))
            count = len(points)
        protocol = f"neighbours[generated={count},sets={len(held_out)},in={space}]"
        return np.asarray(ratios, dtype=np.float64), protocol


def training_images(block: TrainedBlock, count: int) -> Iterator[np.ndarray]:
    """(count, channels, height, width) uint8, the first of each member's training sample, member after member."""
    job = block.job
    assert isinstance(job.dataset, FiniteDataset)
    return (images(job.dataset, job.dataset.rows(job.arrays["train"], stream, count)) for stream in job.streams())


def generated_pixels(block: TrainedBlock, count: int) -> Iterator[np.ndarray]:
    """(k, d) float64 in [-1, 1] of every member, rounded as bytes are; NaN of one that gave anything not finite."""
    for images_of, finite in zip(block.generated_images(count), block.finite(count), strict=True):
        yield pixels(images_of) if finite else np.full((len(images_of), images_of[0].size), np.nan)


def pixels(given: np.ndarray) -> np.ndarray:
    """(..., channels, height, width) uint8 -> (..., d) float64 in [-1, 1]."""
    return given.reshape(*given.shape[:-3], -1) / 127.5 - 1

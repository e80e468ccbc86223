"""Does a generator of images repeat its training images?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field, PositiveInt

from wgpipe.data import FiniteDataset
from wgpipe.data.pixels import images
from wgpipe.extractors import wanted
from wgpipe.extractors.features import features_of, features_of_images, reference_features, reference_images
from wgpipe.metrics import Metric
from wgpipe.metrics.neighbours import neighbour_ratio
from wgpipe.registry import register
from wgpipe.rng import sample_stream

if TYPE_CHECKING:
    from wgpipe.train.evaluate import TrainedBlock

CONTROL = "oracle"


@register("image_neighbours", cites=("unterthiner2018",))
class ImageNeighbours(Metric):
    """Mean distance of generated images to their nearest training image, over that to equally many held-out ones.

    1 for a generator that owes its training images no more than their law, 0 for one that repeats them all; in pixels
    (`pixel_neighbour_ratio`) and in the features of the first extractor (`feature_neighbour_ratio`). Both sets have
    `real` images, or as many as there are: where the training sample is larger, copies of its other images are not
    found, and a generator that copies has 1 - real / n. The control `oracle` draws training images, so held-out ones
    that are not among those compared with stand in for it. Other data than images have nothing.
    """

    extractors: tuple[str, ...] = Field(("classifier",), min_length=1, description="the first says in which features")
    datasets: tuple[str, ...] = Field((), description="datasets that are measured; none: all of images")
    real: PositiveInt = Field(10000, description="training images, and held-out ones, that are compared with")
    generated: PositiveInt = Field(2048, description="generated images")

    def measure(self, block: TrainedBlock) -> dict[str, tuple[np.ndarray, str]]:  # type: ignore[override]
        """Both quantities -> ((E,) float64, protocol)."""
        card, name = block.job.dataset.card(), self.extractors[0]
        if not wanted(dict(self), block.job.dataset):
            return {}
        assert card.test_size is not None
        sets = min(self.real, block.job.n, card.test_size - self.generated)
        if block.job.recipe.method.name == CONTROL:
            made, features = self._held_out(block, sets)
        else:
            made, features = generated_pixels(block, self.generated), features_of(block, name, self.generated)
        train = training_images(block, sets)
        train_features = [features_of_images(block, name, each) for each in train]
        held_out, held_out_features = (
            reference_images(block, "test", sets),
            reference_features(block, name, "test", sets),
        )
        return {
            "pixel_neighbour_ratio": self._ratios(made, [pixels(each) for each in train], pixels(held_out), "pixels"),
            "feature_neighbour_ratio": self._ratios(features, train_features, held_out_features, name),
        }

    def _held_out(self, block: TrainedBlock, sets: int) -> tuple[np.ndarray, np.ndarray]:
        """Pixels and features, (E, k, ·) each, of real images after those that are compared with."""
        fresh, members = reference_images(block, "test", sets + self.generated)[sets:], len(block.job.seeds)
        both = pixels(fresh), features_of_images(block, self.extractors[0], fresh)
        repeated = [np.broadcast_to(each, (members, *each.shape)) for each in both]
        return repeated[0], repeated[1]

    def _ratios(
        self, made: np.ndarray, train: list[np.ndarray], held_out: np.ndarray, space: str
    ) -> tuple[np.ndarray, str]:
        """(E, k, f), E times (m, f), (m, f) -> (E,) and the protocol."""
        unseen = held_out.astype(np.float64)
        pairs = zip(made, train, strict=True)
        ratios = [neighbour_ratio(x.astype(np.float64), y.astype(np.float64), unseen) for x, y in pairs]
        protocol = f"neighbours[generated={made.shape[1]},sets={len(held_out)},in={space}]"
        return np.asarray(ratios, dtype=np.float64), protocol


def training_images(block: TrainedBlock, count: int) -> list[np.ndarray]:
    """(count, channels, height, width) uint8, the first of each member's training sample."""
    job = block.job
    assert isinstance(job.dataset, FiniteDataset)
    streams = [sample_stream(job.dataset.name, seed) for seed in job.seeds]
    return [images(job.dataset, job.dataset.rows(job.arrays["train"], stream, count)) for stream in streams]


def generated_pixels(block: TrainedBlock, count: int) -> np.ndarray:
    """(E, k, d) float64 in [-1, 1], rounded as bytes are; NaN for a member that gave anything that is not finite."""
    points = pixels(block.generated_images(count))
    points[~block.finite(count)] = np.nan
    return points


def pixels(given: np.ndarray) -> np.ndarray:
    """(..., channels, height, width) uint8 -> (..., d) float64 in [-1, 1]."""
    return given.reshape(*given.shape[:-3], -1) / 127.5 - 1

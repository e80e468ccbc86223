"""Generated images and the training images nearest to them, as a file that figures are drawn from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from wgpipe.errors import UserError
from wgpipe.extractors import NEIGHBOURS
from wgpipe.extractors.features import features_of_images
from wgpipe.extractors.reference import FeatureFiles
from wgpipe.metrics.image_neighbours import pixels, training_images
from wgpipe.metrics.nearest import nearest
from wgpipe.metrics.picture_file import Pictures, save_pictures
from wgpipe.train import files
from wgpipe.train.evaluate import TrainedBlock
from wgpipe.train.job import Job

CHUNK = 10_000  # training images that are compared with at once


def write_pictures(
    recipe: Path,
    data: Path,
    blocks: Sequence[Path],
    out: Path,
    counts: tuple[int, int],
    features: FeatureFiles | None = None,
    extractor: str | None = None,
) -> None:
    """`counts`: generated images of each seed, and those of the first seed with the nearest training images beside.

    Of the blocks of the largest n. Raises `UserError` for a dataset without images.
    """
    runs = [(files.read_run(folder), folder) for folder in blocks]
    largest = max(run["n"] for run, _ in runs)
    chosen = sorted((tuple(run["seeds"]), folder) for run, folder in runs if run["n"] == largest)
    made = [TrainedBlock(Job.read(recipe, data, largest, seeds), folder, features) for seeds, folder in chosen]
    first = made[0]
    if first.job.dataset.card().shape is None:
        raise UserError(f"dataset '{first.dataset_name}' has no images, so there are no pictures of it.")
    generated = np.concatenate([block.generated_images(counts[0]) for block in made])
    shown = generated[0, : counts[1]]
    in_pixels, in_features = _nearest(first, shown, extractor)
    pictures = Pictures(
        dataset=first.dataset_name,
        recipe=first.job.recipe_name,
        n=largest,
        seeds=np.array([seed for seeds, _ in chosen for seed in seeds]),
        generated=generated,
        shown=shown,
        in_pixels=in_pixels,
        in_features=in_features,
    )
    save_pictures(pictures, out)


def _nearest(block: TrainedBlock, shown: np.ndarray, extractor: str | None) -> tuple[np.ndarray, np.ndarray]:
    """Of the first member's training images, those nearest to the shown ones in pixels and in features.

    In features, of the first `NEIGHBOURS`: networks see some images a second.
    """
    train = next(training_images(block, block.job.n))
    by_pixels = _closest(pixels(shown), map(pixels, _chunks(train)))
    if extractor is None:
        return train[by_pixels], train[:0]
    spaces = (features_of_images(block, extractor, part) for part in _chunks(train[:NEIGHBOURS]))
    return train[by_pixels], train[_closest(features_of_images(block, extractor, shown), spaces)]


def _chunks(images: np.ndarray) -> Iterator[np.ndarray]:
    return (images[i : i + CHUNK] for i in range(0, len(images), CHUNK))


def _closest(points: np.ndarray, parts: Iterable[np.ndarray]) -> np.ndarray:
    """(m, f), parts of (k, f) -> (m,) numbers of the nearest rows over all parts, the first of equals."""
    least, best, start = np.full(len(points), np.inf), np.zeros(len(points), dtype=np.intp), 0
    for part in parts:
        distance, row = nearest(points.astype(np.float64), part.astype(np.float64))
        closer = distance < least
        least[closer], best[closer] = distance[closer], start + row[closer]
        start += len(part)
    return best

"""What metrics ask of images: features of generated and of real ones, and predicted classes.

Everything is computed once for a trained block and kept there, whichever metric asks first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from wgpipe.data import FiniteDataset
from wgpipe.data.pixels import images
from wgpipe.errors import UserError
from wgpipe.extractors import Extractor, extractor
from wgpipe.extractors.extraction import Layers, extract
from wgpipe.extractors.reference import FeatureFiles, Split, reference_rows

if TYPE_CHECKING:
    from wgpipe.train.evaluate import TrainedBlock

CLASSIFIER = "classifier"


def features_of(block: TrainedBlock, name: str, count: int) -> np.ndarray:
    """(E, k, f) float32 features of the generated images; NaN for a member that gave anything that is not finite."""
    chosen = extractor(name)
    return _generated_layers(block, chosen, count)[chosen.layer]


def logits_of(block: TrainedBlock, name: str, count: int) -> np.ndarray:
    """(E, k, classes) float32 logits of the generated images, likewise; of extractors that have them."""
    chosen = extractor(name)
    assert chosen.logits is not None
    return _generated_layers(block, chosen, count)[chosen.logits]


def classes_of(block: TrainedBlock, count: int) -> np.ndarray:
    """(E, k) int64: the class of each generated image, as the classifier sees it; -1 where its logits are NaN."""
    logits = logits_of(block, CLASSIFIER, count)
    found: np.ndarray = np.where(np.isfinite(logits).all(axis=2), logits.argmax(axis=2), -1)
    return found


def features_of_images(block: TrainedBlock, name: str, given: np.ndarray) -> np.ndarray:
    """(k, channels, height, width) uint8 -> (k, f) float32 features of any images, such as a training sample."""
    chosen, files = extractor(name), _files(block)
    return extract(chosen, files.weights(chosen), given, files.facts(chosen)["weights"])[chosen.layer]


def reference_features(block: TrainedBlock, name: str, split: Split, count: int) -> np.ndarray:
    """(m, f) float32 features of the first real images of a fixed permutation; m = count, or all of a small split.

    Raises `UserError` if fewer are kept than asked for and there.
    """
    chosen, files = extractor(name), _files(block)
    key = ("reference", chosen.pass_name)
    if key not in block.kept:
        block.kept[key] = files.read(chosen)
    stored: np.ndarray = block.kept[key][f"{split}/{chosen.layer}"]
    size = min(count, len(block.job.arrays[split]))
    if size > len(stored):
        raise UserError(
            f"{files.record(chosen)} holds {len(stored)} images of the split '{split}', and {size} were asked for; give"
            " the metric's setting 'real' that number."
        )
    return stored[:size]


def reference_images(block: TrainedBlock, split: Split, count: int) -> np.ndarray:
    """(m, channels, height, width) uint8: the images of `reference_features`."""
    given = block.job.dataset
    assert isinstance(given, FiniteDataset)
    return images(given, block.job.arrays[split][reference_rows(given, block.job.arrays, split, count)])


def reference_labels(block: TrainedBlock, split: Split, count: int) -> np.ndarray:
    """(m,) classes of the images of `reference_features`, of a dataset with labels."""
    given = block.job.dataset
    assert isinstance(given, FiniteDataset)
    chosen: np.ndarray = block.job.arrays[f"{split}_labels"][reference_rows(given, block.job.arrays, split, count)]
    return chosen


def weights_sha256(block: TrainedBlock, name: str) -> str:
    """Of the weights by which features were computed."""
    return str(_files(block).facts(extractor(name))["weights"])


def _generated_layers(block: TrainedBlock, chosen: Extractor, count: int) -> Layers:
    key = ("generated", chosen.pass_name, count)
    if key not in block.kept:
        files = _files(block)
        digest = files.facts(chosen)["weights"]
        made = block.generated_images(count)
        layers = extract(chosen, files.weights(chosen), made.reshape(-1, *made.shape[2:]), digest)
        lost = ~block.finite(count)
        block.kept[key] = {layer: _by_member(values, lost) for layer, values in layers.items()}
    kept: Layers = block.kept[key]
    return kept


def _by_member(values: np.ndarray, lost: np.ndarray) -> np.ndarray:
    """(E·k, f), (E,) -> (E, k, f), NaN where a member is lost."""
    grouped = values.reshape(len(lost), -1, values.shape[1])
    grouped[lost] = np.nan
    return grouped


def _files(block: TrainedBlock) -> FeatureFiles:
    if block.features is None:
        raise UserError("features of images need the folder of those of real ones: give --features.")
    return block.features

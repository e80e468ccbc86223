"""What metrics ask of images: features of generated and of real ones, and predicted classes.

Everything is computed once for a trained block and kept there, whichever metric asks first.
"""

from __future__ import annotations

from collections.abc import Iterator
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
NULL_CONTROL = "oracle"


def generated_layers(block: TrainedBlock, chosen: Extractor, count: int) -> Layers:
    """Layer -> (E, k, f) float32 of the generated images; NaN for a member that gave anything that is not finite."""
    key = ("generated", chosen.pass_name, count)
    if key not in block.kept:
        made = block.generated_images(count)
        layers = layers_of_images(block, chosen, made.reshape(-1, *made.shape[2:]))
        lost = ~block.finite(count)
        block.kept[key] = {layer: _by_member(values, lost) for layer, values in layers.items()}
    kept: Layers = block.kept[key]
    return kept


def features_of(block: TrainedBlock, name: str, count: int) -> np.ndarray:
    """(E, k, f) float32 features of the generated images; NaN for a member that gave anything that is not finite."""
    chosen = extractor(name)
    return generated_layers(block, chosen, count)[chosen.layer]


def logits_of(block: TrainedBlock, name: str, count: int) -> np.ndarray:
    """(E, k, classes) float32 logits of the generated images, likewise; of extractors that have them."""
    chosen = extractor(name)
    assert chosen.logits is not None
    return generated_layers(block, chosen, count)[chosen.logits]


def classes_of(block: TrainedBlock, count: int) -> np.ndarray:
    """(E, k) int64: the class of each generated image, as the classifier sees it; -1 where its logits are NaN."""
    logits = logits_of(block, CLASSIFIER, count)
    found: np.ndarray = np.where(np.isfinite(logits).all(axis=2), logits.argmax(axis=2), -1)
    return found


def features_of_images(block: TrainedBlock, name: str, given: np.ndarray) -> np.ndarray:
    """(k, channels, height, width) uint8 -> (k, f) float32 features of any images, such as a training sample."""
    chosen = extractor(name)
    return layers_of_images(block, chosen, given)[chosen.layer]


def layers_of_images(block: TrainedBlock, chosen: Extractor, given: np.ndarray) -> Layers:
    """Every layer of the extractor's network, (k, f) float32 each, likewise."""
    files = _files(block)
    return extract(chosen, files.weights(chosen), given, files.facts(chosen)["weights"], files.device)


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


def fresh_layers(block: TrainedBlock, chosen: Extractor, split: Split, used: int, count: int) -> Layers:
    """Layer -> (E, k, f) float32 of real images that are none of the first `used` of a split's references.

    Of the rest of the split as long as this suffices, then of the other split too; k = count, or all that there are.
    """
    key = ("fresh", chosen.pass_name, split, used, count)
    if key not in block.kept:
        members = [layers_of_images(block, chosen, each) for each in _fresh_images(block, split, used, count)]
        block.kept[key] = {layer: np.stack([member[layer] for member in members]) for layer in members[0]}
    kept: Layers = block.kept[key]
    return kept


def draws_real_images(block: TrainedBlock) -> bool:
    """Whether a block is the control whose scores are the nulls of all others."""
    return bool(block.job.recipe.method.name == NULL_CONTROL)


def reference_labels(block: TrainedBlock, split: Split, count: int) -> np.ndarray:
    """(m,) classes of the images of `reference_features`, of a dataset with labels."""
    given = block.job.dataset
    assert isinstance(given, FiniteDataset)
    chosen: np.ndarray = block.job.arrays[f"{split}_labels"][reference_rows(given, block.job.arrays, split, count)]
    return chosen


def weights_sha256(block: TrainedBlock, name: str) -> str:
    """Of the weights by which features were computed."""
    return str(_files(block).facts(extractor(name))["weights"])


def _fresh_images(block: TrainedBlock, split: Split, used: int, count: int) -> Iterator[np.ndarray]:
    """(k, channels, height, width) uint8, member after member."""
    given, arrays = block.job.dataset, block.job.arrays
    assert isinstance(given, FiniteDataset)
    rest = reference_rows(given, arrays, split, len(arrays[split]))[used:]
    others = arrays["train" if split == "test" else "test"]
    for draws in block.streams("eval-fresh"):
        rows = arrays[split][draws.permutation(rest)[:count]]
        more = others[draws.permutation(len(others))[: count - len(rows)]]
        yield images(given, np.concatenate([rows, more]))


def _by_member(values: np.ndarray, lost: np.ndarray) -> np.ndarray:
    """(E·k, f), (E,) -> (E, k, f), NaN where a member is lost."""
    grouped = values.reshape(len(lost), -1, values.shape[1])
    grouped[lost] = np.nan
    return grouped


def _files(block: TrainedBlock) -> FeatureFiles:
    if block.features is None:
        raise UserError("features of images need the folder of those of real ones: give --features.")
    return block.features

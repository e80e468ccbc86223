"""Features of real images, computed once for a dataset and a network, and read by every metric that needs them."""

from __future__ import annotations

import json
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from safetensors.numpy import load_file, save_file

from wgpipe.atomic import atomic
from wgpipe.data import Arrays, FiniteDataset, dataset
from wgpipe.data.pixels import images
from wgpipe.data.prepared import load
from wgpipe.errors import UserError
from wgpipe.extractors import FEATURES, RECORD, Extractor, check_fits, extractor, weights_digest, weights_file
from wgpipe.extractors.extraction import extract
from wgpipe.hashes import sha256
from wgpipe.identity import features_code
from wgpipe.rng import stream
from wgpipe.train.device import reserved_device
from wgpipe.train.files import write_json

if TYPE_CHECKING:
    import torch

Split = Literal["train", "test"]
SPLITS: tuple[Split, ...] = ("train", "test")


@dataclass(frozen=True)
class FeatureFiles:
    """Where a dataset's features lie, a folder a network, and where weights are downloaded to."""

    folder: Path
    downloads: Path
    device: str = "cpu"  # on which generated images are made and looked at: auto, cpu or cuda

    def reserved(self) -> AbstractContextManager[torch.device]:
        """The device, for as long as it is needed; waits until no other job has it."""
        return reserved_device(self.device)

    def record(self, chosen: Extractor) -> Path:
        """What the features of a network depend on, and their sha256."""
        return self.folder / chosen.pass_name / RECORD

    def weights(self, chosen: Extractor) -> Path:
        """The file of the weights."""
        return weights_file(chosen, self.folder, self.downloads)

    def facts(self, chosen: Extractor) -> dict[str, Any]:
        """The record; `UserError` if it is missing or damaged."""
        file = self.record(chosen)
        try:
            facts: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
            return {key: facts[key] for key in ("weights", "sha256", "counts", "dataset")}
        except (OSError, ValueError, KeyError, TypeError):
            raise UserError(
                f"{file} is not a record of features; make them by `wgpipe features --extractor {chosen.name}`."
            ) from None

    def read(self, chosen: Extractor) -> dict[str, np.ndarray]:
        """`train/320` -> (m, 320) float32, for every layer and split; `UserError` if they are not as recorded."""
        file = self.record(chosen).with_name(FEATURES)
        found = sha256(file) if file.is_file() else "no file"
        if found != self.facts(chosen)["sha256"]:
            raise UserError(
                f"{file} is not what {RECORD} beside it says ({found}); delete the folder and make it again."
            )
        arrays: dict[str, np.ndarray] = load_file(file)
        return arrays


def reference_order(dataset_name: str, split: Split, size: int) -> np.ndarray:
    """(size,) numbers of a split's rows in the fixed order of which references are the first."""
    return stream("reference", dataset_name, split).permutation(size)


def reference_rows(given: FiniteDataset, arrays: Arrays, split: Split, count: int) -> np.ndarray:
    """Numbers of the first rows of this order, `count` or all that there are."""
    return reference_order(given.name, split, len(arrays[split]))[:count]


def write_features(data: Path, name: str, files: FeatureFiles, count: int) -> None:
    """Compute the features of up to `count` images of each split; write features.safetensors, then features.json.

    Raises `UserError` for a dataset that the extractor cannot look at, and for weights that are missing or wrong.
    """
    card, arrays = load(data)
    given, chosen = dataset(card.name), extractor(name)
    check_fits(chosen, given)
    assert isinstance(given, FiniteDataset)
    weights = files.weights(chosen)
    facts: dict[str, Any] = {
        "network": chosen.pass_name,
        "dataset": card.name,
        "weights": weights_digest(chosen, weights),
        "data": {split: card.checksums[split] for split in SPLITS},
    }
    kept, counts = {}, {}
    for split in SPLITS:
        real = images(given, arrays[split][reference_rows(given, arrays, split, count)])
        for layer, values in extract(chosen, weights, real, facts["weights"], files.device).items():
            kept[f"{split}/{layer}"] = values
        counts[split] = len(real)
    target = files.record(chosen)
    target.parent.mkdir(parents=True, exist_ok=True)
    with atomic(target.with_name(FEATURES)) as path:
        save_file(kept, path)
    known = {**facts, "counts": counts, "sha256": sha256(target.with_name(FEATURES)), "code": features_code(name)}
    write_json(target, known)

"""The pass of images through a network."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from wgpipe.extractors import Extractor, weights_digest
from wgpipe.train.device import reserved_device

if TYPE_CHECKING:
    from torch_fidelity.feature_extractor_base import FeatureExtractorBase

BATCH = 16  # images that fit into a core's cache, where half of the time would go into waiting for memory
CUDA_BATCH = 256

Layers = dict[str, np.ndarray]  # layer -> (k, f) float32


def extract(
    chosen: Extractor, weights: Path, images: np.ndarray, digest: str | None = None, device: str = "cpu"
) -> Layers:
    """(k, channels, height, width) uint8 -> every layer of the extractor's network, (k, f) float32.

    Grey images are repeated to three channels for networks that were trained on colour. `device`: auto, cpu or cuda,
    which is waited for. Raises `UserError` if the weights are missing, not the published ones, or not those of
    `digest`; only then are they loaded, once a process.
    """
    with reserved_device(device) as place:
        network = _loaded(chosen, weights, digest, _stamp(weights)).to(place)
        with torch.inference_mode():
            return _layers(network, images, place, colour=not chosen.trained)


def _layers(network: FeatureExtractorBase, images: np.ndarray, place: torch.device, colour: bool) -> Layers:
    size = BATCH if place.type == "cpu" else CUDA_BATCH
    layers: Layers = {}
    for start in range(0, len(images), size):
        batch = torch.from_numpy(images[start : start + size]).to(place)
        if colour:
            batch = batch.expand(-1, 3, -1, -1)
        for name, values in zip(network.get_requested_features_list(), network(batch), strict=True):
            whole = layers.setdefault(name, np.empty((len(images), values.shape[1]), dtype=np.float32))
            whole[start : start + size] = values.cpu().numpy()
    return layers


@functools.lru_cache(maxsize=4)
def _loaded(chosen: Extractor, weights: Path, digest: str | None, stamp: tuple[int, int]) -> FeatureExtractorBase:
    """The network of a file that is checked before; `stamp` tells a file from another one at its place."""
    weights_digest(chosen, weights, digest)
    return chosen.load(weights)


def _stamp(file: Path) -> tuple[int, int]:
    """Size and time of change; nothing of a missing file."""
    if not file.is_file():
        return 0, 0
    facts = file.stat()
    return facts.st_size, facts.st_mtime_ns

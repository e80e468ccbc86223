"""The pass of images through a network."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from wgpipe.extractors import Extractor, weights_digest

BATCH = 16  # images that fit into a core's cache, where half of the time would go into waiting for memory

Layers = dict[str, np.ndarray]  # layer -> (k, f) float32


def extract(chosen: Extractor, weights: Path, images: np.ndarray, digest: str | None = None) -> Layers:
    """(k, channels, height, width) uint8 -> every layer of the extractor's network, (k, f) float32.

    Grey images are repeated to three channels for networks that were trained on colour. Raises `UserError` if the
    weights are missing, not the published ones, or not those of `digest`; only then are they loaded.
    """
    weights_digest(chosen, weights, digest)
    network = chosen.load(weights)
    parts: list[tuple[torch.Tensor, ...]] = []
    with torch.inference_mode():
        for start in range(0, len(images), BATCH):
            batch = torch.from_numpy(images[start : start + BATCH])
            if not chosen.trained:
                batch = batch.expand(-1, 3, -1, -1)
            parts.append(network(batch))
    layers = [torch.cat(layer).numpy() for layer in zip(*parts, strict=True)]
    return dict(zip(network.get_requested_features_list(), layers, strict=True))

"""A classifier trained on the dataset itself."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from wgpipe.extractors import Extractor
from wgpipe.registry import register

if TYPE_CHECKING:
    from torch_fidelity.feature_extractor_base import FeatureExtractorBase


@register("classifier")
class Classifier(Extractor):
    """A small convolutional network that is trained to tell the dataset's classes apart: the layer before its last."""

    network: ClassVar[str] = "classifier"
    layers: ClassVar[tuple[str, ...]] = ("64", "logits")
    layer: ClassVar[str] = "64"
    logits: ClassVar[str | None] = "logits"
    trained: ClassVar[bool] = True
    milliseconds: ClassVar[float] = 0.03

    def load(self, weights: Path) -> FeatureExtractorBase:
        from wgpipe.extractors.classifier_network import load

        return load(weights)

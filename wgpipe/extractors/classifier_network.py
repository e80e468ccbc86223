"""The network of the extractor `classifier`, for grey and colour images of 7×7 to 64×64 pixels."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import nn
from torch_fidelity.feature_extractor_base import FeatureExtractorBase

from wgpipe.errors import UserError
from wgpipe.stored import reading

WIDTHS = (16, 32, 64)
FEATURES = 64
WHOLE = 16  # pixels a side up to which the first layer keeps the size


class ClassifierNetwork(FeatureExtractorBase):  # type: ignore[misc]
    """Three convolutions with batch normalisation, a layer of 64 ReLU, and one logit a class.

    The pixels of all images are shifted and scaled alike, from bytes to [-1, 1].
    """

    def __init__(self, shape: tuple[int, int, int], classes: int) -> None:
        super().__init__("classifier", ["64", "logits"])
        channels, side, _ = shape
        layers: list[nn.Module] = []
        for width in WIDTHS:
            stride = 1 if not layers and side <= WHOLE else 2
            convolution = nn.Conv2d(channels, width, 3, stride, 1, bias=False)
            layers += [convolution, nn.BatchNorm2d(width), nn.ReLU()]
            channels, side = width, -(-side // stride)
        self.body = nn.Sequential(*layers, nn.Flatten(), nn.Linear(channels * side**2, FEATURES), nn.ReLU())
        self.head = nn.Linear(FEATURES, classes)
        self.register_buffer("shape", torch.tensor(shape))

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """(B, C, H, W) uint8 -> (B, 64), (B, classes)."""
        if images.shape[1:] != tuple(self.shape.tolist()):
            raise UserError(
                f"extractor 'classifier' was trained on images of {times(self.shape.tolist())}, and is given"
                f" {times(images.shape[1:])} (channels, height, width)."
            )
        features = self.body(images.float() / 127.5 - 1)
        return features, self.head(features)

    @staticmethod
    def get_provided_features_list() -> tuple[str, ...]:
        return "64", "logits"

    @staticmethod
    def get_default_feature_layer_for_metric(metric: str) -> str:
        return "logits" if metric == "isc" else "64"

    @staticmethod
    def can_be_compiled() -> bool:
        return False


def times(shape: torch.Size | list[int]) -> str:
    """`1×14×14`."""
    return "×".join(map(str, shape))


def load(weights: Path) -> ClassifierNetwork:
    """A trained one, in evaluation."""
    with reading(weights, "delete it, and train the classifier again"):
        state = load_file(weights)
        channels, height, width = state["shape"].tolist()
        network = ClassifierNetwork((channels, height, width), len(state["head.bias"]))
        network.load_state_dict(state)
    network.requires_grad_(False)
    network.eval()
    return network

"""EfficientNet-Lite0 (Tan & Le 2019; the Lite variant has no squeeze-and-excitation, and ReLU6 for swish).

As published for TensorFlow: pixels become (byte - 127) / 128, batch normalisation adds 1e-3 to variances, and padding
is TensorFlow's `SAME`, which puts the odd pixel at the right and at the bottom. Names are those of the weights file.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import torch
from torch import nn
from torch.nn import functional
from torch.nn.utils.fusion import fuse_conv_bn_weights
from torch_fidelity.feature_extractor_base import FeatureExtractorBase

EPSILON = 1e-3
LAST_OF_STAGE = {"112": 10, "320": 15}  # blocks after which features are taken


class Stage(NamedTuple):
    """Blocks in a row; the first takes the stride and changes the width."""

    expansion: int
    width: int
    blocks: int
    stride: int
    kernel: int


STAGES = (
    Stage(1, 16, 1, 1, 3),
    Stage(6, 24, 2, 2, 3),
    Stage(6, 40, 2, 2, 5),
    Stage(6, 80, 3, 2, 3),
    Stage(6, 112, 3, 1, 5),
    Stage(6, 192, 4, 2, 5),
    Stage(6, 320, 1, 1, 3),
)


class SameConv2d(nn.Conv2d):
    """A convolution whose output has ceil(side / stride) pixels a side."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        missing = self.missing(images.shape[-1])
        before = missing // 2
        if missing % 2:
            images, before = functional.pad(images, (before, missing - before, before, missing - before)), 0
        output: torch.Tensor = functional.conv2d(
            images, self.weight, self.bias, self.stride, before, groups=self.groups
        )
        return output

    def missing(self, side: int) -> int:
        """Pixels to add to a side, at both ends together."""
        kernel, stride = self.kernel_size[0], self.stride[0]
        return max((-(-side // stride) - 1) * stride + kernel - side, 0)


def convolution(inputs: int, outputs: int, kernel: int = 1, stride: int = 1, groups: int = 1) -> SameConv2d:
    """Without a bias: batch normalisation follows."""
    return SameConv2d(inputs, outputs, kernel, stride, groups=groups, bias=False)


def normalisation(width: int) -> nn.BatchNorm2d:
    """Batch normalisation, by the means and variances of training."""
    return nn.BatchNorm2d(width, eps=EPSILON)


class Block(nn.Module):
    """An inverted residual: expansion, convolution of each channel, projection."""

    def __init__(self, inputs: int, stage: Stage, stride: int) -> None:
        super().__init__()
        width = inputs * stage.expansion
        if stage.expansion > 1:
            self._expand_conv, self._bn0 = convolution(inputs, width), normalisation(width)
        self._depthwise_conv = convolution(width, width, stage.kernel, stride, groups=width)
        self._bn1 = normalisation(width)
        self._project_conv, self._bn2 = convolution(width, stage.width), normalisation(stage.width)
        self.expands = stage.expansion > 1
        self.adds = stride == 1 and inputs == stage.width

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        wide = functional.relu6(self._bn0(self._expand_conv(x)), inplace=True) if self.expands else x
        wide = functional.relu6(self._bn1(self._depthwise_conv(wide)), inplace=True)
        y: torch.Tensor = self._bn2(self._project_conv(wide))
        return x + y if self.adds else y


class EfficientNetLite0(FeatureExtractorBase):  # type: ignore[misc]
    """The whole network; a pass gives the features of both layers, and `classes` the logits of ImageNet's classes."""

    def __init__(self, side: int) -> None:
        super().__init__("efflite0", list(LAST_OF_STAGE))
        self.side = side
        self._conv_stem, self._bn0 = convolution(3, 32, 3, 2), normalisation(32)
        width, blocks = 32, []
        for stage in STAGES:
            for number in range(stage.blocks):
                blocks.append(Block(width, stage, 1 if number else stage.stride))
                width = stage.width
        self._blocks = nn.ModuleList(blocks)
        self._conv_head, self._bn1 = convolution(width, 1280), normalisation(1280)
        self._fc = nn.Linear(1280, 1000)

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """(B, 3, H, W) uint8 -> (B, 112), (B, 320)."""
        return tuple(x.mean(dim=(2, 3)) for x in self._maps(images))

    def classes(self, images: torch.Tensor) -> torch.Tensor:
        """(B, 3, H, W) uint8 -> (B, 1000) logits of the classes of ImageNet."""
        *_, last = self._maps(images)
        logits: torch.Tensor = self._fc(functional.relu6(self._bn1(self._conv_head(last))).mean(dim=(2, 3)))
        return logits

    def _maps(self, images: torch.Tensor) -> list[torch.Tensor]:
        x = images.to(self._conv_stem.weight.dtype, memory_format=torch.channels_last)
        if x.shape[-1] != self.side:
            x = functional.interpolate(x, (self.side, self.side), mode="bilinear", align_corners=False, antialias=True)
        x = functional.relu6(self._bn0(self._conv_stem((x - 127) / 128)), inplace=True)
        maps = []
        for number, block in enumerate(self._blocks):
            x = block(x)
            if number in LAST_OF_STAGE.values():
                maps.append(x)
        return maps

    def fused(self) -> EfficientNetLite0:
        """The same function with each normalisation inside the convolution before it, at half the cost; for good."""
        pairs: list[tuple[nn.Module, str, str]] = [(self, "_conv_stem", "_bn0"), (self, "_conv_head", "_bn1")]
        for block in self._blocks:
            pairs += [(block, "_depthwise_conv", "_bn1"), (block, "_project_conv", "_bn2")]
            pairs += [(block, "_expand_conv", "_bn0")] if block.expands else []
        for owner, name, normal in pairs:
            before, norm = getattr(owner, name), getattr(owner, normal)
            before.weight, before.bias = fuse_conv_bn_weights(
                before.weight, None, norm.running_mean, norm.running_var, norm.eps, norm.weight, norm.bias
            )
            setattr(owner, normal, nn.Identity())
        return self

    @staticmethod
    def get_provided_features_list() -> tuple[str, ...]:
        return tuple(LAST_OF_STAGE)

    @staticmethod
    def get_default_feature_layer_for_metric(metric: str) -> str:
        return "320"

    @staticmethod
    def can_be_compiled() -> bool:
        return False


def load(weights: Path, side: int) -> EfficientNetLite0:
    """The published one, in evaluation, for images that are resized to `side`."""
    network = EfficientNetLite0(side)
    network.load_state_dict(torch.load(weights, weights_only=True, map_location="cpu"))
    network.eval().fused()
    network.requires_grad_(False)
    network.to(memory_format=torch.channels_last)
    return network

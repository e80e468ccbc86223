"""What is trained on images in every implementation alike."""

from __future__ import annotations

from dataclasses import dataclass

PREFIX = "images-"
CRITIC_STEPS = {"vanilla": 1, "wgan-gp": 5}  # and the methods
SIZES = ((14, 16), (28, 64))  # (side of the images, width of the networks)
STACKS = (1, 4)

BATCH = 64
LATENT = 32  # uniform on [-1, 1]
POINTS = 1024  # training images of a member
RATE = 1e-4  # of Adam, both sides
BETAS = (0.5, 0.9)
PENALTY = 10.0
SLICE_STEPS = {14: 10, 28: 1}


@dataclass(frozen=True)
class ImageCell:
    """`stack` GANs on grey images with DCGAN's networks; batch norm, and layer norm in critics with a penalty."""

    method: str
    side: int
    width: int
    stack: int

    def __post_init__(self) -> None:
        if self.method not in CRITIC_STEPS or self.side not in SLICE_STEPS:
            raise ValueError(f"cell '{self}' is unknown; accepted: vanilla or wgan-gp, of side 14 or 28.")

    @classmethod
    def parse(cls, text: str) -> ImageCell:
        """From `images-wgan-gp:14x16:4`; ValueError says what is wrong."""
        try:
            method, size, stack = text.removeprefix(PREFIX).split(":")
            side, width = size.split("x")
            numbers = int(side), int(width), int(stack)
        except ValueError:
            raise ValueError(f"cell '{text}' is malformed; accepted: images-<method>:<side>x<width>:<stack>.") from None
        return cls(method, *numbers)

    def __str__(self) -> str:
        return f"{PREFIX}{self.method}:{self.side}x{self.width}:{self.stack}"

    @property
    def critic_steps(self) -> int:
        return CRITIC_STEPS[self.method]

    @property
    def norm(self) -> str:
        """Of the critic."""
        return "layer" if self.method == "wgan-gp" else "batch"

    def steps(self) -> int:
        """Generator updates of the shortest timed piece."""
        return SLICE_STEPS[self.side]


def all_cells() -> list[ImageCell]:
    """The whole grid, cells that differ in their stack alone side by side."""
    return [ImageCell(method, *size, stack) for method in CRITIC_STEPS for size in SIZES for stack in STACKS]

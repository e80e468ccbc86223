"""Encoded pictures (JPEG, PNG, WebP) to flat rows of bytes."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np

from wgpipe.errors import UserError

if TYPE_CHECKING:
    from PIL.Image import Image


def decoded(content: bytes, name: str, size: tuple[int, int] | None = None) -> Image:
    """An RGB picture, of this (width, height) where it is given; `UserError` names one that is anything else."""
    from PIL import Image

    try:
        picture: Image.Image = Image.open(BytesIO(content))
        picture.load()
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise UserError(f"{name} cannot be read as a picture ({error}); it is truncated or damaged.") from None
    if picture.mode != "RGB":
        kind = "grey" if picture.mode in ("1", "L", "LA", "I", "F") or picture.mode.startswith("I;") else "not RGB"
        raise UserError(f"{name} is {kind} (mode {picture.mode}); accepted: colour pictures of mode RGB.")
    if size is not None and picture.size != size:
        raise UserError(f"{name} has {_times(picture.size)} pixels; accepted: {_times(size)}, width by height.")
    return picture


def central_square(picture: Image, side: int, name: str) -> Image:
    """The square in the middle; odd margins are larger at the right and at the bottom."""
    width, height = picture.size
    if min(width, height) < side:
        raise UserError(f"{name} has {_times(picture.size)} pixels; accepted: at least {side} a side.")
    left, top = (width - side) // 2, (height - side) // 2
    return picture.crop((left, top, left + side, top + side))


def reduced(picture: Image, side: int) -> Image:
    """A square of this side, by Pillow's bilinear filter, whose support grows with the reduction (antialiasing)."""
    from PIL import Image

    return picture.resize((side, side), Image.Resampling.BILINEAR)


def flattened(picture: Image) -> np.ndarray:
    """(3·height·width,) uint8 in the order channel, row, column."""
    return np.asarray(picture).transpose(2, 0, 1).reshape(-1)


def _times(size: tuple[int, int]) -> str:
    return f"{size[0]}×{size[1]}"

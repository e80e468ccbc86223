"""The curves that generators with one latent dimension are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from wgpipe.theory.polyline import Polyline

if TYPE_CHECKING:
    from wgpipe.train.evaluate import TrainedBlock

STATE = {"knots", "positions", "least_speed", "squared_length"}  # of a constructed curve


def constructed(block: TrainedBlock) -> bool:
    """Whether the block's curves were computed from the sample, and not trained."""
    return set(block.generator) >= STATE


def curves(block: TrainedBlock, chords: int) -> list[Polyline] | None:
    """Those of E members: constructed ones as they are, trained ones as `chords` pieces of equal time; None without."""
    if constructed(block):
        states = zip(block.generator["knots"], block.generator["positions"], strict=True)
        return [Polyline(knots, positions) for knots, positions in states]
    times = np.linspace(0, 1, chords + 1)
    positions = block.along(times)
    return None if positions is None else [Polyline(times, member) for member in positions]

"""The machine's rate of matrix products, at a cell's shapes."""

from __future__ import annotations

from collections.abc import Callable

from bench.cells import Cell

LEAST_FLOPS = 2e8  # of one call, so that the clock doesn't count


def start(cell: Cell) -> tuple[Callable[[], None], float]:
    """A call that multiplies (E, B, h) by (E, h, h) with torch.bmm several times, and its number of flop."""
    import torch

    x = torch.rand(cell.stack, cell.batch, cell.width)
    weight = torch.rand(cell.stack, cell.width, cell.width)
    out = torch.empty_like(x)
    flops = 2 * x.numel() * cell.width
    repeats = int(LEAST_FLOPS // flops) + 1

    def multiply() -> None:
        for _ in range(repeats):
            torch.bmm(x, weight, out=out)

    return multiply, repeats * flops

"""Training speed on images: plain PyTorch and wgpipe's engine, side by side, on one thread.

Each implementation of each cell runs in a process of its own, and these take turns, slice by slice. Rates are by
processor time, which other work of the machine hardly changes.
"""

from __future__ import annotations

import statistics
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from bench.image_cells import BATCH, ImageCell, all_cells
from bench.processes import Worker, cores
from bench.tables import write

ROUNDS, QUICK_ROUNDS = 7, 3
IMPLEMENTATIONS = {"plain": "plain_images", "engine": "engine_images"}


@dataclass(frozen=True)
class Row:
    """One implementation in one cell; plain PyTorch knows no stacks."""

    implementation: str
    method: str
    side: int
    width: int
    batch: int
    stack: int
    images_per_second: float  # real ones that critics see, summed over members; median over slices
    lowest: float
    highest: float
    slices: int
    seconds_per_1000_steps: float  # generator steps of a member, its share of a stack
    times_plain: float  # median over rounds
    peak_megabytes: float


def main(out: Path, quick: bool) -> None:
    """Measure, print a line a cell, and write `images.csv` after each of their groups."""
    cells = [cell for cell in all_cells() if not quick or cell.side == 14]
    rows: list[Row] = []
    for _, group in groupby(cells, key=lambda cell: (cell.method, cell.side)):
        measured = measure(list(group), QUICK_ROUNDS if quick else ROUNDS)
        rows += measured
        write(out / "images.csv", rows)
        for row in measured:
            print(line(row), flush=True)


def measure(cells: list[ImageCell], rounds: int) -> list[Row]:
    """Of cells that differ in their stack alone, beside plain PyTorch."""
    first = cells[0]
    chosen = [("plain", ImageCell(first.method, first.side, first.width, 1)), *(("engine", cell) for cell in cells)]
    rates: dict[tuple[str, ImageCell], list[float]] = {key: [] for key in chosen}
    megabytes: dict[tuple[str, ImageCell], float] = {}
    with ExitStack() as stack:
        places = cores()[-1:]
        workers = {(name, cell): Worker(IMPLEMENTATIONS[name], cell, 1, places) for name, cell in chosen}
        for worker in workers.values():
            stack.enter_context(worker)
        for _ in range(rounds):
            for key, worker in workers.items():
                worker.tell("train")
                answer = worker.answer()
                updates = key[1].stack * answer["updates"]
                rates[key].append(updates * first.critic_steps * BATCH / answer["processor_seconds"])
                megabytes[key] = answer["megabytes"]
    plain = rates[chosen[0]]
    return [row(*key, rates[key], plain, megabytes[key]) for key in chosen]


def row(name: str, cell: ImageCell, rates: list[float], plain: list[float], megabytes: float) -> Row:
    median = statistics.median(rates)
    return Row(
        name,
        cell.method,
        cell.side,
        cell.width,
        BATCH,
        cell.stack,
        median,
        min(rates),
        max(rates),
        len(rates),
        1000 * cell.critic_steps * BATCH / median,
        statistics.median(own / other for own, other in zip(rates, plain, strict=True)),
        megabytes,
    )


def line(row: Row) -> str:
    """A row in one line."""
    return (
        f"{row.method} {row.side}x{row.side} width {row.width} {row.implementation} stack {row.stack}:"
        f" {row.images_per_second:.0f} images/s, {row.seconds_per_1000_steps:.1f} s for 1000 steps of a member,"
        f" {row.times_plain:.3g}x plain"
    )

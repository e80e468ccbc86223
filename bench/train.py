"""Training speed: plain PyTorch, wgpipe's engine and JAX, side by side.

Each implementation of each cell runs in a process of its own, and these take turns, slice by slice, so that whatever
else the machine does hits all alike.
"""

from __future__ import annotations

import importlib.util
import statistics
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from bench import engine
from bench.cells import METHODS, SIZES, Cell, all_cells
from bench.processes import Worker, cores, environment, pin
from bench.tables import write
from bench.worker import PEAK_SECONDS, TRAINING_SECONDS

ROUNDS, QUICK_ROUNDS = 5, 2
PROCESS_ROUNDS = 2  # of whole `wgpipe train` processes
PROCESS_SIZE, PROCESS_STACK, PROCESS_STEPS = (64, 256), 16, 200
NOMINAL_STARTUP, NOMINAL_RATE = 5.0, 5e10  # seconds, flop/s a core: for the time left, until it is known better


@dataclass(frozen=True)
class Row:
    """One implementation in one cell; `stack` of plain PyTorch is the number of processes that run side by side."""

    implementation: str  # plain, engine, jax, or "wgpipe train": a whole process of it, start-up included
    method: str
    width: int
    batch: int
    stack: int
    threads: int
    iterations_per_second: float  # generator updates, summed over members; median over slices
    lowest: float
    highest: float
    slices: int
    times_plain: float  # median over rounds
    startup_seconds: float  # until the first update is done, compilation included
    peak_megabytes: float  # of one process
    gflops: float  # model flop of the matrix products alone
    peak_gflops: float  # that torch.bmm reaches at the cell's shapes
    share_of_peak: float


def main(out: Path, quick: bool, chosen: list[Cell] | None = None, threads: list[int] | None = None) -> None:
    """Measure, print a line a cell, and write `training.csv` after each of their groups, and `training.svg`.

    By default the whole grid on one thread and on all cores; quick: a part of it on one thread.
    """
    jax = all(importlib.util.find_spec(name) for name in ("jax", "optax"))
    if not jax:
        print("JAX is left out, since jax or optax is not installed: pip install '.[bench]'.", flush=True)
    rounds = QUICK_ROUNDS if quick else ROUNDS
    cells = chosen or (quick_cells() if quick else all_cells())
    threads = threads or ([1] if quick else sorted({1, len(cores())}))
    groups = [
        (count, list(members))
        for count in threads
        for _, members in groupby(cells, key=lambda cell: (cell.method, cell.width, cell.batch))
    ]
    costs = [expected_seconds(group, count, rounds, jax) for count, group in groups]
    rows: list[Row] = []
    started = time.perf_counter()
    for done, (count, group) in enumerate(groups, start=1):
        measured = Group(group, count, rounds, jax).measure()
        rows += measured
        write(out / "training.csv", rows)
        left = (time.perf_counter() - started) * sum(costs[done:]) / sum(costs[:done])
        for cell in group:
            print(line(cell, count, measured), f"[{left / 60:.0f} min left]", flush=True)
    from bench.training_figure import draw

    draw(rows, out)


def quick_cells() -> list[Cell]:
    """All sizes with one method and one size with all methods, in stacks of 16."""
    first, *others = METHODS
    return [Cell(first, *size, 16) for size in SIZES] + [Cell(method, *SIZES[0], 16) for method in others]


def expected_seconds(group: list[Cell], threads: int, rounds: int, jax: bool) -> float:
    """A rough cost, for the time left."""
    slices = [
        max(TRAINING_SECONDS, cell.steps() * cell.stack * cell.flops() / (NOMINAL_RATE * threads)) for cell in group
    ]
    implementations = 1 + jax
    startup = NOMINAL_STARTUP * (1 + implementations * len(group))
    return startup + (rounds + 1) * (implementations * sum(slices) + PEAK_SECONDS * len(group) + TRAINING_SECONDS)


class Group:
    """Cells that differ in their stack alone, and plain PyTorch, which knows no stacks."""

    def __init__(self, cells: list[Cell], threads: int, rounds: int, jax: bool) -> None:
        self.cells, self.threads, self.rounds, self.jax = cells, threads, rounds, jax
        self.rates: dict[tuple[str, int], list[float]] = {}
        self.startup: dict[tuple[str, int], float] = {}
        self.megabytes: dict[tuple[str, int], float] = {}
        self.peaks: dict[int, list[float]] = {cell.stack: [] for cell in cells}

    def measure(self) -> list[Row]:
        """Start all workers one after the other, then cycle over them."""
        first = self.cells[0]
        plain = Cell(first.method, first.width, first.batch, 1)
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))

            def start(module: str, cell: Cell, threads: int, places: list[int]) -> Worker:
                return stack.enter_context(Worker(module, cell, threads, places))

            places = cores()[-self.threads :]
            one_each = [places[number % len(places)] for number in range(self.threads)]
            teams = {("plain", 1): [start("plain", plain, 1, [place]) for place in one_each]}
            for cell in self.cells:
                teams["engine", cell.stack] = [start("engine", cell, self.threads, places)]
                if self.jax:
                    teams["jax", cell.stack] = [start("jax_population", cell, self.threads, places)]
            for number in range(self.rounds):
                for key, team in teams.items():
                    self._slice(key, team)
                for cell in self.cells:
                    self._peak(cell.stack, teams["engine", cell.stack][0])
                if number < min(PROCESS_ROUNDS, self.rounds - 1) and self._times_process():
                    self._process(folder, number)
        for key, team in teams.items():
            first_slice = team[0].cell.steps() * team[0].cell.stack * len(team) / statistics.median(self.rates[key])
            self.startup[key] = team[0].startup - first_slice
        return [self._row(*key) for key in self.rates]

    def _slice(self, key: tuple[str, int], team: list[Worker]) -> None:
        for worker in team:
            worker.tell("train")
        answers = [(worker.cell.stack, worker.answer()) for worker in team]
        rate = sum(stack * answer["updates"] / answer["seconds"] for stack, answer in answers)
        self.rates.setdefault(key, []).append(rate)
        self.megabytes.setdefault(key, answers[0][1]["megabytes"])

    def _peak(self, stack: int, worker: Worker) -> None:
        worker.tell("peak")
        self.peaks[stack].append(worker.answer()["gflops"])

    def _times_process(self) -> bool:
        size = self.cells[0].width, self.cells[0].batch
        return self.threads == 1 and size == PROCESS_SIZE and any(cell.stack == PROCESS_STACK for cell in self.cells)

    def _process(self, folder: Path, number: int) -> None:
        """Time one `wgpipe train`; what it takes longer than the updates alone is its start-up."""
        cell = Cell(self.cells[0].method, *PROCESS_SIZE, PROCESS_STACK)
        key = ("wgpipe train", PROCESS_STACK)
        place = pin(cores()[-1:])
        seconds, megabytes = engine.whole_process(cell, PROCESS_STEPS, folder / str(number), environment(1), place)
        updates = PROCESS_STEPS * PROCESS_STACK
        self.rates.setdefault(key, []).append(updates / seconds)
        self.startup[key] = seconds - updates / statistics.median(self.rates["engine", PROCESS_STACK])
        self.megabytes[key] = megabytes

    def _row(self, implementation: str, stack: int) -> Row:
        cell = next((cell for cell in self.cells if cell.stack == stack), self.cells[0])
        key = (implementation, stack)
        rates = self.rates[key]
        median, peak = statistics.median(rates), statistics.median(self.peaks[cell.stack])
        ratios = [one / plain for one, plain in zip(rates, self.rates["plain", 1], strict=False)]
        gflops = median * cell.flops() / 1e9
        return Row(
            implementation,
            cell.method,
            cell.width,
            cell.batch,
            self.threads if implementation == "plain" else stack,
            self.threads,
            median,
            min(rates),
            max(rates),
            len(rates),
            statistics.median(ratios),
            self.startup[key],
            self.megabytes[key],
            gflops,
            peak,
            gflops / peak,
        )


def line(cell: Cell, threads: int, rows: list[Row]) -> str:
    """A cell in one line."""
    found = {row.implementation: row for row in rows if row.stack == cell.stack or row.implementation == "plain"}
    many = "1 thread" if threads == 1 else f"{threads} threads"
    parts = [f"plain {found['plain'].iterations_per_second:.0f}/s"] + [
        f"{name} {row.iterations_per_second:.0f}/s ({row.times_plain:.3g}x plain, {row.share_of_peak:.0%} of peak)"
        for name, row in found.items()
        if name != "plain"
    ]
    return f"{cell.method} {cell.width}x{cell.batch} stack {cell.stack}, {many}: {', '.join(parts)}"

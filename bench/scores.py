"""`python -m bench.scores`: what FID and KID cost beside the pass of the images through the network.

Images are random, since the cost does not depend on them; the features of the real ones are there already.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch

from bench.tables import write
from wgpipe.extractors import extractor
from wgpipe.extractors.extraction import extract
from wgpipe.fetch import fetch
from wgpipe.metrics.image_scores import Comparison, ImageScores
from wgpipe.rng import stream

EXTRACTORS = ("efflite0-320", "efflite0-112")
IMAGES, QUICK_IMAGES = 10_000, 1_000
SHAPE = (3, 32, 32)
ROUNDS, QUICK_ROUNDS = 3, 1
GOAL = 1.3

Result = TypeVar("Result")


@dataclass(frozen=True)
class Row:
    """One extractor on one thread; seconds of the processor, medians over rounds."""

    extractor: str
    images: int
    passing: float
    scoring: float
    ratio: float  # of both to the pass alone
    images_a_second: float


def main(out: Path, quick: bool = False) -> None:
    """Measure, print a line an extractor, and write `scores.csv`."""
    torch.set_num_threads(1)
    count, rounds = (QUICK_IMAGES, QUICK_ROUNDS) if quick else (IMAGES, ROUNDS)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for name in EXTRACTORS:
            rows.append(measured(name, count, rounds, Path(folder)))
            print(f"{name}, {count} images: {rows[-1].ratio:.2f} times the pass alone (goal {GOAL})", flush=True)
    write(out / "scores.csv", rows)


def measured(name: str, count: int, rounds: int, folder: Path) -> Row:
    """Seconds of the pass, and of FID and KID after it, from reference features on."""
    chosen = extractor(name)
    weights = fetch(chosen.sources()[0], folder, None, progress=False)
    images = stream("bench", "scores").integers(0, 256, size=(count, *SHAPE), dtype=np.uint8)
    features, passing = timed(lambda: extract(chosen, weights, images)[chosen.layer], rounds)
    settings = ImageScores(extractors=(name,), real=count, generated=count)
    real = features[::-1].copy()

    def scores() -> tuple[float, float]:
        compare, fake = Comparison(real.astype(np.float64), settings), torch.from_numpy(features.astype(np.float64))
        return compare.fid(fake), compare.kid(fake)

    _, scoring = timed(scores, rounds)
    return Row(name, count, passing, scoring, (passing + scoring) / passing, count / passing)


def timed(work: Callable[[], Result], rounds: int) -> tuple[Result, float]:
    """What it gives, and the median of its seconds."""
    seconds = []
    for _ in range(rounds):
        started = time.process_time()
        result = work()
        seconds.append(time.process_time() - started)
    return result, statistics.median(seconds)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m bench.scores", description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("bench/results"), help="folder of the table")
    parser.add_argument("--quick", action="store_true", help="fewer images and rounds")
    options = parser.parse_args()
    main(options.out, options.quick)

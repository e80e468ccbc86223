"""Every random stream of a run, derived from names alone.

A stream is a pure function of its key, so a run draws the same numbers whoever shares its block, whatever its method's
place in the grid and however many jobs there are. Long streams are cut into numbered chunks: a resumed training needs
only the number of its next step.
"""

from __future__ import annotations

import hashlib
import json

import numpy as np


def stream(*key: str | int) -> np.random.Generator:
    """The generator that belongs to a key, e.g. `stream("sample", "surface-2in8", 3)`."""
    digest = hashlib.sha256(json.dumps(key).encode()).digest()
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(int.from_bytes(digest, "big"))))


def sample_stream(dataset: str, seed: int) -> np.random.Generator:
    """Training samples: a run takes the first n draws, so samples are nested in n and shared by all methods."""
    return stream("sample", dataset, seed)


def source_stream(dataset: str, seed: int) -> np.random.Generator:
    """Samples of the law that a pair of laws starts from; likewise."""
    return stream("source", dataset, seed)


def run_stream(dataset: str, n: int, seed: int, purpose: str, chunk: int = 0) -> np.random.Generator:
    """Everything else that a run draws: `purpose` is init, noise, batch, mix, or one of the eval streams."""
    return stream("run", dataset, n, seed, purpose, chunk)

"""Functions of single points, applied to many at once."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

BLOCK = 1024


def blockwise(function: Callable[..., np.ndarray], *inputs: np.ndarray) -> np.ndarray:
    """(m, ...) each -> (m, ...): `function`, which maps row to row, applied to blocks of exactly `BLOCK` rows.

    Matrix products round differently in batches of different sizes; here the result of a row never depends on how many
    others there are. The last block is filled up with zeros, which `function` must stand.
    """
    count = len(inputs[0])
    results = [function(*(_block(rows, start) for rows in inputs)) for start in range(0, max(count, 1), BLOCK)]
    return np.concatenate(results)[:count]


def _block(rows: np.ndarray, start: int) -> np.ndarray:
    block = rows[start : start + BLOCK]
    missing = BLOCK - len(block)
    return np.concatenate([block, np.zeros((missing, *rows.shape[1:]), rows.dtype)]) if missing else block

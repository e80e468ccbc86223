"""Points of [-1, 1]^d as pictures: what a screen, a file or an extractor takes."""

from __future__ import annotations

import numpy as np

from wgpipe.data import FiniteDataset

CHUNK = 10_000  # rows that are in double precision at once


def to_bytes(points: np.ndarray, shape: tuple[int, int, int]) -> np.ndarray:
    """(..., d) -> (..., channels, height, width) uint8: cut to [-1, 1], then rounded to the nearest byte; NaN is 0."""
    rows = points.reshape(-1, points.shape[-1])
    rounded = np.empty(rows.shape, dtype=np.uint8)
    for start in range(0, len(rows), CHUNK):
        values = np.clip(np.nan_to_num(rows[start : start + CHUNK], nan=-1), -1, 1)
        rounded[start : start + CHUNK] = np.rint((values + 1) * 127.5)
    return rounded.reshape(*points.shape[:-1], *shape)


def images(dataset: FiniteDataset, rows: np.ndarray) -> np.ndarray:
    """(N, d) rows of a dataset of images, as they are stored -> (N, channels, height, width) uint8."""
    shape = dataset.card().shape
    assert shape is not None
    if rows.dtype == np.uint8:
        return rows.reshape(-1, *shape)
    chunks = [to_bytes(dataset.points(rows[i : i + CHUNK]), shape) for i in range(0, len(rows), CHUNK)]
    return np.concatenate(chunks)

"""A row's result does not depend on how many others there are, although that of one matrix product does."""

from __future__ import annotations

import numpy as np
import pytest

from wgpipe import rng
from wgpipe.data.blockwise import BLOCK, blockwise

MATRIX = rng.stream("matrix").standard_normal((64, 32))
POINTS = rng.stream("points").standard_normal((2 * BLOCK + 5, 64))


@pytest.mark.parametrize("count", [0, 1, 7, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK + 5])
def test_rows_are_those_of_the_whole_to_the_last_bit(count: int) -> None:
    part = blockwise(lambda rows: rows @ MATRIX, POINTS[:count])
    np.testing.assert_array_equal(part, blockwise(lambda rows: rows @ MATRIX, POINTS)[:count])
    np.testing.assert_allclose(part, POINTS[:count] @ MATRIX, rtol=1e-12, atol=1e-12)


def test_every_block_has_the_same_size() -> None:
    sizes = []

    def note(rows: np.ndarray, more: np.ndarray) -> np.ndarray:
        sizes.append((len(rows), len(more)))
        return rows[:, 0] + more

    result = blockwise(note, POINTS, np.arange(len(POINTS)))
    np.testing.assert_array_equal(result, POINTS[:, 0] + np.arange(len(POINTS)))
    assert sizes == [(BLOCK, BLOCK)] * 3

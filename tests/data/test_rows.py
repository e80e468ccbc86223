"""Rows on disk: whole ones are kept when a call is cut off, and none when the data are wrong."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from wgpipe.data.rows import fill
from wgpipe.errors import UserError

ROWS = np.arange(30, dtype=np.uint8).reshape(6, 5)


@pytest.mark.parametrize("present", [0, 3, 5, 7, 15, 30])
def test_what_is_there_is_not_made_again(tmp_path: Path, present: int) -> None:
    file = tmp_path / "new" / "rows"
    file.parent.mkdir()
    file.write_bytes(ROWS.tobytes()[:present])
    made = []

    def row(index: int) -> np.ndarray:
        made.append(index)
        return np.asarray(ROWS[index])

    rows = fill(file, 6, 5, row)
    np.testing.assert_array_equal(rows, ROWS)
    assert made == list(range(present // 5, 6))
    assert not rows.flags.writeable


def test_an_interrupted_call_leaves_its_rows_and_a_mistake_none(tmp_path: Path) -> None:
    def stops(error: BaseException, index: int) -> np.ndarray:
        if index == 2:
            raise error
        return np.asarray(ROWS[index])

    file = tmp_path / "rows"
    with pytest.raises(KeyboardInterrupt):
        fill(file, 6, 5, lambda index: stops(KeyboardInterrupt(), index))
    assert file.read_bytes() == ROWS[:2].tobytes()
    with pytest.raises(UserError, match="grey"):
        fill(file, 6, 5, lambda index: stops(UserError("grey"), index))
    assert not file.exists()

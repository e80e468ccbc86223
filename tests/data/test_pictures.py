"""Decoding, cutting and reducing pictures, against plain numpy."""

from __future__ import annotations

import numpy as np
import pytest

from tests.data.encoded import encoded, pixels
from wgpipe.data.pictures import central_square, decoded, flattened, reduced
from wgpipe.errors import UserError


def test_the_order_is_channel_row_column() -> None:
    array = pixels(4, 6)
    row = flattened(decoded(encoded(array), "x"))
    assert row[1 * 24 + 2 * 6 + 5] == array[2, 5, 1]
    np.testing.assert_array_equal(row.reshape(3, 4, 6), array.transpose(2, 0, 1))


@pytest.mark.parametrize("side", [4, 5, 7])
def test_the_square_is_in_the_middle(side: int) -> None:
    array = pixels(7, 12)
    top, left = (7 - side) // 2, (12 - side) // 2
    cut = np.asarray(central_square(decoded(encoded(array), "x"), side, "x"))
    np.testing.assert_array_equal(cut, array[top : top + side, left : left + side])


def test_a_square_that_does_not_fit_is_refused() -> None:
    with pytest.raises(UserError, match=r"^x has 12×7 pixels; accepted: at least 8 a side\.$"):
        central_square(decoded(encoded(pixels(7, 12)), "x"), 8, "x")


def test_reduction_weighs_neighbours_by_a_triangle() -> None:
    array = pixels(12, 12)
    positions = np.arange(12)[None, :] + 0.5
    weights = np.maximum(0, 1 - np.abs(positions - (np.arange(4)[:, None] + 0.5) * 3) / 3)
    weights /= weights.sum(axis=1, keepdims=True)
    expected = np.einsum("ij,jkc,lk->ilc", weights, array, weights)
    np.testing.assert_allclose(np.asarray(reduced(decoded(encoded(array), "x"), 4)), expected, atol=1.1)


@pytest.mark.parametrize("form", ["png", "jpeg", "webp"])
def test_all_three_formats_are_read_and_truncated_ones_refused(form: str) -> None:
    content = encoded(np.full((40, 30, 3), 99, dtype=np.uint8), form)
    np.testing.assert_allclose(flattened(decoded(content, "x")), 99, atol=2)
    for keep in (0, 10, len(content) // 2):
        with pytest.raises(UserError, match=r"^x cannot be read as a picture \(.*\); it is truncated or damaged\.$"):
            decoded(content[:keep], "x")


@pytest.mark.parametrize(
    ("array", "reason"),
    [
        (pixels(4, 4)[:, :, 0], r"grey \(mode L\)"),
        (np.zeros((4, 4), dtype=np.uint16), r"grey \(mode I;16\)"),
        (np.zeros((4, 4, 4), dtype=np.uint8), r"not RGB \(mode RGBA\)"),
    ],
)
def test_only_colour_is_accepted(array: np.ndarray, reason: str) -> None:
    with pytest.raises(UserError, match=f"^x is {reason}; accepted: colour pictures of mode RGB"):
        decoded(encoded(array), "x")

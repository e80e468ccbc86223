"""Vectors for the pictures of gradients and maps."""

from __future__ import annotations

import numpy as np

from tests.metrics.pairs import Block, potential_of_funnels, prepared, stretched
from wgpipe.metrics.field import Field


def vectors(block: Block, name: str, pairs: int = 20) -> np.ndarray:
    """(E, pairs, 2) read back from the quantities."""
    measured = Field(pairs=pairs).measure(block)  # type: ignore[arg-type]
    return np.stack([np.stack([measured[f"{name}_{axis}:{k}"][0] for k in range(pairs)], axis=1) for axis in "xy"], -1)


def test_the_true_potential_has_the_true_gradients_at_points_of_the_source() -> None:
    pair, arrays = prepared("funnels-4in2")
    block = Block(pair, arrays, potential_of_funnels(arrays, [1.0, 2.0]))
    true = vectors(block, "field_true")
    np.testing.assert_allclose(np.linalg.norm(true, axis=-1), 1)
    np.testing.assert_allclose(vectors(block, "field_learned"), true * [[[1.0]], [[2.0]]], atol=1e-5)
    assert np.abs(vectors(block, "field")).max() <= 2.5


def test_a_map_has_its_images_beside_the_true_ones() -> None:
    block = Block(stretched(), {}, forward=lambda x: x + 3)
    points = vectors(block, "field")
    np.testing.assert_array_equal(vectors(block, "field_learned"), points + 3)
    np.testing.assert_array_equal(vectors(block, "field_true"), 2 * points + 1)


def test_all_members_and_methods_are_drawn_at_the_same_points() -> None:
    first = vectors(Block(stretched(), {}, forward=lambda x: x, seeds=(0, 1, 2)), "field")
    other = vectors(Block(stretched(), {}, forward=np.ones_like, seeds=(7,)), "field")
    np.testing.assert_array_equal(first, np.broadcast_to(other, first.shape))


def test_there_is_nothing_to_draw_outside_the_plane_or_without_a_critic_or_map() -> None:
    assert Field().measure(Block(stretched(3), {}, forward=lambda x: x)) == {}  # type: ignore[arg-type]
    assert Field().measure(Block(stretched(), {})) == {}  # type: ignore[arg-type]
    assert Field().measure(Block(*prepared("funnels-4in2"))) == {}  # type: ignore[arg-type]

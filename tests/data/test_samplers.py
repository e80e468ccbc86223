"""What holds for every dataset with an exact sampler."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wgpipe import rng
from wgpipe.data import dataset
from wgpipe.data.planted import CHUNK

NAMES = [
    *("ball-1in1", "ball-3in5", "cube-1in1", "cube-2in8", "torus-1in4", "torus-3in12", "sphere-1in2", "sphere-3in12"),
    *("surface-1in2", "surface-2in8", "surface-4in64", "gaussian-1", "gaussian-5"),
    *("ring-8", "grid-25", "grid-25-wgangp", "grid-25-coulomb"),
    *("two_layer-relu8-2in4", "two_layer-cubic4-3in4"),
]
ARRAYS = {name: dataset(name).prepare({}) for name in NAMES}


@settings(max_examples=60, deadline=None)
@given(
    name=st.sampled_from(NAMES),
    seed=st.integers(0, 2**32),
    counts=st.tuples(st.integers(0, 2 * CHUNK + 3), st.integers(0, 2 * CHUNK + 3)),
)
def test_the_first_rows_of_a_longer_draw_are_a_shorter_draw(name: str, seed: int, counts: tuple[int, int]) -> None:
    few, many = sorted(counts)
    data = dataset(name)
    short = data.training_sample(ARRAYS[name], rng.sample_stream(name, seed), few)
    long = data.training_sample(ARRAYS[name], rng.sample_stream(name, seed), many)
    assert short.shape == (few, data.card().dimension)
    assert short.dtype == np.float64
    np.testing.assert_array_equal(short, long[:few])


@pytest.mark.parametrize("name", NAMES)
def test_different_streams_give_different_points(name: str) -> None:
    first, second = (dataset(name).draw(ARRAYS[name], rng.sample_stream(name, seed), 10) for seed in (0, 1))
    assert not np.isclose(first, second).any()


@pytest.mark.parametrize("name", NAMES)
def test_what_is_prepared_is_a_function_of_the_name(name: str) -> None:
    again = dataset(name).prepare({})
    assert again.keys() == ARRAYS[name].keys()
    for key, array in again.items():
        np.testing.assert_array_equal(array, ARRAYS[name][key])


@pytest.mark.parametrize("name", NAMES)
def test_no_two_points_of_a_draw_agree(name: str) -> None:
    points = dataset(name).draw(ARRAYS[name], rng.stream("distinct"), 3 * CHUNK)
    assert len(np.unique(points, axis=0)) == 3 * CHUNK

"""A stream is a function of its key and of nothing else."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wgpipe.rng import run_stream, sample_stream, stream

KEYS = st.lists(st.one_of(st.text(max_size=6), st.integers(-(2**70), 2**70)), max_size=4).map(tuple)


def first(key: tuple[str | int, ...]) -> bytes:
    return stream(*key).bytes(16)


@given(KEYS)
def test_a_key_names_one_stream(key: tuple[str | int, ...]) -> None:
    assert first(key) == first(key)


@given(KEYS, KEYS)
def test_different_keys_name_different_streams(one: tuple[str | int, ...], other: tuple[str | int, ...]) -> None:
    assert (first(one) == first(other)) == (one == other)


@pytest.mark.parametrize(
    ("one", "other"),
    [((1,), ("1",)), (("a", "bc"), ("ab", "c")), (("a,b",), ("a", "b")), (("a",), ("a", "")), ((1, 2), (12,))],
)
def test_keys_that_look_alike_differ(one: tuple[str | int, ...], other: tuple[str | int, ...]) -> None:
    assert first(one) != first(other)


def test_a_stream_is_seeded_by_the_sha256_of_its_key_in_json() -> None:
    digest = hashlib.sha256(b'["sample", "surface-2in8", 3]').hexdigest()
    expected = np.random.Generator(np.random.PCG64(int(digest, 16)))
    np.testing.assert_array_equal(sample_stream("surface-2in8", 3).random(5), expected.random(5))


def test_every_part_of_a_runs_key_matters() -> None:
    keys = [
        ("a", 32, 0, "noise", 0),
        ("b", 32, 0, "noise", 0),
        ("a", 64, 0, "noise", 0),
        ("a", 32, 1, "noise", 0),
        ("a", 32, 0, "batch", 0),
        ("a", 32, 0, "noise", 1),
    ]
    assert len({run_stream(*key).bytes(16) for key in keys}) == len(keys)


def test_the_first_chunk_is_the_default() -> None:
    assert run_stream("a", 32, 0, "noise").bytes(16) == run_stream("a", 32, 0, "noise", 0).bytes(16)


def test_streams_are_the_same_in_every_process() -> None:
    program = "from wgpipe.rng import run_stream; print(run_stream('a', 32, 0, 'noise').bytes(16).hex())"
    outputs = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for seed in ("0", "1")
    }
    assert outputs == {run_stream("a", 32, 0, "noise").bytes(16).hex()}

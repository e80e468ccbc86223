"""How members are cut into stacks changes no byte of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.blocks import adversarial, job, prepared
from wgpipe.recipe import Recipe
from wgpipe.train import files, sizing, stacks
from wgpipe.train.bundle import train
from wgpipe.train.interrupt import Interrupted, StopRequest
from wgpipe.train.stacks import Stacks

CPU = torch.device("cpu")
CHUNK = 10
SIZES, SEEDS = (16, 5, 40), (0, 1)
GROUPSORT = {"name": "groupsort", "hidden": [8, 8]}
ASKED = {"analytic": "auto", "autograd": "autograd"}


class Always(StopRequest):
    """A request that has come."""

    def __bool__(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def short_chunks(chunk: Callable[[int], None]) -> None:
    chunk(CHUNK)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return prepared(tmp_path_factory.mktemp("surface"))


@pytest.fixture
def cut(data: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Stacks]:
    """`cut(size, recipe, …)`: the runs of several blocks in stacks of at most this size."""

    def build(size: int, recipe: Recipe, path: str = "auto", n: tuple[int, ...] = SIZES) -> Stacks:
        monkeypatch.setattr(stacks, "members_in_cache", lambda recipe, threads: size)
        return Stacks([job(data, recipe, n=each, seeds=SEEDS) for each in n], CPU, 1, path)

    return build


def run(cut: Stacks) -> dict[Any, tuple[bytes, ...]]:
    """All that a training leaves of each run, as bytes."""
    while cut.step < cut.recipe.training.steps:
        cut.train_chunk()
    state = {name: value.numpy() for name, value in cut.state().items()}
    return {
        each: (*(value[row].tobytes() for value in state.values()), repr(cut.history[each]).encode())
        for row, each in enumerate(cut.runs)
    }


RECIPES = {
    "wgan-lp": adversarial("wgan", "lp", steps=13),
    "wgan-clip": adversarial("wgan", "clip", steps=8),
    "groupsort": adversarial("vanilla", steps=8).model_copy(
        update={"critic": Recipe.model_validate({"method": {"name": "wgan"}, "critic": GROUPSORT}).critic}
    ),
}


@pytest.mark.parametrize(
    ("name", "path"),
    [(name, path) for name in RECIPES for path in ASKED if (name, path) != ("groupsort", "analytic")],
)
def test_cutting_changes_no_byte(name: str, path: str, cut: Callable[..., Stacks]) -> None:
    whole = cut(100, RECIPES[name], ASKED[path])
    assert len(whole.populations) == 1
    assert whole.path == path
    expected = run(whole)
    assert expected.keys() == {(n, seed) for n in SIZES for seed in SEEDS}
    assert len(set(expected.values())) == len(expected)
    for size, parts in ((1, 6), (4, 2), (5, 2)):
        made = cut(size, RECIPES[name], ASKED[path])
        assert len(made.populations) == parts
        assert run(made) == expected


def test_results_are_in_the_order_of_the_runs(cut: Callable[..., Stacks]) -> None:
    whole, parts = cut(100, RECIPES["wgan-clip"]), cut(4, RECIPES["wgan-clip"])
    for made in (whole, parts):
        run(made)
    for found, expected in zip(parts.results()[:2], whole.results()[:2], strict=True):
        assert found.keys() == expected.keys()
        for name, value in expected.items():
            assert len(value) == len(SIZES) * len(SEEDS)
            np.testing.assert_array_equal(found[name], value)
    np.testing.assert_array_equal(parts.results()[2], [-1] * 6)


def test_a_bundle_of_many_stacks_has_the_bytes_of_one(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = [job(data, RECIPES["wgan-lp"], n=n) for n in SIZES]
    for size in (100, 1):
        monkeypatch.setattr(stacks, "members_in_cache", lambda recipe, threads, size=size: size)
        train(tmp_path / str(size), jobs, 1, "cpu")
    for n in SIZES:
        for name in files.OUTPUTS:
            whole, parts = (tmp_path / str(size) / files.block(n) / name for size in (100, 1))
            assert whole.read_bytes() == parts.read_bytes()


def test_a_state_goes_into_stacks_that_are_cut_otherwise(cut: Callable[..., Stacks]) -> None:
    expected = run(cut(100, RECIPES["wgan-lp"]))
    first = cut(4, RECIPES["wgan-lp"])
    first.train_chunk()
    second = cut(3, RECIPES["wgan-lp"])
    second.load_state(first.state(), range(6))
    second.history = first.history
    assert second.step == CHUNK
    assert run(second) == expected


def test_a_part_of_a_state_goes_into_the_runs_that_it_belongs_to(cut: Callable[..., Stacks]) -> None:
    first = cut(4, RECIPES["wgan-lp"])
    expected = run(cut(100, RECIPES["wgan-lp"]))
    first.train_chunk()
    second = cut(3, RECIPES["wgan-lp"], n=(40, 16))
    rows = [first.runs.index(each) for each in second.runs]
    assert rows == [4, 5, 0, 1]
    second.load_state(first.state(), rows)
    second.history = {each: first.history[each] for each in second.runs}
    assert run(second) == {each: expected[each] for each in second.runs}


def test_a_stop_leaves_earlier_stacks_a_chunk_ahead_and_training_goes_on_from_there(cut: Callable[..., Stacks]) -> None:
    expected = run(cut(100, RECIPES["wgan-lp"]))
    stopped = cut(4, RECIPES["wgan-lp"])
    second = stopped.populations[1]
    train_chunk = second.train_chunk
    second.train_chunk = lambda stop=None: train_chunk(Always())  # type: ignore[method-assign]
    with pytest.raises(Interrupted):
        stopped.train_chunk()
    assert [population.step for population in stopped.populations] == [CHUNK, 0]
    assert stopped.step == 0
    resumed = cut(4, RECIPES["wgan-lp"])
    resumed.load_state(stopped.state(), range(6))
    resumed.history = stopped.history
    assert resumed.fit(stopped.state()["step"])
    assert not cut(3, RECIPES["wgan-lp"]).fit(stopped.state()["step"])
    assert run(resumed) == expected


def test_a_stack_holds_at_least_one_member_and_fewer_of_wider_nets_and_larger_batches() -> None:
    def members(**training: Any) -> int:
        return sizing.members_in_cache(adversarial("wgan", "lp", **training))

    assert members(batch=64) > members(batch=128) >= 1
    assert members(batch=32 * 10**6) == 1
    assert sizing.members_in_cache(adversarial("wgan", batch=64)) > members(batch=64)

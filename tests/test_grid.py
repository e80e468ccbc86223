"""The grid says once what is run and where it lies, and a larger grid never moves a smaller one."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from wgpipe.config import Config, GridPart, Study, StudyScale
from wgpipe.dag import Dag
from wgpipe.grid import Bundle, Grid
from wgpipe.recipe import Piece, Recipe
from wgpipe.resolve import Resolved
from wgpipe.rng import run_stream, sample_stream

SCALE = "toy"
DATASETS = ["surface-2in8", "surface-2in2", "cube-1in1", "gaussian-2", "digits", "torus-1in1"]
ROOM = {"cube": lambda k: k, "torus": lambda k: 2 * k, "sphere": lambda k: k + 1, "surface": lambda k: k + 1}
RECIPES = ["wgan-lp", "wgan", "n16", "s0-3"]
CONTROLS = ["empirical", "gaussian"]
SAME_EVERY_TIME = settings(max_examples=60, deadline=None, derandomize=True, phases=[Phase.generate])
PURPOSES = ["init-generator", "init-critic", "batch", "noise", "mix", "eval-real", "eval-generated", "eval-critic"]


@dataclass(frozen=True)
class Given:
    """What a configuration asks for, in the order in which it stands there."""

    slots: Sequence[int]
    studies: dict[str, Sequence[GridPart]]
    controls: Sequence[str] = ("oracle",)
    slot: int = 4

    def grid(self) -> Grid:
        seeds = [f"{k * self.slot}-{(k + 1) * self.slot - 1}" for k in self.slots]
        config = Config(scale=SCALE, studies=list(self.studies), seeds=seeds, slot=self.slot)
        studies = {name: study(name, parts, self.controls) for name, parts in self.studies.items()}
        return Grid(Resolved(config, studies, recipes(self.controls), {name: {"w1": {}} for name in studies}))


def study(name: str, parts: Sequence[GridPart], controls: Sequence[str]) -> Study:
    return Study(
        study=name,
        title="",
        recipes={recipe: {} for recipe in RECIPES},
        controls=list(controls),
        metrics={"w1": {}},
        scales={SCALE: StudyScale(grid=list(parts))},
    )


def recipes(controls: Sequence[str]) -> dict[str, Recipe]:
    net = Piece(name="mlp")
    trained = {name: Recipe(method=Piece(name="wgan"), generator=net, critic=net) for name in RECIPES}
    return trained | {name: Recipe(method=Piece(name=name)) for name in controls}


def some(values: Sequence[Any], least: int = 1) -> st.SearchStrategy[list[Any]]:
    return st.lists(st.sampled_from(values), min_size=least, max_size=3, unique=True)


planted = st.fixed_dictionaries(
    {"families": some(["cube", "sphere", "torus"]), "intrinsic": some([1, 2, 3]), "ambient": some([1, 2])}
)
parts = st.builds(
    GridPart, datasets=some(DATASETS), planted=st.none() | planted, recipes=some(RECIPES), n=some([16, 32, 64])
)
studies = st.dictionaries(st.sampled_from(["rates", "capacity"]), st.lists(parts, min_size=1, max_size=2), min_size=1)
controls = some(CONTROLS, least=0).map(lambda names: ["oracle", *names])
configurations = st.builds(Given, slots=some([0, 1, 2, 5]), studies=studies, controls=controls)


@st.composite
def grown(draw: st.DrawFn) -> tuple[Given, Given]:
    """A configuration, and another that asks for all of it and for more, in any order."""
    small, more = draw(configurations), draw(configurations)
    joined = {
        name: draw(st.permutations([*map(reordered(draw), small.studies.get(name, ())), *more.studies.get(name, ())]))
        for name in draw(st.permutations(sorted({*small.studies, *more.studies})))
    }
    slots = draw(st.permutations(sorted({*small.slots, *more.slots})))
    named = draw(st.permutations(sorted({*small.controls, *more.controls})))
    return small, Given(slots, joined, named)


def reordered(draw: st.DrawFn) -> Any:
    def shuffle(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: shuffle(item) for key, item in value.items()}
        return draw(st.permutations(value)) if isinstance(value, list) else value

    return lambda part: GridPart.model_validate(shuffle(part.model_dump()))


@cache
def first_numbers(dataset: str, n: int, seed: int) -> tuple[float, ...]:
    streams = [sample_stream(dataset, seed), *(run_stream(dataset, n, seed, purpose) for purpose in PURPOSES)]
    return tuple(stream.random() for stream in streams)


def fits(dataset: str) -> bool:
    """Whether a planted shape has room in its space, by the dimensions in its name."""
    name, _, dimensions = dataset.partition("-")
    intrinsic, _, dimension = dimensions.partition("in")
    return name not in ROOM or int(dimension) >= ROOM[name](int(intrinsic))


def runs(grid: Grid) -> dict[tuple[str, str, int, int], tuple[Any, ...]]:
    """Each run, to its folder, the seeds it trains with, and what its streams begin with."""
    return {
        (block.dataset, block.recipe, block.n, seed): (
            grid.block_folder(block),
            block.seeds,
            first_numbers(block.dataset, block.n, seed),
        )
        for block in grid.blocks
        for seed in block.seeds
    }


@SAME_EVERY_TIME
@given(configurations)
def test_no_two_runs_share_a_path(asked: Given) -> None:
    grid = asked.grid()
    paths = {(folder, seed) for (*_, seed), (folder, *_) in runs(grid).items()}
    assert len(paths) == len(runs(grid)) == sum(len(block.seeds) for block in grid.blocks)


@SAME_EVERY_TIME
@given(grown())
def test_a_larger_grid_in_any_order_leaves_every_run_as_it_was(pair: tuple[Given, Given]) -> None:
    small, large = (given.grid() for given in pair)
    assert runs(small).items() <= runs(large).items()
    for name, blocks in small.study_blocks.items():
        assert set(blocks) <= set(large.study_blocks[name])
    assert set(small.exclusions) <= set(large.exclusions)


@SAME_EVERY_TIME
@given(configurations)
def test_every_cell_asked_for_is_a_block_or_excluded_with_its_reason(asked: Given) -> None:
    grid = asked.grid()
    wanted = {
        (name, dataset, recipe, n, slot)
        for name, given_parts in asked.studies.items()
        for part in given_parts
        for dataset in part.dataset_names()
        for recipe in [*part.recipes, *asked.controls]
        for n in part.n
        for slot in asked.slots
    }
    excluded = {(exclusion.study, exclusion.dataset) for exclusion in grid.exclusions}
    found = {
        (name, block.dataset, block.recipe, block.n, block.seeds[0] // asked.slot)
        for name, blocks in grid.study_blocks.items()
        for block in blocks
    }
    assert found == {cell for cell in wanted if fits(cell[1])}
    assert excluded == {cell[:2] for cell in wanted if not fits(cell[1])}
    assert len(excluded) == len(grid.exclusions)
    for exclusion in grid.exclusions:
        assert exclusion.dataset in exclusion.reason
        assert "needs d >" in exclusion.reason


@SAME_EVERY_TIME
@given(configurations)
def test_a_run_that_is_needed_twice_appears_once(asked: Given) -> None:
    doubled = Given(asked.slots, {name: [*given, *given] for name, given in asked.studies.items()}, asked.controls)
    twice, grid = doubled.grid(), asked.grid()
    assert twice.blocks == grid.blocks
    assert twice.study_blocks == grid.study_blocks
    assert len(set(grid.blocks)) == len(grid.blocks)
    assert set(grid.blocks) == {block for blocks in grid.study_blocks.values() for block in blocks}


@SAME_EVERY_TIME
@given(configurations, st.integers(1, 9))
def test_blocks_are_whole_aligned_slots(asked: Given, slot: int) -> None:
    grid = Given(asked.slots, asked.studies, asked.controls, slot).grid()
    for block in grid.blocks:
        first = block.seeds[0]
        assert first % slot == 0
        assert block.seeds == tuple(range(first, first + slot))
        assert grid.block_folder(block).parts[-2:] == (f"s{first}-{first + slot - 1}", f"n{block.n}")


@SAME_EVERY_TIME
@given(configurations)
def test_bundles_part_the_blocks_by_all_but_n(asked: Given) -> None:
    grid = asked.grid()
    assert sorted(block for blocks in grid.bundles.values() for block in blocks) == grid.blocks
    for bundle, blocks in grid.bundles.items():
        assert {(block.dataset, block.recipe, block.seeds) for block in blocks} == {
            (bundle.dataset, bundle.recipe, bundle.seeds)
        }
        assert {grid.block_folder(block).parent for block in blocks} == {grid.bundle_folder(bundle)}
    assert len({grid.bundle_folder(bundle) for bundle in grid.bundles}) == len(grid.bundles)


@SAME_EVERY_TIME
@given(configurations)
def test_pairs_part_the_blocks(asked: Given) -> None:
    grid = asked.grid()
    assert sorted(block for pair in grid.pairs() for block in grid.blocks_of(*pair)) == grid.blocks
    for pair in grid.pairs():
        users = [name for name, blocks in grid.study_blocks.items() if {*grid.blocks_of(*pair)} & {*blocks}]
        assert grid.studies_of(*pair) == users


def test_every_impossible_dataset_of_a_study_is_excluded_once() -> None:
    part = GridPart(datasets=["torus-1in1", "cube-1in1"], recipes=["wgan"], n=[16, 32])
    again = GridPart(datasets=["torus-1in1"], recipes=["wgan-lp"], n=[64])
    grid = Given([0, 1], {"rates": [part, again], "capacity": [again]}).grid()
    assert [(exclusion.study, exclusion.dataset) for exclusion in grid.exclusions] == [
        ("rates", "torus-1in1"),
        ("capacity", "torus-1in1"),
    ]
    assert {block.dataset for block in grid.blocks} == {"cube-1in1"}


@pytest.fixture
def composed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Dag:
    """`wgan-lp` is trained on the generators of `wgan`, and alone is in the grid."""
    monkeypatch.chdir(tmp_path)
    resolved = Given([0], {"rates": [GridPart(datasets=["cube-1in1"], recipes=["wgan-lp"], n=[16])]}).grid().resolved
    on_another = resolved.recipes["wgan-lp"].model_copy(update={"on": "wgan"})
    return Dag(replace(resolved, recipes={**resolved.recipes, "wgan-lp": on_another}))


def test_a_recipe_that_another_is_trained_on_is_part_of_the_grid(composed: Dag) -> None:
    assert {block.recipe for block in composed.blocks} == {"wgan", "wgan-lp", "oracle"}


def test_a_bundle_waits_for_that_whose_generators_it_is_trained_on(composed: Dag) -> None:
    first, second = (SimpleNamespace(dataset="cube-1in1", recipe=recipe, seeds="0-3") for recipe in ("wgan", "wgan-lp"))
    assert composed.base(first) == []
    assert composed.base_option(first) == ""
    folder = composed.bundle_folder(Bundle("cube-1in1", "wgan", (0, 1, 2, 3)))
    assert composed.base(second) == [str(folder / "bundle.json")]
    assert composed.base_option(second) == f"--base {folder}"


def test_a_scale_may_have_seeds_of_its_own() -> None:
    given = Given([0, 1], {"rates": [GridPart(datasets=["cube-1in1"], recipes=["wgan"], n=[16])]})
    resolved = given.grid().resolved
    rates = resolved.studies["rates"]
    own = rates.scales[SCALE].model_copy(update={"seeds": ["2-5"], "slot": 2})
    grid = Grid(replace(resolved, studies={"rates": rates.model_copy(update={"scales": {SCALE: own}})}))
    assert {block.seeds for block in grid.blocks} == {(2, 3), (4, 5)}


def test_streams_of_different_runs_and_purposes_differ() -> None:
    keys = [(dataset, n, seed) for dataset in DATASETS for n in (1, 11, 16) for seed in (0, 1, 11, 111)]
    numbers = {number for key in keys for number in first_numbers(*key)[1:]}
    samples = {first_numbers(*key)[0] for key in keys}
    assert len(numbers) == len(keys) * len(PURPOSES)
    assert len(samples) == len(keys) / 3, "a sample must depend on the dataset and the seed alone"
    assert not numbers & samples


def test_streams_do_not_depend_on_pythons_own_hashes() -> None:
    code = "from wgpipe.rng import run_stream; print(run_stream('digits', 16, 3, 'noise').random())"
    printed = [
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert printed == [f"{run_stream('digits', 16, 3, 'noise').random()}\n"] * 2


def test_what_is_written_for_the_jobs_changes_only_where_the_configuration_did(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    part = GridPart(datasets=["cube-1in1"], recipes=["wgan"], n=[16])
    other = GridPart(datasets=["cube-1in1"], recipes=["wgan"], n=[32])
    Given([0], {"rates": [part], "capacity": [part]}).grid().write_config("a")
    for file in written():
        os.utime(file, (0, 0))
    Given([0], {"rates": [part], "capacity": [other]}).grid().write_config("b")
    changed = {str(file.relative_to("results/toy/config")) for file in written() if file.stat().st_mtime > 0}
    assert changed == {".digest", "resolved.json", "studies/capacity.json"}
    for file in written():
        os.utime(file, (0, 0))
    Given([0], {"rates": [part], "capacity": [other]}).grid().write_config("a comment more")
    assert [file.name for file in written() if file.stat().st_mtime > 0] == [".digest"]
    assert not list(Path().rglob("*.tmp"))


def written() -> list[Path]:
    return [file for file in Path("results").rglob("*") if file.is_file()]

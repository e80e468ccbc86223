"""What a configuration may say about seeds, planted data, grids and studies."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from wgpipe.config import Config, GridPart, PlantedFamilies, Study


def config(*seeds: str, slot: int = 8, **more: Any) -> Config:
    return Config.model_validate({"scale": "toy", "studies": ["rates"], "seeds": list(seeds), "slot": slot, **more})


def mistake(*seeds: str, slot: int = 8) -> str:
    with pytest.raises(ValidationError) as error:
        config(*seeds, slot=slot)
    return str(error.value)


@pytest.mark.parametrize(
    ("seeds", "slot", "blocks"),
    [
        (["0-7"], 8, [range(8)]),
        (["0-15"], 8, [range(8), range(8, 16)]),
        (["16-23", "0-7"], 8, [range(8), range(16, 24)]),
        (["0-1", "2-3"], 2, [range(2), range(2, 4)]),
        (["3-3", "1-1"], 1, [range(1, 2), range(3, 4)]),
    ],
)
def test_ranges_of_seeds_are_cut_into_slots_in_order(seeds: list[str], slot: int, blocks: list[range]) -> None:
    assert config(*seeds, slot=slot).blocks_of_seeds() == [tuple(block) for block in blocks]


@settings(deadline=None, derandomize=True)
@given(st.integers(1, 9), st.sets(st.integers(0, 30), min_size=1), st.data())
def test_slots_do_not_depend_on_how_the_ranges_are_written(slot: int, numbers: set[int], data: st.DataObject) -> None:
    """One range a slot in any order, or one range for each run of neighbours."""
    each = data.draw(st.permutations([f"{k * slot}-{(k + 1) * slot - 1}" for k in sorted(numbers)]))
    starts = [k for k in sorted(numbers) if k - 1 not in numbers]
    ends = [k for k in sorted(numbers) if k + 1 not in numbers]
    joined = [f"{a * slot}-{(b + 1) * slot - 1}" for a, b in zip(starts, ends, strict=True)]
    expected = [tuple(range(k * slot, (k + 1) * slot)) for k in sorted(numbers)]
    assert config(*each, slot=slot).blocks_of_seeds() == config(*joined, slot=slot).blocks_of_seeds() == expected


@pytest.mark.parametrize("given", ["7-0", "7", "0..7", "-1-6", "0-7x", ""])
def test_what_is_no_range_is_refused(given: str) -> None:
    assert f"seeds '{given}' is not a range such as 0-7" in mistake(given)


@pytest.mark.parametrize("given", ["0-6", "1-8", "4-11", "0-8"])
def test_a_cut_slot_is_refused(given: str) -> None:
    assert f"seeds '{given}' cut a slot; they must be whole slots of 8, as 8-15" in mistake(given)


def test_overlapping_ranges_are_refused() -> None:
    assert "seeds '0-15' and '8-23' overlap at seed 8" in mistake("0-15", "8-23")


@pytest.mark.parametrize("scale", ["", "../up", "a/b", ".hidden", "-x", "a b", "a\n"])
def test_names_that_are_no_folders_are_refused(scale: str) -> None:
    with pytest.raises(ValidationError, match="it names a folder"):
        config("0-7", scale=scale)


def test_a_configuration_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        config("0-7").threads = 2  # type: ignore[misc]


def test_planted_families_are_a_product_named_by_both_dimensions() -> None:
    planted = PlantedFamilies(families=["cube", "torus"], intrinsic=[1, 3], ambient=[1, 16])
    assert planted.names() == [
        "cube-1in1",
        "cube-1in16",
        "cube-3in3",
        "cube-3in48",
        "torus-1in1",
        "torus-1in16",
        "torus-3in3",
        "torus-3in48",
    ]


def test_a_grid_part_joins_named_and_planted_datasets() -> None:
    planted = PlantedFamilies(families=["cube"], intrinsic=[2], ambient=[4])
    part = GridPart(datasets=["digits"], planted=planted, recipes=["wgan"], n=[16])
    assert part.dataset_names() == ["digits", "cube-2in8"]


@pytest.mark.parametrize("empty", ["datasets", "recipes", "n"])
def test_an_empty_grid_part_is_refused(empty: str) -> None:
    part = {"datasets": ["digits"], "recipes": ["wgan"], "n": [16], empty: []}
    with pytest.raises(ValidationError, match="at least"):
        GridPart.model_validate(part)


def test_a_study_needs_the_oracle_among_its_controls() -> None:
    part = {"datasets": ["digits"], "recipes": ["wgan"], "n": [16]}
    study = {
        "study": "rates",
        "title": "",
        "recipes": {"wgan": {}},
        "metrics": {"w1": {}},
        "scales": {"toy": {"grid": [part]}},
    }
    assert Study.model_validate(study).controls == ["oracle"]
    with pytest.raises(ValidationError, match="must contain oracle, which gives the nulls"):
        Study.model_validate({**study, "controls": ["empirical"]})

"""Which pictures the jobs of a study make."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from wgpipe.dag import Dag
from wgpipe.plan import plan_of
from wgpipe.resolve import resolve

CONFIG = Path(__file__).parents[1] / "config"
STUDY, DATA = "coulomb_images", "mnist-7x7"


def dag(*studies: str) -> Dag:
    return Dag(resolve([CONFIG / "config.yaml", CONFIG / "smoke.yaml"], {"studies": list(studies)}))


@pytest.fixture(scope="module")
def images() -> Dag:
    return dag(STUDY)


def test_recipes_and_real_data_are_drawn_and_no_other_control(images: Dag) -> None:
    assert images.pictured(STUDY) == [(DATA, recipe) for recipe in ("coulomb_images", "dcgan", "oracle")]
    folder = Path(f"results/smoke/pictures/{STUDY}/{DATA}")
    expected = [str(folder / f"{recipe}.npz") for recipe in ("coulomb_images", "dcgan", "oracle")]
    assert images.study_pictures(STUDY) == expected
    assert set(expected) <= set(images.all_results())


def test_a_study_that_asks_for_none_has_none() -> None:
    assert dag("vanilla_rates").study_pictures("vanilla_rates") == []


def test_the_job_says_how_many_and_what_looks_at_them(images: Dag) -> None:
    wildcards = SimpleNamespace(study=STUDY, dataset=DATA, recipe="dcgan")
    assert images.picture_options(wildcards) == "--generated 40 --neighbours 8 --extractor classifier"


def test_the_plan_counts_them(images: Dag) -> None:
    assert plan_of(images)["jobs"]["pictures"] == 3
    assert "pictures" not in plan_of(dag("vanilla_rates"))["jobs"]

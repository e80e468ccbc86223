"""Passes are counted by hand, and the recipes that are compared at equal work have it at every scale."""

from __future__ import annotations

from pathlib import Path

import pytest

from wgpipe.config import Config, Study
from wgpipe.recipe import Recipe
from wgpipe.resolve import check_study, study_recipes
from wgpipe.settings import read_yaml, validated
from wgpipe.studies.convex_work import generates, passes, recipe

FILE = Path(__file__).parents[2] / "config" / "studies" / "convex_potentials.yaml"
SCALES = ["smoke", "quick", "full"]


@pytest.fixture(scope="module")
def settings() -> Study:
    return validated(Study, read_yaml(FILE), FILE.name)


def recipes(settings: Study, scale: str) -> dict[str, Recipe]:
    return study_recipes(settings, Config(scale=scale, studies=[settings.study], seeds=["0-7"]), FILE)


@pytest.mark.parametrize("scale", SCALES)
def test_the_settings_are_valid_at_every_scale(settings: Study, scale: str) -> None:
    check_study(settings, Config(scale=scale, studies=[settings.study], seeds=["0-7"]), FILE)
    for one in recipes(settings, scale).values():
        for kind, piece in one.pieces():
            piece.build(kind)


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("icnn", 10 + 2),
        ("q-trained", 10 + 2),
        ("q-closed", 0),
        ("plan-l2", 3),
        ("plan-entropy", 3),
        ("gan-wgan-gp", 5 * (1 + 2 + 2) + 1 + 1),
        ("gan-icnn", 1 + 10 + 2 + 1 + 10 + 1),
        ("gan-q", 1),
    ],
)
def test_passes_of_one_step(settings: Study, name: str, count: int) -> None:
    assert passes(recipe(settings, name)) == count


def test_a_map_behind_a_generator_generates_and_a_map_between_two_laws_does_not(settings: Study) -> None:
    names = [name for name in settings.recipes if generates(recipe(settings, name))]
    assert names == ["gan-wgan-gp", "gan-icnn", "gan-q", "compose-icnn"]


@pytest.mark.parametrize("scale", ["quick", "full"])
def test_baselines_have_as_much_work_as_what_they_are_compared_with(settings: Study, scale: str) -> None:
    own = recipes(settings, scale)

    def work(name: str) -> int:
        return passes(own[name]) * own[name].training.steps

    assert work("plan-l2_work") == work("icnn")
    assert own["plan-l2"].training.steps == own["icnn"].training.steps
    assert own["gan-icnn"].training.steps == own["gan-wgan-gp"].training.steps
    assert work("gan-icnn") == pytest.approx(work("gan-wgan-gp"), rel=0.1)


@pytest.mark.parametrize("scale", ["quick", "full"])
def test_trainings_of_several_lengths_are_as_long_as_their_names_say(settings: Study, scale: str) -> None:
    for name in settings.claims["w2-homotopy"].recipes:
        one = recipes(settings, scale)[name]
        length = int(name.rpartition("_")[2])
        assert one.training.steps == length
        assert one.critic is not None
        assert one.critic.settings.get("homotopy_steps", 0) == (length // 2 if name.startswith("homotopy") else 0)


@pytest.mark.parametrize("scale", ["quick", "full"])
def test_the_grid_holds_every_recipe_that_a_claim_compares(settings: Study, scale: str) -> None:
    used = {name for part in settings.scales[scale].grid for name in part.recipes}
    for name, claim in settings.claims.items():
        if name != "w2-homotopy" or scale == "full":
            assert used.issuperset(claim.recipes), name

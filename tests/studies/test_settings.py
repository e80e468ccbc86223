from pathlib import Path

import pytest

from wgpipe import registry
from wgpipe.citations import known
from wgpipe.config import Config, Study
from wgpipe.data import dataset
from wgpipe.recipe import Recipe
from wgpipe.resolve import check_study, study_recipes
from wgpipe.theory import vanilla

FILE = Path(__file__).parents[2] / "config" / "studies" / "vanilla_rates.yaml"


def recipes(config: Study, scale: str) -> dict[str, Recipe]:
    return study_recipes(config, Config(scale=scale, studies=["vanilla_rates"], seeds=["0-7"]), FILE)


@pytest.mark.parametrize("scale", ["smoke", "quick", "full"])
def test_the_settings_are_valid_at_every_scale(config: Study, scale: str) -> None:
    check_study(config, Config(scale=scale, studies=["vanilla_rates"], seeds=["0-7"]), FILE)
    for recipe in recipes(config, scale).values():
        if recipe.generator is not None and recipe.critic is not None:
            recipe.method.build("method")
            recipe.constraint.build("constraint")
            recipe.generator.build("net")
            recipe.critic.build("net")


def test_the_bands_that_argue_with_exponents_agree_with_the_theory(config: Study) -> None:
    alpha = config.claims["van-rate"].parameters["alpha"]
    assert config.claims["van-wgan"].parameters == config.claims["van-rate"].parameters
    gaps = [vanilla.vanilla_exponent(alpha, k) - vanilla.wasserstein_exponent(alpha, k) for k in (1, 2, 3, 4)]
    assert gaps == pytest.approx([0.25, 0.225, 0.15, 0.1125])
    for name in ("van-rate", "van-wgan", "van-loose"):
        assert config.claims[name].test.band < min(gaps) / 2
    assert config.claims["van-intrinsic"].test.band < -vanilla.wasserstein_exponent(alpha, 2) / 4


def test_every_claim_asks_for_a_whole_slot_of_seeds_and_names_files_that_are_made(config: Study) -> None:
    for claim in config.claims.values():
        assert claim.test.min_seeds == 8
        assert claim.figure in config.figures
        assert claim.table in config.tables


def test_the_quick_grid_holds_every_recipe_that_a_claim_compares(config: Study) -> None:
    used = {name for part in config.scales["quick"].grid for name in part.recipes}
    for name, claim in config.claims.items():
        if name != "van-sandwich":
            assert used.issuperset(claim.recipes), name
    assert used & set(config.claims["van-sandwich"].recipes)


def test_the_bounds_are_judged_on_compact_data_alone(config: Study) -> None:
    for scale in ("smoke", "quick"):
        for part in config.scales[scale].grid:
            assert all(dataset(name).card().radius is not None for name in part.dataset_names())


def test_the_study_is_registered_under_the_name_of_its_file_and_cites_what_is_known(config: Study) -> None:
    study = registry.load("study", config.study)
    assert study.registered_name == FILE.stem == config.study
    assert {*study.cites, *config.cites} <= set(known())

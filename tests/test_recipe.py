"""A recipe is checked piece by piece, and knows its files and its latent dimension."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from wgpipe.errors import UserError
from wgpipe.methods.constraints.lp import LipschitzPenalty
from wgpipe.methods.wgan import Wgan
from wgpipe.recipe import Piece, Recipe, Training

MLP = {"name": "mlp", "hidden": [8, 8]}


def recipe(**settings: Any) -> Recipe:
    return Recipe.model_validate({"method": {"name": "wgan"}, "generator": MLP, "critic": MLP, **settings})


@pytest.mark.parametrize(
    ("latent", "intrinsic", "dimension"),
    [("d*", 3, 3), ("2d*", 3, 6), ("10d*", 2, 20), ("5", 3, 5), (7, 3, 7), ("1d*", 4, 4)],
)
def test_a_latent_dimension_is_a_number_or_a_multiple_of_the_datas(
    latent: str | int, intrinsic: int, dimension: int
) -> None:
    assert recipe(latent=latent).latent_dimension(intrinsic) == dimension


def test_the_latent_dimension_is_that_of_the_data_by_default() -> None:
    assert recipe().latent_dimension(3) == 3


@pytest.mark.parametrize("latent", ["0", 0, -1, "d", "2 d*", "d*2", "2.5d*", "0d*", 1.5, True, None, ""])
def test_another_latent_dimension_is_refused(latent: object) -> None:
    with pytest.raises(ValidationError, match="must be a whole number, or a multiple"):
        recipe(latent=latent)


def test_a_piece_keeps_its_settings_beside_its_name() -> None:
    piece = Piece.model_validate({"name": "lp", "weight": 3.0})
    assert piece.settings == {"weight": 3.0}
    assert piece.build("constraint") == LipschitzPenalty(weight=3.0)


def test_a_piece_without_settings_has_the_defaults() -> None:
    assert Piece(name="wgan").build("method") == Wgan()


@pytest.mark.parametrize("settings", [{"wieght": 3.0}, {"weight": "heavy"}, {"weight": -1}])
def test_a_setting_that_a_piece_does_not_have_is_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Piece.model_validate({"name": "lp", **settings}).build("constraint")


def test_an_unknown_piece_is_answered_with_the_nearest_name() -> None:
    with pytest.raises(UserError, match="did you mean 'wgan'"):
        Piece(name="wgna").build("method")


@pytest.mark.parametrize(
    "training",
    [
        {"steps": 0},
        {"steps": -5},
        {"steps": 1.5},
        {"batch": -32},
        {"batch": 0},
        {"critic_steps": 0},
        {"generator_rate": 0},
        {"average": 1},
        {"decay": "cosine"},
        {"checkpoint_steps": 150},
        {"max_minutes": -1},
        {"step": 10},
    ],
)
def test_meaningless_training_settings_are_refused(training: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        recipe(training=training)


def test_a_recipe_survives_its_json() -> None:
    written = recipe(constraint={"name": "lp", "weight": 3.0}, latent="2d*", training={"betas": [0, 0.9]})
    read = Recipe.model_validate_json(written.model_dump_json())
    assert read == written
    assert read.training.betas == (0.0, 0.9)
    assert all(type(beta) is float for beta in read.training.betas)
    assert read.constraint.settings == {"weight": 3.0}


def test_a_recipe_without_a_generator_is_a_control() -> None:
    assert Recipe(method=Piece(name="oracle")).is_control
    assert not recipe().is_control


def test_the_files_of_a_recipe_are_those_of_its_pieces() -> None:
    names = [file.name for file in recipe(constraint={"name": "lp"}, critic={"name": "groupsort"}).files()]
    assert names == ["wgan.py", "lp.py", "mlp.py", "groupsort.py"]
    assert [file.name for file in Recipe(method=Piece(name="oracle")).files()] == ["oracle.py", "none.py"]


def test_training_defaults_are_within_their_own_bounds() -> None:
    assert Training.model_validate(Training().model_dump()) == Training()

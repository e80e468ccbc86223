"""A recipe: a method, its networks and its hyperparameters, under a readable name. All that training needs to know."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, NonNegativeFloat, PositiveFloat, PositiveInt

from wgpipe import registry
from wgpipe.names import Name
from wgpipe.stored import reading

LATENT = re.compile(r"(?P<factor>[1-9]\d*)?d\*|(?P<number>[1-9]\d*)")


def _latent(value: object) -> str:
    if not LATENT.fullmatch(str(value)):
        raise ValueError("it must be a whole number, or a multiple of the data's intrinsic dimension: 'd*', '2d*'")
    return str(value)


class Piece(BaseModel):
    """A registered piece by name, with its own settings beside: `{name: lp, weight: 10}`."""

    model_config = ConfigDict(extra="allow", frozen=True, allow_inf_nan=False)

    name: str = Field(description="as `wgpipe list` shows it; the piece's own settings stand beside it")

    @property
    def settings(self) -> dict[str, Any]:
        return dict(self.model_extra or {})

    def build(self, kind: str) -> Any:
        """The piece itself; raises pydantic's ValidationError for settings that it does not have."""
        return registry.load(kind, self.name)(**self.settings)


class Training(BaseModel):
    """How long and how fast: `critic_steps` critic updates before each generator update."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    steps: PositiveInt = Field(2000, description="generator updates")
    batch: PositiveInt = Field(
        128,
        description="points in a batch, of each of real and generated; multiples of 32 train together, others alone",
    )
    critic_steps: PositiveInt = Field(1, description="critic updates before each generator update")
    optimiser: Literal["adam", "rmsprop"] = Field("adam", description="of both sides; rmsprop: as the original WGAN")
    generator_rate: PositiveFloat = Field(5e-4, description="learning rate of the generator")
    critic_rate: PositiveFloat = Field(5e-3, description="learning rate of the critic")
    betas: tuple[float, float] = Field((0.5, 0.9), description="Adam's decay rates, for both")
    decay: Literal["none", "linear"] = Field(
        "linear", description="linear: learning rates fall to 0 over the second half"
    )
    average: float = Field(
        0.998, ge=0, lt=1, description="decay of the averaged generator, which is measured; 0: the last one is"
    )
    checkpoint_steps: PositiveInt = Field(
        1000, multiple_of=100, description="generator updates between checkpoints, in whole hundreds"
    )
    max_minutes: NonNegativeFloat = Field(0, description="stop a block after so long with status timeout; 0: never")


class Recipe(BaseModel):
    """One way to learn a distribution, or to compare two.

    Without a generator, the critic learns the distance or the map between the two laws of a pair. Without a critic, the
    generator is trained against a distance in closed form. Controls and fitted maps have a method and nothing else.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    method: Piece = Field(description="what both sides minimise: `wgpipe list methods`")
    constraint: Piece = Field(
        Piece(name="none"), description="what keeps the critic Lipschitz: `wgpipe list constraints`"
    )
    generator: Piece | None = Field(None, description="network: `wgpipe list nets`; null: none")
    critic: Piece | None = Field(None, description="network, likewise")
    on: Name | None = Field(
        None,
        description="a recipe whose trained generator stays as it is: what is learned is a map from it to the data",
    )
    latent: Annotated[str, BeforeValidator(_latent)] = Field(
        "d*", description="latent dimension: a whole number, or a multiple of the data's d* such as 2d*"
    )
    prior: Literal["uniform", "normal"] = Field(
        "uniform", description="law of the latent points: uniform on [-1, 1]^k, or standard normal"
    )
    training: Training = Field(Training(), description="how long and how fast")

    @property
    def is_control(self) -> bool:
        """Whether nothing is trained."""
        return self.generator is None and self.critic is None

    @property
    def compares(self) -> bool:
        """Whether there is no generator: what is learned is about a pair of laws."""
        return self.generator is None and self.critic is not None

    @property
    def trains_generator(self) -> bool:
        """Whether a generator changes."""
        return self.generator is not None and self.on is None

    def pieces(self) -> list[tuple[str, Piece]]:
        """(kind, piece) of everything registered that this recipe names."""
        nets = [("net", net) for net in (self.generator, self.critic) if net is not None]
        return [("method", self.method), ("constraint", self.constraint), *nets]

    def files(self) -> tuple[Path, ...]:
        """Source files of the pieces, for the fingerprint of a block."""
        return tuple(registry.file_of(kind, piece.name) for kind, piece in self.pieces())

    def latent_dimension(self, intrinsic: int) -> int:
        """`latent` as a number, for data of this intrinsic dimension."""
        match = LATENT.fullmatch(self.latent)
        assert match is not None
        return int(match["number"]) if match["number"] else int(match["factor"] or 1) * intrinsic


def read_recipe(file: Path) -> Recipe:
    """A recipe as `wgpipe resolve` wrote it; `UserError` for another file."""
    with reading(file):
        return Recipe.model_validate_json(file.read_text(encoding="utf-8"))

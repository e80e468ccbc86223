"""From config files to one checked configuration: every name known, every setting valid, before anything is written."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from wgpipe import citations, registry
from wgpipe.atomic import atomic
from wgpipe.config import Config, GridPart, Study, StudyScale, study_file
from wgpipe.data import dataset, family
from wgpipe.data.pairs import PairDataset
from wgpipe.data.planted import DoesNotFitError
from wgpipe.errors import UserError, suggestion
from wgpipe.extractors import check_fits, extractor, wanted
from wgpipe.methods import Adversarial, TransportMap
from wgpipe.names import Name
from wgpipe.recipe import Piece, Recipe
from wgpipe.settings import merge, read_yaml, validated
from wgpipe.stored import reading

OWN_KINDS = ("method", "constraint", "net", "dataset", "metric")
PLACES = ("mirror", "placed")  # folders of one machine, which change no result


@dataclass(frozen=True)
class Resolved:
    """What a run needs to know: the config, its studies at this scale, and each recipe with all its settings."""

    config: Config
    studies: dict[str, Study]
    recipes: dict[str, Recipe]
    metrics: dict[str, dict[str, dict[str, Any]]]  # study -> metric -> settings at this scale

    def to_json(self) -> dict[str, Any]:
        """Plain data, in a fixed order, without folders of this machine."""
        return {
            "config": self.config.model_dump(mode="json", exclude=set(PLACES)),
            "studies": {name: study.model_dump(mode="json") for name, study in self.studies.items()},
            "recipes": {name: recipe.model_dump(mode="json") for name, recipe in self.recipes.items()},
            "metrics": self.metrics,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any], trusted: bool = True) -> Resolved:
        """The inverse of `to_json`; own files become known to the registry, to be run if they are `trusted`."""
        config = Config.model_validate(data["config"])
        register_own_files(config, trusted)
        return cls(
            config=config,
            studies=TypeAdapter(dict[Name, Study]).validate_python(data["studies"]),
            recipes=TypeAdapter(dict[Name, Recipe]).validate_python(data["recipes"]),
            metrics=TypeAdapter(dict[Name, dict[Name, dict[str, Any]]]).validate_python(data["metrics"]),
        )


def raw_config(files: Iterable[Path], overrides: dict[str, Any]) -> dict[str, Any]:
    """The files merged in order, with `overrides` on top; nothing is checked yet."""
    merged: dict[str, Any] = {}
    for file in files:
        merged = merge(merged, read_yaml(file))
    return merge(merged, overrides)


def resolve(files: list[Path], overrides: dict[str, Any]) -> Resolved:
    """Read and check everything. `UserError` about the first mistake: file, key, value, what is accepted.

    Studies stand in the folder `studies` beside the first file.
    """

    def origin(key: str) -> str:
        given = [str(file) for file in files if key in read_yaml(file)]
        return f"--config {key}" if key in overrides else (given or [str(files[-1])])[-1]

    config = validated(Config, raw_config(files, overrides), origin)
    register_own_files(config)
    studies: dict[str, Study] = {}
    recipes: dict[str, Recipe] = {}
    defined_in: dict[str, Path] = {}
    for name in config.studies:
        file = study_file(files[0].parent, name)
        if not file.is_file():
            known = [path.stem for path in file.parent.glob("*.yaml")]
            raise UserError(f"{origin('studies')}: study '{name}' has no file {file}{suggestion(name, known)}")
        study = validated(Study, read_yaml(file), str(file))
        registry.file_of("study", name)
        check_study(study, config, file)
        own = study_recipes(study, config, file)
        for part in study.scales[config.scale].grid:
            for recipe_name in part.recipes:
                _check_data(recipe_name, own[recipe_name], part, f"{file}: scales.{config.scale}.grid")
                _check_sizes(recipe_name, own[recipe_name], part, f"{file}: scales.{config.scale}.grid")
        for recipe_name, recipe in own.items():
            if recipe_name in recipes and recipe != recipes[recipe_name]:
                raise UserError(
                    f"{file}: recipe '{recipe_name}' is defined differently in {defined_in[recipe_name]};"
                    " give one of them another name."
                )
            recipes[recipe_name] = recipe
            defined_in[recipe_name] = file
        studies[name] = study
    metrics = {name: study_metrics(study, config.scale) for name, study in studies.items()}
    return Resolved(config, studies, recipes, metrics)


def register_own_files(config: Config, trusted: bool = True) -> None:
    """Make the user's own pieces known to the registry; the code of those that are not trusted never runs."""
    for kind in OWN_KINDS:
        registry.add_files(kind, getattr(config, f"{kind}s"), trusted)


def study_recipes(study: Study, config: Config, file: Path) -> dict[str, Recipe]:
    """All recipes of a study with every setting, checked; controls are recipes of their own name."""
    scale = study.scales[config.scale]
    for name in scale.recipes:
        if name not in study.recipes:
            where = f"{file}: scales.{config.scale}.recipes"
            raise UserError(f"{where}: recipe '{name}' is unknown{suggestion(name, study.recipes)}")
    for name in scale.gpu:
        if name not in study.recipes:
            where = f"{file}: scales.{config.scale}.gpu"
            raise UserError(f"{where}: recipe '{name}' is unknown{suggestion(name, study.recipes)}")
    recipes = {}
    for name, given in study.recipes.items():
        where = f"{file}: recipe '{name}'"
        recipe = validated(Recipe, _with_scale(merge(study.defaults, given), scale, name), where)
        _check_piece("method", recipe.method, where)
        _check_piece("constraint", recipe.constraint, where)
        for side, net in (("generator", recipe.generator), ("critic", recipe.critic)):
            if net is not None:
                _check_piece("net", net, f"{where}: {side}")
        recipes[name] = recipe
    for name, recipe in recipes.items():
        where = f"{file}: recipe '{name}'"
        if recipe.on is not None:
            recipe = recipes[name] = _on_base(recipe, recipes, where)
        _check_sides(recipe, where)
    for name in study.controls:
        if name in recipes:
            raise UserError(f"{file}: '{name}' names both a recipe and a control; rename the recipe.")
        _check_piece("method", Piece(name=name), f"{file}: controls")
        recipes[name] = Recipe(method=Piece(name=name))
    return recipes


def _with_scale(settings: dict[str, Any], scale: StudyScale, recipe: str) -> dict[str, Any]:
    """A recipe's settings under those of a scale, for all recipes and for this one."""
    return merge(merge(settings, {"training": scale.training}), scale.recipes.get(recipe, {}))


def study_metrics(study: Study, scale: str) -> dict[str, dict[str, Any]]:
    """Metric -> settings at a scale."""
    return merge(study.metrics, study.scales[scale].metrics)


def check_study(study: Study, config: Config, file: Path) -> None:
    """Everything about a study that its shape does not say."""
    if study.study != file.stem:
        raise UserError(f"{file}: study = '{study.study}': it must be the file's name, '{file.stem}'.")
    if config.scale not in study.scales:
        raise UserError(f"{file}: scales has no '{config.scale}'{suggestion(config.scale, study.scales)}")
    for key in study.cites:
        citations.entry(key)
    for metric, settings in study_metrics(study, config.scale).items():
        validated(_known("metric", metric, f"{file}: metrics"), settings, f"{file}: metric '{metric}'")
    try:
        config.blocks_of_seeds(study.scales[config.scale])
    except ValueError as error:
        raise UserError(f"{file}: scales.{config.scale}: {error}.") from None
    for scale in study.scales:
        _check_grid(study, scale, file)
    used = {recipe for scale in study.scales.values() for part in scale.grid for recipe in part.recipes}
    for claim, given in study.claims.items():
        for recipe in given.recipes:
            if recipe not in used and recipe not in study.controls:
                accepted = suggestion(recipe, used | set(study.controls))
                raise UserError(f"{file}: claim '{claim}' is about recipe '{recipe}', which is in no grid{accepted}")


def _check_grid(study: Study, scale: str, file: Path) -> None:
    for part in study.scales[scale].grid:
        where = f"{file}: scales.{scale}.grid"
        for recipe in part.recipes:
            if recipe not in study.recipes:
                raise UserError(f"{where}: recipe '{recipe}' is unknown{suggestion(recipe, study.recipes)}")
        for name in part.dataset_names():
            try:
                given = dataset(name)
                card = given.card()
                for settings in study_metrics(study, scale).values():
                    for seen in wanted(settings, given):
                        check_fits(extractor(seen), given)
            except DoesNotFitError:
                continue
            except UserError as error:
                raise UserError(f"{where}: {error}") from None
            largest = max(part.n)
            if card.train_size is not None and largest > card.train_size:
                raise UserError(
                    f"{where}: n = {largest} is larger than dataset '{name}'; accepted: up to {card.train_size}."
                )


def _on_base(recipe: Recipe, recipes: dict[str, Recipe], where: str) -> Recipe:
    """A recipe with the generator, latent space and prior of the one that it is trained on."""
    base = recipes.get(str(recipe.on))
    if base is None:
        raise UserError(f"{where}: on = '{recipe.on}' is no recipe of this study{suggestion(str(recipe.on), recipes)}")
    if not base.trains_generator:
        raise UserError(f"{where}: on = '{recipe.on}' trains no generator; accepted: a recipe that does.")
    return recipe.model_copy(update={name: getattr(base, name) for name in ("generator", "latent", "prior")})


def _check_sides(recipe: Recipe, where: str) -> None:
    """That a recipe has the networks that its method trains, and no others."""
    cls, name = registry.load("method", recipe.method.name), recipe.method.name
    if not issubclass(cls, Adversarial):
        if not recipe.is_control:
            raise UserError(f"{where}: method '{name}' trains no network; set generator: null and critic: null.")
    elif cls.has_critic and recipe.critic is None:
        raise UserError(f"{where}: 'critic' must be given, since method '{name}' trains one; see `wgpipe list nets`.")
    elif not cls.has_critic and recipe.critic is not None:
        raise UserError(f"{where}: method '{name}' trains no critic; set critic: null.")
    elif not cls.has_critic and recipe.generator is None:
        raise UserError(f"{where}: 'generator' must be given, since method '{name}' trains it alone.")
    critic, constraint = recipe.critic, recipe.constraint
    if critic and critic.build("net").normalises_batches() and constraint.build("constraint").bounds_slope:
        raise UserError(
            f"{where}: critic '{critic.name}' normalises batches, where no point has a slope of its own that constraint"
            f" '{constraint.name}' could bound; accepted: norm = layer or none."
        )


def _check_data(name: str, recipe: Recipe, part: GridPart, where: str) -> None:
    """That a recipe which compares two laws is run on pairs of them."""
    if not recipe.compares and not issubclass(registry.load("method", recipe.method.name), TransportMap):
        return
    for given in part.dataset_names():
        if not issubclass(registry.load("dataset", family(given)), PairDataset):
            raise UserError(
                f"{where}: recipe '{name}' compares two laws, and dataset '{given}' is one; give it a generator,"
                " or run it on a dataset of pairs such as funnels-4in2."
            )


def _check_sizes(name: str, recipe: Recipe, part: GridPart, where: str) -> None:
    """That networks can have the sizes that the data ask for."""
    for given in part.dataset_names() if not recipe.is_control else ():
        try:
            card = dataset(given).card()
        except DoesNotFitError:
            continue
        sizes = []
        if recipe.generator is not None:
            latent = recipe.latent_dimension(card.intrinsic or card.latent)
            sizes.append((recipe.generator, (latent, card.dimension)))
        if recipe.critic is not None:
            parts = recipe.method.build("method").parts(card.dimension)
            sizes += [(recipe.critic, size) for size in parts.values()]
        try:
            for net, (inputs, outputs) in sizes:
                net.build("net").check(inputs, outputs)
        except UserError as error:
            raise UserError(f"{where}: recipe '{name}' on dataset '{given}': {error}") from None


def _check_piece(kind: str, piece: Piece, where: str) -> None:
    validated(_known(kind, piece.name, where), piece.settings, f"{where}: {kind} '{piece.name}'")


def _known(kind: str, name: str, where: str) -> Any:
    try:
        return registry.load(kind, name)
    except UserError as error:
        raise UserError(f"{where}: {error}") from None


def read_resolved(file: Path) -> Resolved:
    """What `Resolved.to_json` was written to; `UserError` for another file, or own files that are gone."""
    with reading(file, "delete it; `wgpipe resolve` writes it again"):
        return Resolved.from_json(json.loads(file.read_text(encoding="utf-8")))


def write_if_changed(file: Path, data: Any) -> None:
    """Write data as JSON, atomically, unless the file holds just that already: its time stamp is a trigger."""
    text = json.dumps(data, indent=1, ensure_ascii=False) + "\n"
    if file.is_file() and file.read_bytes() == text.encode():
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    with atomic(file) as path:
        path.write_text(text, encoding="utf-8")

"""The manual and the schemas say what the models say, and what they show works."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from pydantic import BaseModel

from tests.conftest import ROOT
from wgpipe import manual
from wgpipe.cli import main
from wgpipe.config import Claim, Config, Study
from wgpipe.recipe import Recipe
from wgpipe.settings import merge, read_yaml

EXAMPLES = [yaml.safe_load(text) for text in re.findall(r"```yaml\n(.*?)```", manual.pages()[manual.MANUAL], re.DOTALL)]
BASE = read_yaml(ROOT / "config" / "config.yaml")


@pytest.mark.parametrize("file", manual.pages(), ids=str)
def test_the_committed_page_is_what_the_models_say(file: Path) -> None:
    assert (ROOT / file).read_text(encoding="utf-8") == manual.pages()[file], (
        f"{file} is out of date: run `wgpipe docs`"
    )


def test_the_verb_writes_all_pages(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["docs"]) == 0
    assert capsys.readouterr().out.split() == list(map(str, manual.pages()))
    for file, text in manual.pages().items():
        assert file.read_text(encoding="utf-8") == text


def test_the_verb_runs_in_a_checkout_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["docs"]) == 2
    assert capsys.readouterr().err.startswith("wgpipe: config is not a folder here")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("model", manual.MODELS)
def test_every_key_stands_in_the_manual_with_type_default_and_meaning(model: type[BaseModel]) -> None:
    text = manual.pages()[manual.MANUAL]
    for name, field in model.model_fields.items():
        assert field.description, f"{model.__name__}.{name} has no description"
        rows = re.findall(rf"^\| `{name}` \| (.+) \| (.+) \| {re.escape(field.description)} \|$", text, re.MULTILINE)
        assert rows, f"{model.__name__}.{name} is missing: run `wgpipe docs`"
        assert ("required" in [default for _, default in rows]) or not field.is_required()


def test_links_lead_to_headings() -> None:
    text = manual.pages()[manual.MANUAL]
    anchors = {heading.lower().replace(" ", "-") for heading in re.findall(r"^## (.+)$", text, re.MULTILINE)}
    targets = set(re.findall(r"\]\(#([^)]+)\)", text))
    assert targets == {
        "grid-part",
        "planted-families",
        "pictures",
        "study-scale",
        "piece",
        "training",
        "claim",
        "claim-test",
    }
    assert targets <= anchors


def test_a_table_tells_limits_choices_and_defaults() -> None:
    text = manual.pages()[manual.MANUAL]
    for row in (
        "| `slot` | whole number > 0 | `8` |",
        "| `device` | `auto` or `cpu` or `cuda` | `auto` |",
        "| `average` | number ≥ 0, < 1 | `0.998` |",
        "| `checkpoint_steps` | whole number > 0, a multiple of 100 | `1000` |",
        "| `betas` | list (number, number) | `[0.5, 0.9]` |",
        "| `training` | [training](#training) | its defaults |",
        '| `constraint` | [piece](#piece) | `{"name": "none"}` |',
        "| `scales` | name → [study scale](#study-scale), not empty | required |",
        "| `n` | list (whole number > 0), not empty | required |",
    ):
        assert row in text


def test_the_examples_are_right() -> None:
    overlay, mirror, placed, own, study, claim = EXAMPLES
    for settings in (overlay, mirror, placed, own):
        Config.model_validate(merge(BASE, settings))
    shown = Study.model_validate(study)
    for recipe in shown.recipes.values():
        Recipe.model_validate(merge(merge(shown.defaults, recipe), {"training": shown.scales["mine"].training}))
    Claim.model_validate(claim)


def schema(name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((ROOT / "workflow" / "schemas" / f"{name}.schema.json").read_text())
    return content


@pytest.mark.parametrize("overlays", [[], ["smoke"], ["full"]])
def test_the_schema_accepts_the_configurations_that_we_ship(overlays: list[str]) -> None:
    merged = BASE
    for name in overlays:
        merged = merge(merged, read_yaml(ROOT / "config" / f"{name}.yaml"))
    jsonschema.validate(merged, schema("config"))


def test_the_schema_accepts_the_studies_that_we_ship() -> None:
    for file in (ROOT / "config" / "studies").glob("*.yaml"):
        jsonschema.validate(read_yaml(file), schema("study"))


@pytest.mark.parametrize("mistake", [{"thread": 1}, {"slot": 0}, {"device": "gpu"}, {"studies": []}, {"methods": None}])
def test_the_schema_refuses_what_the_model_refuses(mistake: dict[str, Any]) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**BASE, **mistake}, schema("config"))

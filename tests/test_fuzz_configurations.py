"""Thousands of damaged configurations: each is resolved and planned, or ends in one sentence, with nothing written."""

from __future__ import annotations

import contextlib
import io
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given

from tests.conftest import ROOT, edit_yaml
from tests.mutations import Bytes, damage, quickly, wrong_value
from wgpipe.cli import main

CONFIG, STUDY = "config/config.yaml", "config/studies/vanilla_rates.yaml"
DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, bytes]]:
    """The files of a configuration with one study, in the current folder."""
    folder = tmp_path_factory.mktemp("configuration")
    shutil.copytree(ROOT / "config", folder / "config")
    edit_yaml(folder / CONFIG, "studies", value=["vanilla_rates"])
    study = yaml.load((folder / STUDY).read_text(), LOADER)
    scales = {name: study["scales"][name] for name in ("quick", "smoke")}
    used = {recipe for scale in scales.values() for part in scale["grid"] for recipe in part["recipes"]}
    judged = {name: claim for name, claim in study["claims"].items() if set(claim["recipes"]) <= used}
    recipes = {name: recipe for name, recipe in study["recipes"].items() if name in used}
    (folder / STUDY).write_bytes(dumped({**study, "scales": scales, "claims": judged, "recipes": recipes}))
    with contextlib.chdir(folder):
        yield {file: (folder / file).read_bytes() for file in (CONFIG, STUDY)}


def test_a_configuration_that_is_whole_is_resolved(whole: dict[str, bytes]) -> None:
    assert outcome(whole, CONFIG, whole[CONFIG]) == (0, "")


@quickly(500)
@given(change=wrong_value())
def test_a_wrong_value_in_a_study(whole: dict[str, bytes], change: Callable[[Any], Any]) -> None:
    ends_well(whole, STUDY, dumped(change(yaml.load(whole[STUDY], LOADER))))


@quickly(200)
@given(change=wrong_value())
def test_a_wrong_value_in_the_configuration(whole: dict[str, bytes], change: Callable[[Any], Any]) -> None:
    ends_well(whole, CONFIG, dumped(change(yaml.load(whole[CONFIG], LOADER))))


@quickly(200)
@given(change=damage())
def test_damaged_bytes_of_a_study(whole: dict[str, bytes], change: Bytes) -> None:
    ends_well(whole, STUDY, change(whole[STUDY]))


@quickly(200)
@given(change=damage())
def test_damaged_bytes_of_the_configuration(whole: dict[str, bytes], change: Bytes) -> None:
    ends_well(whole, CONFIG, change(whole[CONFIG]))


def dumped(content: Any) -> bytes:
    """As YAML; what it cannot say stays text."""
    text: str = yaml.dump(content, Dumper=DUMPER, allow_unicode=True, sort_keys=False)
    return text.encode("utf-8", "surrogatepass")


def ends_well(whole: dict[str, bytes], file: str, content: bytes) -> None:
    code, said = outcome(whole, file, content)
    lines = said.splitlines()
    if code == 0:
        assert lines == []
    else:
        assert code == 2
        assert len(lines) == 1, said
        assert lines[0].startswith("wgpipe: ")
        assert len(lines[0]) < 2000
        assert not Path("results").exists()
    assert not Path("x").exists()


def outcome(whole: dict[str, bytes], file: str, content: bytes) -> tuple[int, str]:
    """Exit code and errors of `wgpipe resolve`."""
    for name, original in whole.items():
        Path(name).write_bytes(content if name == file else original)
    said = io.StringIO()
    with contextlib.redirect_stderr(said):
        code = main(["resolve"])
    if code == 0:
        shutil.rmtree("results")
        with contextlib.redirect_stdout(io.StringIO()):
            assert main(["plan"]) == 0
    assert {path.name for path in Path().iterdir()} <= {"config", "results"}
    return code, said.getvalue()

"""Reading, merging and checking settings: what is right comes through, what is wrong is said in one sentence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from wgpipe.config import Config, Study
from wgpipe.errors import UserError
from wgpipe.settings import merge, parsed_overrides, read_yaml, validated

CONFIG = {"scale": "toy", "studies": ["rates"], "seeds": ["0-7"]}
STUDY: dict[str, Any] = {
    "study": "rates",
    "title": "",
    "recipes": {"wgan": {}},
    "metrics": {"w1": {}},
    "scales": {"toy": {"grid": [{"planted": {"families": ["cube"], "intrinsic": [1], "ambient": [1]}}]}},
}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "toy.yaml"


def sentence(file: Path, text: str) -> str:
    file.write_text(text, encoding="utf-8")
    with pytest.raises(UserError) as error:
        read_yaml(file)
    return str(error.value)


def test_yaml_is_read_with_anchors_and_merge_keys(file: Path) -> None:
    file.write_text("base: &base {a: 1, b: [x, 2.5, null]}\nagain: *base\nmore: {<<: *base, a: 3}\nrange: 0-7\n")
    base = {"a": 1, "b": ["x", 2.5, None]}
    assert read_yaml(file) == {"base": base, "again": base, "more": {**base, "a": 3}, "range": "0-7"}


def test_a_merged_mapping_may_itself_override_what_it_merges(file: Path) -> None:
    file.write_text("y: &y {k: 1, l: 1}\na: {b: &x {<<: *y, k: 2}}\nc: {<<: *x, l: 3}\n")
    assert read_yaml(file) == {"y": {"k": 1, "l": 1}, "a": {"b": {"k": 2, "l": 1}}, "c": {"k": 2, "l": 3}}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: 1\nb: 2\na: 3\n", "line 3: 'a' is given twice."),
        ("deep:\n  more:\n  - x: 1\n    'x': 2\n", "line 4: 'x' is given twice."),
        ("a: {b: 1, b: 2}\n", "line 1: 'b' is given twice."),
        ("a: [{b: {c: 1, c: 1}}]\n", "line 1: 'c' is given twice."),
        ("mirror: {{folder}}\n", "line 1: a key must be a text."),
        ("a: 1\n  b: 2\n", "line 2: mapping values are not allowed in this context."),
        ("a: !!python/object:os.system {}\n", "line 1: could not determine a constructor for the tag"),
        ("a: 'open\n", "line 2: found unexpected end of stream."),
        ("a: 1\n---\nb: 2\n", "line 2: but found another document."),
    ],
)
def test_a_mistake_in_yaml_is_told_with_its_line(file: Path, text: str, said: str) -> None:
    told = sentence(file, text)
    assert told.startswith(f"{file}, {said.removesuffix('.')}")
    assert told.endswith(".")
    assert "\n" not in told


@pytest.mark.parametrize(("text", "shown"), [("- a\n", "['a']"), ("a\n", "'a'"), ("# nothing\n", "None")])
def test_a_file_must_hold_a_mapping(file: Path, text: str, shown: str) -> None:
    assert sentence(file, text) == f"{file} must hold 'key: value' lines, and holds {shown}."


def test_a_file_that_is_no_text_is_named(file: Path) -> None:
    file.write_bytes(b"scale: qu\xffick\n")
    with pytest.raises(UserError, match=r"toy\.yaml is not UTF-8 text \(byte 9\)\."):
        read_yaml(file)
    assert sentence(file, "a: \x07\n").startswith(f"{file} is not YAML: ")
    with pytest.raises(UserError, match=r"nowhere\.yaml cannot be read: No such file or directory\."):
        read_yaml(file.with_name("nowhere.yaml"))


def test_merging_goes_into_mappings_and_replaces_everything_else() -> None:
    base = {"training": {"steps": 100, "betas": [0.5, 0.9]}, "hidden": [64, 64], "latent": "d*"}
    over = {"training": {"steps": 5, "betas": [0.0]}, "hidden": [8], "latent": {"a": 1}, "new": {"b": 2}}
    assert merge(base, over) == {
        "training": {"steps": 5, "betas": [0.0]},
        "hidden": [8],
        "latent": {"a": 1},
        "new": {"b": 2},
    }
    assert merge(base, {"training": None})["training"] is None
    assert merge(base, {}) == base


def test_merging_changes_neither_side() -> None:
    base, over = {"a": {"x": 1}}, {"a": {"y": {"z": 2}}}
    merged = merge(base, over)
    merged["a"]["x"] = 9
    assert (base, over) == ({"a": {"x": 1}}, {"a": {"y": {"z": 2}}})


def wrong(model: type[Config] | type[Study], **changes: Any) -> str:
    given = CONFIG if model is Config else STUDY
    with pytest.raises(UserError) as error:
        validated(model, {**given, **changes}, "toy.yaml")
    return str(error.value)


def test_settings_that_are_right_become_a_model() -> None:
    assert validated(Config, CONFIG, "toy.yaml").slot == 8


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"thread": 2}, "'thread' is not a setting; did you mean 'threads'? Accepted: allow_missing, "),
        ({"slot": 0}, "slot = 0: it should be greater than 0."),
        ({"threads": "two"}, "threads = 'two': it should be a valid integer, unable to parse string as an integer."),
        ({"device": "gpu"}, "device = 'gpu': it should be 'auto', 'cpu' or 'cuda'."),
        ({"methods": None}, "methods = None: it should be a valid dictionary."),
        ({"studies": []}, "studies = []: it List should have at least 1 item after validation, not 0."),
        (
            {"studies": ["a/b"]},
            "studies.0 = 'a/b': must be letters, digits, '_', '-' and '.', since it names a folder.",
        ),
        ({"seeds": ["0-3"]}, "seeds '0-3' cut a slot; they must be whole slots of 8, as 8-15."),
        ({"mirror": ["x" * 99]}, f"mirror = ['{'x' * 75}...: it should be a valid string."),
    ],
)
def test_a_wrong_setting_is_told_with_its_value_and_what_is_accepted(changes: dict[str, Any], said: str) -> None:
    assert wrong(Config, **changes).startswith(f"toy.yaml: {said}")


def test_a_missing_setting_is_named() -> None:
    with pytest.raises(UserError, match=r"^toy\.yaml: 'scale' is missing\.$"):
        validated(Config, {"studies": ["rates"], "seeds": ["0-7"]}, "toy.yaml")


@pytest.mark.parametrize(
    ("part", "said"),
    [
        ({"n": [16], "recipe": ["wgan"]}, "'scales.toy.grid.0.recipe' is not a setting; did you mean 'recipes'?"),
        (
            {"n": [16], "recipes": ["wgan"], "planted": {"familes": ["cube"]}},
            "'scales.toy.grid.0.planted.familes' is not a setting; did you mean 'families'? Accepted: ambient,",
        ),
        (
            {"n": [16, -1], "recipes": ["wgan"], "datasets": ["digits"]},
            "scales.toy.grid.0.n.1 = -1: it should be greater than 0.",
        ),
    ],
)
def test_a_mistake_deep_inside_is_told_with_the_keys_that_lead_there(part: dict[str, Any], said: str) -> None:
    assert wrong(Study, scales={"toy": {"grid": [part]}}).startswith(f"toy.yaml: {said}")


def test_of_several_mistakes_an_unknown_key_is_told_first() -> None:
    """It is often why another key is missing."""
    with pytest.raises(UserError, match="'sclae' is not a setting; did you mean 'scale'"):
        validated(Config, {"sclae": "toy", "studies": 5}, "toy.yaml")


def test_the_file_is_the_one_that_the_setting_comes_from() -> None:
    with pytest.raises(UserError, match=r"^slot\.yaml: slot = 0"):
        validated(Config, {**CONFIG, "slot": 0}, lambda key: f"{key}.yaml")


def test_a_key_that_is_no_text_is_a_mistake_like_any_other(file: Path) -> None:
    file.write_text("1: 2\n")
    with pytest.raises(UserError, match=r"toy\.yaml, line 1: '1' is read as int, no text; quote it\.$"):
        read_yaml(file)
    file.write_text("a:\n  on: wgan\n")
    with pytest.raises(UserError, match=r"line 2: 'on' is read as bool, no text; quote it\.$"):
        read_yaml(file)


def test_overrides_are_read_as_yaml() -> None:
    given = ["mirror=../data", "threads=2", "allow_missing=true", "mirror=a=b", "methods={mine: ./mine.py}", "device="]
    assert parsed_overrides(given) == {
        "threads": 2,
        "allow_missing": True,
        "mirror": "a=b",
        "methods": {"mine": "./mine.py"},
        "device": None,
    }
    assert parsed_overrides([]) == {}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("threads", "--set threads: it must be KEY=VALUE, such as --set mirror=../data."),
        ("seeds=[0-7", "--set seeds=[0-7: '[0-7' is not a YAML value."),
    ],
)
def test_an_override_that_cannot_be_read_is_told(given: str, said: str) -> None:
    with pytest.raises(UserError) as error:
        parsed_overrides([given])
    assert str(error.value) == said

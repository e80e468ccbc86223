"""Every mistake of a user gives one clear sentence, exit code 2, no traceback, and nothing is written."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import edit_yaml
from wgpipe.cli import main

STUDY = "config/studies/vanilla_rates.yaml"
CONFIG = "config/config.yaml"

CASES = {
    "unknown key": (CONFIG, ("mirrors",), "x", ["config.yaml", "'mirrors'", "did you mean 'mirror'"]),
    "wrong type": (CONFIG, ("slot",), "eight", ["config.yaml", "slot", "'eight'", "integer"]),
    "unknown study": (CONFIG, ("studies",), ["vanilla_rate"], ["config.yaml", "vanilla_rate", "did you mean"]),
    "seeds that overlap": (CONFIG, ("seeds",), ["0-15", "8-23"], ["config.yaml", "overlap at seed 8"]),
    "seeds that cut a slot": (CONFIG, ("seeds",), ["0-5"], ["'0-5'", "whole slots of 8"]),
    "no range of seeds": (CONFIG, ("seeds",), ["7-0"], ["'7-0'", "not a range such as 0-7"]),
    "unknown device": (CONFIG, ("device",), "gpu", ["device", "'gpu'", "'auto', 'cpu' or 'cuda'"]),
    "a scale that escapes": (CONFIG, ("scale",), "../elsewhere", ["scale", "'../elsewhere'", "names a folder"]),
    "unknown scale": (CONFIG, ("scale",), "quik", ["capacity.yaml", "'quik'", "did you mean 'quick'"]),
    "unknown method": (STUDY, ("recipes", "wgan-lp", "method", "name"), "wgam", ["'wgan-lp'", "did you mean 'wgan'"]),
    "unknown constraint": (STUDY, ("recipes", "wgan-lp", "constraint", "name"), "lq", ["'wgan-lp'", "'lq'", "lp"]),
    "unknown hyperparameter": (
        STUDY,
        ("recipes", "wgan-lp", "constraint", "wieght"),
        3,
        ["'wgan-lp'", "'wieght'", "did you mean 'weight'"],
    ),
    "unknown dataset": (
        STUDY,
        ("scales", "quick", "grid", 0, "datasets"),
        ["surfce-2in8"],
        ["vanilla_rates.yaml", "surfce", "did you mean 'surface'"],
    ),
    "malformed dataset": (STUDY, ("scales", "quick", "grid", 0, "datasets"), ["surface-2x8"], ["surface-2x8", "in<d>"]),
    "unknown metric": (STUDY, ("metrics", "w3"), {}, ["metrics", "'w3'", "did you mean 'w2'"]),
    "unknown metric setting": (STUDY, ("metrics", "w1", "reel"), 5, ["'w1'", "'reel'", "did you mean 'real'"]),
    "n larger than the data": (STUDY, ("scales", "quick", "grid", 2, "n"), [2000], ["n = 2000", "digits", "1198"]),
    "empty grid": (STUDY, ("scales", "quick", "grid"), [], ["vanilla_rates.yaml", "scales.quick.grid", "at least 1"]),
    "grid without datasets": (
        STUDY,
        ("scales", "quick", "grid", 0, "datasets"),
        [],
        ["grid.0", "at least one dataset"],
    ),
    "odd GroupSort width": (
        STUDY,
        ("recipes", "wgan-groupsort", "critic", "hidden"),
        [64, 33],
        ["'wgan-groupsort'", "must be even", "33"],
    ),
    "negative steps": (STUDY, ("defaults", "training", "steps"), -5, ["training.steps", "-5", "greater than 0"]),
    "rate written as text": (
        STUDY,
        ("defaults", "training", "critic_rate"),
        "fast",
        ["critic_rate", "'fast'", "number"],
    ),
    "bad latent": (STUDY, ("defaults", "latent"), "d**2", ["latent", "'d**2'", "'2d*'"]),
    "a scale of a recipe that is not there": (
        STUDY,
        ("scales", "quick", "recipes"),
        {"wgan-pl": {"training": {"batch": 64}}},
        ["scales.quick.recipes", "'wgan-pl'", "did you mean 'wgan-lp'"],
    ),
    "a method without its critic": (
        STUDY,
        ("recipes", "wgan-lp", "critic"),
        None,
        ["'wgan-lp'", "'critic' must be given", "'wgan' trains one"],
    ),
    "one law where two are compared": (
        STUDY,
        ("recipes", "wgan-lp", "generator"),
        None,
        ["scales.quick.grid", "'wgan-lp' compares two laws", "'surface-1in4' is one"],
    ),
    "a critic for a method that has none": (
        STUDY,
        ("recipes", "wgan-lp", "method", "name"),
        "gmmn",
        ["'wgan-lp'", "'gmmn' trains no critic", "critic: null"],
    ),
    "networks for a control": (
        STUDY,
        ("recipes", "wgan-lp", "method", "name"),
        "kde",
        ["'wgan-lp'", "'kde' trains no network", "generator: null"],
    ),
    "built on a recipe that is not there": (
        STUDY,
        ("recipes", "wgan-lp", "on"),
        "vanilla-pl",
        ["'wgan-lp'", "on = 'vanilla-pl'", "did you mean 'vanilla-lp'"],
    ),
    "claim on a recipe that is in no grid": (
        STUDY,
        ("claims", "van-rate", "recipes"),
        ["vanilla-pl"],
        ["claim 'van-rate'", "'vanilla-pl'", "did you mean 'vanilla-lp'"],
    ),
    "unknown claim": (STUDY, ("claims", "van-rote"), None, ["van-rote"]),
    "unknown citation": (STUDY, ("cites",), ["kunkel2042"], ["kunkel2042", "did you mean 'kunkel2024'"]),
    "no oracle": (STUDY, ("controls",), ["empirical"], ["controls", "oracle"]),
}


@pytest.mark.parametrize("case", CASES)
def test_a_mistake_gives_one_sentence(case: str, project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, keys, value, said = CASES[case]
    edit_yaml(project / file, *keys, value=value)
    _assert_one_sentence(project, capsys, said)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("scale: quick\nscale: smoke\n", ["config.yaml", "line 2", "'scale' is given twice"]),
        ("scale: [quick\n", ["config.yaml", "line 2"]),
        ("- scale\n", ["config.yaml", "key: value"]),
        ("", ["config.yaml", "key: value"]),
        ("\x00", ["config.yaml"]),
    ],
)
def test_yaml_that_cannot_be_read(
    content: str, said: list[str], project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / CONFIG).write_text(content)
    _assert_one_sentence(project, capsys, said)


def test_duplicate_recipe_names(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = (project / STUDY).read_text()
    (project / STUDY).write_text(text.replace("  vanilla-gp:", "  wgan-lp:"))
    _assert_one_sentence(project, capsys, ["vanilla_rates.yaml", "line", "'wgan-lp' is given twice"])


def test_a_missing_file(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "config/smok.yaml"]) == 2
    assert "config/smok.yaml cannot be read: No such file" in capsys.readouterr().err


def test_a_verb_without_its_input(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = ["--recipe", "no.json", "--data", "nowhere", "--n", "8", "--seeds", "0-1", "--out", "results/x"]
    assert main(["train", *given]) == 2
    assert capsys.readouterr().err == "wgpipe: no.json does not exist.\n"


def test_a_missing_own_file(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    edit_yaml(project / CONFIG, "methods", value={"mine": "./mine.py"})
    _assert_one_sentence(project, capsys, ["mine", "./mine.py", "not a file"])


def test_the_configurations_that_we_ship_are_right(project: Path) -> None:
    for overlays in ([], ["config/smoke.yaml"], ["config/lab.yaml"], ["config/full.yaml"]):
        assert main(["check", *overlays]) == 0


def _assert_one_sentence(project: Path, capsys: pytest.CaptureFixture[str], said: list[str]) -> None:
    assert main(["check"]) == 2
    assert main(["resolve"]) == 2
    captured = capsys.readouterr()
    lines = captured.err.strip().splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("wgpipe: ")
    for words in said:
        assert words in lines[0]
    assert not (project / "results").exists()

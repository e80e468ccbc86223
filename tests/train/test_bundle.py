"""A bundle trains the blocks that it lacks, in one process, each to the bytes that it has by itself."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.blocks import adversarial, control, job, prepared, trained, write_recipe
from wgpipe.audit import provenance
from wgpipe.cli import main
from wgpipe.recipe import Recipe
from wgpipe.train import files
from wgpipe.train import job as job_module
from wgpipe.train.bundle import train
from wgpipe.train.job import Job

SIZES = (16, 24)
RECIPES = {
    "wgan-lp": adversarial("wgan", "lp"),
    "vanilla": adversarial(),
    "gaussian": control("gaussian"),
    "oracle": control("oracle"),
}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return prepared(tmp_path_factory.mktemp("surface"))


@pytest.fixture
def jobs(data: Path) -> Callable[..., list[Job]]:
    """`jobs(recipe, sizes)`: a block each."""

    def build(recipe: Recipe, sizes: tuple[int, ...] = SIZES) -> list[Job]:
        return [job(data, recipe, n=n) for n in sizes]

    return build


@pytest.fixture
def built(jobs: Callable[..., list[Job]], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """A bundle of two blocks."""
    train(tmp_path / "built", jobs(RECIPES["wgan-lp"]), 1, "cpu")
    capsys.readouterr()
    return tmp_path / "built"


def contents(bundle: Path) -> dict[str, bytes]:
    """All that is a result."""
    return {
        str(file.relative_to(bundle)): file.read_bytes()
        for file in sorted(bundle.rglob("*"))
        if file.is_file() and file.name not in (files.COST, provenance.FILE)
    }


def times(block: Path) -> list[int]:
    return [(block / name).stat().st_mtime_ns for name in files.OUTPUTS]


def lines(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return capsys.readouterr().err.splitlines()


@pytest.mark.parametrize("path", ["auto", "autograd"])
@pytest.mark.parametrize("name", RECIPES)
def test_blocks_that_train_together_are_those_that_train_apart(
    name: str, path: str, jobs: Callable[..., list[Job]], tmp_path: Path
) -> None:
    train(tmp_path / "together", jobs(RECIPES[name]), 1, "cpu", path)
    for made in jobs(RECIPES[name]):
        alone = trained(made, tmp_path / f"alone-{made.n}", path)
        for output in files.OUTPUTS:
            found = tmp_path / "together" / files.block(made.n) / output
            assert found.read_bytes() == (alone / output).read_bytes()


def test_its_record_has_the_code_and_the_runs_that_it_was_made_of(built: Path, jobs: Callable[..., list[Job]]) -> None:
    record = json.loads((built / files.BUNDLE).read_text())
    sums = {f"n{n}": hashlib.sha256((built / f"n{n}" / files.RUN).read_bytes()).hexdigest() for n in SIZES}
    assert record == {"code": jobs(RECIPES["wgan-lp"])[0].identity()["code"], "runs": sums}
    assert {path.name for path in built.iterdir()} == {"n16", "n24", files.BUNDLE, files.COST}


def test_its_cost_is_what_the_machine_spent(built: Path) -> None:
    cost = json.loads((built / files.COST).read_text())
    assert cost.keys() == {"wall_seconds", "cpu_seconds", "peak_mb", "trained"}
    assert cost["trained"] == [16, 24]
    assert cost["wall_seconds"] > 0
    assert cost["peak_mb"] > 50


def test_a_second_start_keeps_all_and_says_so(
    built: Path, jobs: Callable[..., list[Job]], capsys: pytest.CaptureFixture[str]
) -> None:
    before, written = contents(built), [times(built / f"n{n}") for n in SIZES]
    train(built, jobs(RECIPES["wgan-lp"]), 1, "cpu")
    assert contents(built) == before
    assert [times(built / f"n{n}") for n in SIZES] == written
    assert lines(capsys) == ["n=16 seeds 0-1 kept", "n=24 seeds 0-1 kept"]
    assert json.loads((built / files.COST).read_text())["trained"] == []


def test_one_more_size_trains_only_it(
    built: Path, jobs: Callable[..., list[Job]], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    written = [times(built / f"n{n}") for n in SIZES]
    train(built, jobs(RECIPES["wgan-lp"], (16, 20, 24)), 1, "cpu")
    assert [times(built / f"n{n}") for n in SIZES] == written
    said = lines(capsys)
    assert said[:2] == ["n=16 seeds 0-1 kept", "n=24 seeds 0-1 kept"]
    assert said[2].startswith("2 runs, ")
    assert json.loads((built / files.COST).read_text())["trained"] == [20]
    train(tmp_path / "at once", jobs(RECIPES["wgan-lp"], (16, 20, 24)), 1, "cpu")
    assert contents(built) == contents(tmp_path / "at once")


def test_a_size_less_leaves_the_record_of_the_others(built: Path, jobs: Callable[..., list[Job]]) -> None:
    train(built, jobs(RECIPES["wgan-lp"], (24,)), 1, "cpu")
    assert json.loads((built / files.BUNDLE).read_text())["runs"].keys() == {"n24"}


@pytest.mark.parametrize("lost", [*files.OUTPUTS, None])
def test_a_block_that_is_not_whole_is_trained_again_alone(
    lost: str | None, built: Path, jobs: Callable[..., list[Job]]
) -> None:
    before, written = contents(built), times(built / "n16")
    if lost is None:
        shutil.rmtree(built / "n24")
    else:
        (built / "n24" / lost).unlink()
    train(built, jobs(RECIPES["wgan-lp"]), 1, "cpu")
    assert contents(built) == before
    assert times(built / "n16") == written


@pytest.mark.parametrize("content", ["", "{", "[]", "null", "{}", '{"code": 1}', b"\xff\xfe"])
def test_a_block_with_a_damaged_record_is_trained_again(
    content: str | bytes, built: Path, jobs: Callable[..., list[Job]]
) -> None:
    before = contents(built)
    (built / "n24" / files.RUN).write_bytes(content if isinstance(content, bytes) else content.encode())
    train(built, jobs(RECIPES["wgan-lp"]), 1, "cpu")
    assert contents(built) == before
    assert json.loads((built / files.COST).read_text())["trained"] == [24]


OTHERWISE: dict[str, dict[str, Any]] = {
    "settings": {"recipe": adversarial("wgan", "lp", steps=21)},
    "data": {"data_checksums": {"embedding": "0" * 64}},
    "recipe": {"recipe_name": "another"},
    "seeds": {"seeds": (2, 3)},
}


@pytest.mark.parametrize("key", OTHERWISE)
def test_a_block_that_was_trained_from_something_else_is_trained_again(
    key: str, built: Path, jobs: Callable[..., list[Job]]
) -> None:
    first, second = jobs(RECIPES["wgan-lp"])
    train(built, [replace(first, **OTHERWISE[key]), replace(second, **OTHERWISE[key])], 1, "cpu")
    assert json.loads((built / files.COST).read_text())["trained"] == [16, 24]


def test_a_block_of_other_code_is_trained_again(
    built: Path, jobs: Callable[..., list[Job]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_module, "training_code", lambda recipe, family: "edited")
    train(built, jobs(RECIPES["wgan-lp"]), 1, "cpu")
    assert json.loads((built / files.COST).read_text())["trained"] == [16, 24]
    assert json.loads((built / files.BUNDLE).read_text())["code"] == "edited"


def test_a_block_of_the_other_path_is_trained_again_only_if_that_is_asked_for(
    built: Path, jobs: Callable[..., list[Job]]
) -> None:
    made = jobs(RECIPES["wgan-lp"])
    train(built, made, 1, "cpu", "autograd")
    assert json.loads((built / files.COST).read_text())["trained"] == [16, 24]
    for path in ("autograd", "auto"):
        train(built, made, 1, "cpu", path)
        assert json.loads((built / files.COST).read_text())["trained"] == []
    assert json.loads((built / "n16" / files.RUN).read_text())["path"] == "autograd"


def test_a_control_is_fitted_once_whatever_path_is_asked_for(jobs: Callable[..., list[Job]], tmp_path: Path) -> None:
    for path, fitted in (("auto", [16, 24]), ("auto", []), ("autograd", [])):
        train(tmp_path, jobs(RECIPES["gaussian"]), 1, "cpu", path)
        assert json.loads((tmp_path / files.COST).read_text())["trained"] == fitted


@pytest.mark.parametrize("path", ["auto", "autograd"])
def test_the_command_line_does_the_same(
    path: str, data: Path, jobs: Callable[..., list[Job]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = write_recipe(tmp_path, "toy", RECIPES["vanilla"])
    command = ["train", "--recipe", str(recipe), "--data", str(data), "--n", "16", "24", "--seeds", "0-1"]
    assert main([*command, "--out", str(tmp_path / "by command"), "--device", "cpu", "--path", path]) == 0
    assert lines(capsys)[0].startswith(f"4 runs, {'analytic' if path == 'auto' else 'autograd'} gradients")
    train(tmp_path / "by hand", jobs(RECIPES["vanilla"]), 1, "cpu", path)
    assert contents(tmp_path / "by command") == contents(tmp_path / "by hand")

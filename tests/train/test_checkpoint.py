"""A training that was killed goes on from its checkpoint to the very bytes of one that was not."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open

from tests.blocks import N, adversarial, job, prepared, write_recipe
from wgpipe.train import block, checkpoint, files
from wgpipe.train.block import Job, train

STEPS, LONG = 250, 600
PATIENCE = 60  # seconds to wait for a checkpoint


class Interrupted(BaseException):
    """What a kill is to a training, inside one process."""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return prepared(tmp_path_factory.mktemp("surface"))


@pytest.fixture(scope="module")
def made(data: Path) -> Job:
    return job(data, adversarial("wgan", "lp", steps=STEPS))


@pytest.fixture(scope="module")
def whole(made: Job, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The files of an uninterrupted training."""
    out = tmp_path_factory.mktemp("whole")
    train(made, out, threads=1, device="cpu")
    return outputs(out)


@pytest.fixture
def interrupt(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """`interrupt(job, out)`: train until the `times`-th checkpoint has been written, and no further."""

    def run(interrupted: Job, out: Path, times: int = 1, threads: int = 1) -> Path:
        written = []

        def save_and_stop(file: Path, *content: Any) -> None:
            save(file, *content)
            written.append(file)
            if len(written) == times:
                raise Interrupted

        save = checkpoint.save
        with monkeypatch.context() as patch:
            patch.setattr(checkpoint, "save", save_and_stop)
            with pytest.raises(Interrupted):
                train(interrupted, out, threads, "cpu")
        return out / files.CHECKPOINT

    return run


def outputs(out: Path) -> dict[str, bytes]:
    return {name: (out / name).read_bytes() for name in files.OUTPUTS}


@pytest.mark.parametrize("times", [1, 2])
def test_a_resumed_training_ends_in_the_same_bytes_and_says_where_it_went_on(
    times: int,
    made: Job,
    whole: dict[str, bytes],
    interrupt: Callable[..., Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    kept = interrupt(made, tmp_path, times)
    assert {path.name for path in tmp_path.iterdir()} == {files.CHECKPOINT}
    capsys.readouterr()
    train(made, tmp_path, threads=1, device="cpu")
    assert outputs(tmp_path) == whole
    assert f"resumed from step {100 * times}\n" in capsys.readouterr().err
    assert not kept.exists()


def test_a_training_killed_at_any_moment_ends_in_the_same_bytes(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """SIGKILL, as `kill -9` and an out-of-memory killer send it, to the process that a rule starts."""
    made = job(data, adversarial("wgan", "lp", steps=LONG), name="long")
    recipe = write_recipe(tmp_path, "long", made.recipe)
    killed, undisturbed = tmp_path / "killed", tmp_path / "undisturbed"
    command = [sys.executable, "-m", "wgpipe.cli", "train", "--recipe", recipe, "--data", data, "--n", str(N)]
    with subprocess.Popen([*command, "--seeds", "0-1", "--out", killed], stderr=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + PATIENCE
        while not (killed / files.CHECKPOINT).exists() and time.monotonic() < deadline:
            time.sleep(0.005)
        os.kill(process.pid, signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    assert not (killed / files.RUN).exists()
    with safe_open(killed / files.CHECKPOINT, "np") as content:
        step = int(content.get_tensor("step"))
    assert 100 <= step < LONG
    train(made, killed, threads=1, device="cpu")
    assert f"resumed from step {step}\n" in capsys.readouterr().err
    train(made, undisturbed, threads=1, device="cpu")
    assert outputs(killed) == outputs(undisturbed)


OTHER: dict[str, dict[str, Any]] = {
    "settings": {"recipe": adversarial("wgan", "lp", steps=STEPS, critic_rate=0.001)},
    "data": {"data_checksums": {"embedding": "0" * 64}},
    "recipe": {"recipe_name": "another"},
    "n": {"n": N - 1},
    "seeds": {"seeds": (2, 3)},
}


@pytest.mark.parametrize("key", OTHER)
def test_a_checkpoint_of_another_training_is_refused(
    key: str,
    made: Job,
    whole: dict[str, bytes],
    interrupt: Callable[..., Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    other = Job(**{**vars(made), **OTHER[key]})
    kept = interrupt(other, tmp_path)
    assert_refused(made, whole, kept, f"it was made with other {key}", capsys)


def test_a_checkpoint_of_other_code_is_refused(
    made: Job,
    whole: dict[str, bytes],
    interrupt: Callable[..., Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(block, "training_code", lambda recipe, family: "older")
        kept = interrupt(made, tmp_path)
    assert_refused(made, whole, kept, "it was made with other code", capsys)


def test_a_checkpoint_of_another_number_of_threads_is_refused(
    made: Job,
    whole: dict[str, bytes],
    interrupt: Callable[..., Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(torch, "set_num_threads", lambda count: None)
    kept = interrupt(made, tmp_path, threads=2)
    assert_refused(made, whole, kept, "it was made with other threads", capsys)


@pytest.mark.parametrize("size", [0, 5, 300, -1])
def test_a_truncated_checkpoint_is_refused(
    size: int,
    made: Job,
    whole: dict[str, bytes],
    interrupt: Callable[..., Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    kept = interrupt(made, tmp_path)
    kept.write_bytes(kept.read_bytes()[:size])
    assert_refused(made, whole, kept, "it is damaged", capsys)


def assert_refused(
    made: Job, whole: dict[str, bytes], kept: Path, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """With a line that says why; then training starts anew and ends in the same bytes."""
    capsys.readouterr()
    train(made, kept.parent, threads=1, device="cpu")
    first = capsys.readouterr().err.splitlines()[0]
    assert first.startswith(f"{kept} is not used: {reason}")
    assert first.endswith("; training starts anew")
    assert outputs(kept.parent) == whole
    assert not kept.exists()


def test_a_checkpoint_takes_the_place_of_the_last_one_whole(
    made: Job, interrupt: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = interrupt(made, tmp_path)
    before = kept.read_bytes()

    def half(state: object, path: Path, metadata: object) -> None:
        path.write_bytes(b"half")
        raise Interrupted

    monkeypatch.setattr(checkpoint, "save_file", half)
    with pytest.raises(Interrupted):
        train(made, tmp_path, threads=1, device="cpu")
    assert kept.read_bytes() == before
    assert list(tmp_path.iterdir()) == [kept]


def test_losses_come_back_with_their_gaps(made: Job, interrupt: Callable[..., Path], tmp_path: Path) -> None:
    """NaN, the loss of a diverged member, survives the way through JSON."""
    wild = Job(**{**vars(made), "recipe": adversarial("wgan", steps=STEPS, critic_rate=1e30)})
    kept = interrupt(wild, tmp_path)
    with safe_open(kept, "np") as content:
        losses = json.loads(content.metadata()["losses"])
    assert [row["critic_loss"] != row["critic_loss"] for row in losses] == [True, True]
    train(wild, tmp_path, threads=1, device="cpu")
    run = json.loads((tmp_path / files.RUN).read_text())
    assert run["stopped_at"] == {"0": 100, "1": 100}

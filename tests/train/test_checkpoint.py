"""A training that was killed goes on from its checkpoint to the very bytes of one that was not."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open

from tests.blocks import adversarial, job, prepared, write_recipe
from wgpipe.train import block, bundle, checkpoint, files, stacks
from wgpipe.train import job as job_module
from wgpipe.train.bundle import train
from wgpipe.train.interrupt import EXIT_CODE
from wgpipe.train.job import Job

SIZES, SEEDS = (16, 24), (0, 1)
STEPS, LONG = 250, 1000
PATIENCE = 60  # seconds to wait for a checkpoint
TEMPORARY = f".{files.CHECKPOINT}.tmp"


class Stopped(BaseException):
    """What a kill is to a training, inside one process."""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return prepared(tmp_path_factory.mktemp("surface"))


@pytest.fixture(scope="module")
def jobs(data: Path) -> list[Job]:
    return [job(data, adversarial("wgan", "lp", steps=STEPS), n=n) for n in SIZES]


@pytest.fixture(scope="module")
def whole(jobs: list[Job], tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The results of an uninterrupted training."""
    out = tmp_path_factory.mktemp("whole")
    train(out, jobs, threads=1, device="cpu")
    return results(out)


@pytest.fixture
def interrupt(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """`interrupt(jobs, out)`: train until the `times`-th checkpoint has been written, and no further."""

    def run(interrupted: list[Job], out: Path, times: int = 1, threads: int = 1, path: str = "auto") -> Path:
        written = []

        def save_and_stop(file: Path, *content: Any) -> None:
            save(file, *content)
            written.append(file)
            if len(written) == times:
                raise Stopped

        save = checkpoint.save
        with monkeypatch.context() as patch:
            patch.setattr(checkpoint, "save", save_and_stop)
            with pytest.raises(Stopped):
                train(out, interrupted, threads, "cpu", path)
        return out / files.CHECKPOINT

    return run


def results(out: Path) -> dict[str, bytes]:
    """All files of a bundle but what a clock decides."""
    return {
        str(file.relative_to(out)): file.read_bytes()
        for file in sorted(out.rglob("*"))
        if file.is_file() and file.name != files.COST
    }


def said(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return capsys.readouterr().err.splitlines()


@pytest.mark.parametrize(("times", "path"), [(1, "auto"), (2, "auto"), (3, "auto"), (2, "autograd")])
def test_a_resumed_training_ends_in_the_same_bytes_and_says_where_it_went_on(
    times: int,
    path: str,
    jobs: list[Job],
    whole: dict[str, bytes],
    interrupt: Callable[..., Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    kept = interrupt(jobs, tmp_path / "killed", times, path=path)
    assert {file.name for file in kept.parent.iterdir()} == {files.CHECKPOINT}
    capsys.readouterr()
    train(kept.parent, jobs, 1, "cpu", path)
    assert f"resumed from step {min(100 * times, STEPS)}" in said(capsys)
    assert not kept.exists()
    if path == "autograd":
        train(tmp_path / "whole", jobs, 1, "cpu", path)
        whole = results(tmp_path / "whole")
    assert results(kept.parent) == whole


# Kills, at chosen moments.


@dataclass(frozen=True)
class Moment:
    """Before the `times`-th call of a function; `half`: when it has written half a file."""

    owner: Any
    function: str
    times: int
    resumed: int | None
    half: bool = False


MOMENTS = {
    "before the first checkpoint": Moment(checkpoint, "save", 1, None),
    "in the middle of writing the first checkpoint": Moment(checkpoint, "save_file", 1, None, half=True),
    "in the middle of writing the second checkpoint": Moment(checkpoint, "save_file", 2, 100, half=True),
    "in the middle of writing the last checkpoint": Moment(checkpoint, "save_file", 3, 200, half=True),
    "after the last step": Moment(bundle, "write_block", 1, STEPS),
    "in the middle of the first block": Moment(block, "save_file", 2, STEPS, half=True),
    "between two blocks": Moment(bundle, "write_block", 2, STEPS),
    "in the middle of the second block": Moment(block, "save_file", 4, STEPS, half=True),
    "after the last block": Moment(bundle, "sha256", 1, None),
}


def kill_at(moment: Moment, out: Path, jobs: list[Job], patch: pytest.MonkeyPatch) -> None:
    """Train in a process that is killed with SIGKILL there."""
    original, calls = getattr(moment.owner, moment.function), []

    def perhaps(*arguments: Any) -> Any:
        calls.append(moment)
        if len(calls) < moment.times:
            return original(*arguments)
        if moment.half:
            next(each for each in arguments if isinstance(each, Path)).write_bytes(b"half")
        return os.kill(os.getpid(), signal.SIGKILL)

    torch.set_num_threads(1)
    with patch.context() as patched:
        patched.setattr(moment.owner, moment.function, perhaps)
        child = os.fork()
        if not child:
            try:
                train(out, jobs, threads=1, device="cpu")
            finally:
                os._exit(1)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status)
    assert os.WTERMSIG(status) == signal.SIGKILL


@pytest.mark.parametrize("name", MOMENTS)
def test_a_training_killed_at_any_moment_ends_in_the_same_bytes(
    name: str,
    jobs: list[Job],
    whole: dict[str, bytes],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    moment = MOMENTS[name]
    kill_at(moment, tmp_path, jobs, monkeypatch)
    assert not (tmp_path / files.BUNDLE).exists()
    assert (tmp_path / TEMPORARY).exists() == (moment.owner is checkpoint and moment.half)
    capsys.readouterr()
    train(tmp_path, jobs, threads=1, device="cpu")
    assert results(tmp_path) == whole
    resumed = [line for line in said(capsys) if line.startswith("resumed")]
    assert resumed == ([] if moment.resumed is None else [f"resumed from step {moment.resumed}"])


def test_a_second_block_is_taken_from_the_last_checkpoint_without_training(
    jobs: list[Job],
    whole: dict[str, bytes],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    kill_at(MOMENTS["between two blocks"], tmp_path, jobs, monkeypatch)
    written = {file: file.stat().st_mtime_ns for file in (tmp_path / "n16").iterdir()}
    assert {file.name for file in written} == {*files.OUTPUTS}
    assert not (tmp_path / "n24").exists()

    def refuse(*_: object) -> None:
        raise AssertionError("there is nothing to train")

    monkeypatch.setattr(stacks.Stacks, "train_chunk", refuse)
    capsys.readouterr()
    train(tmp_path, jobs, threads=1, device="cpu")
    assert said(capsys)[0] == "n=16 seeds 0-1 kept"
    assert {file: file.stat().st_mtime_ns for file in (tmp_path / "n16").iterdir()} == written
    assert results(tmp_path) == whole
    assert json.loads((tmp_path / files.COST).read_text())["trained"] == [24]


# Signals to the process that a rule starts.


@pytest.fixture(scope="module")
def long(data: Path) -> Job:
    return job(data, adversarial("wgan", "lp", steps=LONG), name="long")


@pytest.fixture(scope="module")
def undisturbed(long: Job, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    out = tmp_path_factory.mktemp("undisturbed")
    train(out, [long], threads=1, device="cpu")
    return results(out)


def start(long: Job, data: Path, folder: Path) -> subprocess.Popen[str]:
    """`wgpipe train`, waited for until there is a checkpoint."""
    recipe = write_recipe(folder, "long", long.recipe)
    command = [sys.executable, "-m", "wgpipe.cli", "train", "--recipe", recipe, "--data", data, "--n", str(long.n)]
    options = ["--seeds", "0-1", "--out", folder / "bundle", "--device", "cpu"]
    process = subprocess.Popen([*command, *options], stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + PATIENCE
    while not (folder / "bundle" / files.CHECKPOINT).exists() and time.monotonic() < deadline:
        time.sleep(0.002)
    return process


def step_of(file: Path) -> int:
    with safe_open(file, "np") as content:
        (step,) = set(content.get_tensor("step").tolist())
    return int(step)


def test_sigkill(
    long: Job, undisturbed: dict[str, bytes], data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As `kill -9` and an out-of-memory killer send it."""
    with start(long, data, tmp_path) as process:
        process.kill()
    assert process.returncode == -signal.SIGKILL
    step = step_of(tmp_path / "bundle" / files.CHECKPOINT)
    assert 100 <= step < LONG
    train(tmp_path / "bundle", [long], threads=1, device="cpu")
    assert f"resumed from step {step}" in said(capsys)
    assert results(tmp_path / "bundle") == undisturbed


def test_sigterm_stores_a_checkpoint_and_exits_with_143(
    long: Job, undisturbed: dict[str, bytes], data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As Slurm sends it before it takes a machine back."""
    with start(long, data, tmp_path) as process:
        process.terminate()
        _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == EXIT_CODE == 143
    assert {file.name for file in (tmp_path / "bundle").iterdir()} == {files.CHECKPOINT}
    step = step_of(tmp_path / "bundle" / files.CHECKPOINT)
    assert errors.splitlines()[-1] == f"stopped by SIGTERM at step {step}; the next start goes on from there"
    assert 100 <= step < LONG
    train(tmp_path / "bundle", [long], threads=1, device="cpu")
    assert f"resumed from step {step}" in said(capsys)
    assert results(tmp_path / "bundle") == undisturbed


def test_sigterm_ends_training_between_two_steps_and_loses_less_than_a_chunk(
    jobs: list[Job],
    whole: dict[str, bytes],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A rare checkpoint is not waited for: the one that SIGTERM stores is of the last whole chunk."""
    rare = [replace(made, recipe=adversarial("wgan", "lp", steps=STEPS, checkpoint_steps=1000)) for made in jobs]
    show = bundle._Progress.show

    def terminate(self: Any, step: int) -> None:
        show(self, step)
        if step == 200:
            os.kill(os.getpid(), signal.SIGTERM)

    with monkeypatch.context() as patch:
        patch.setattr(bundle._Progress, "show", terminate)
        with pytest.raises(SystemExit) as stopped:
            train(tmp_path / "stopped", rare, threads=1, device="cpu")
    assert stopped.value.code == EXIT_CODE
    assert step_of(tmp_path / "stopped" / files.CHECKPOINT) == 200
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    train(tmp_path / "stopped", rare, threads=1, device="cpu")
    assert "resumed from step 200" in said(capsys)
    train(tmp_path / "undisturbed", rare, threads=1, device="cpu")
    assert results(tmp_path / "stopped") == results(tmp_path / "undisturbed")


# Checkpoints that are of no use.

OTHER: dict[str, tuple[dict[str, Any], str]] = {
    "settings": ({"recipe": adversarial("wgan", "lp", steps=STEPS, critic_rate=0.001)}, "was made with other settings"),
    "data": ({"data_checksums": {"embedding": "0" * 64}}, "was made with other data"),
    "recipe": ({"recipe_name": "another"}, "was made with other recipe"),
    "seeds": ({"seeds": (1, 2)}, "lacks n=16 seed 0, n=24 seed 0"),
}


@pytest.mark.parametrize("key", OTHER)
def test_a_checkpoint_of_another_training_is_refused(
    key: str,
    jobs: list[Job],
    whole: dict[str, bytes],
    interrupt: Callable[..., Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    changed, reason = OTHER[key]
    kept = interrupt([replace(made, **changed) for made in jobs], tmp_path)
    assert_refused(jobs, whole, kept, f"it {reason}", capsys)


def test_a_checkpoint_that_lacks_a_block_is_refused(
    jobs: list[Job],
    whole: dict[str, bytes],
    interrupt: Callable[..., Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    kept = interrupt([jobs[1]], tmp_path)
    assert_refused(jobs, whole, kept, "it lacks n=16 seed 0, n=16 seed 1", capsys)


def test_a_checkpoint_of_more_blocks_serves_one_of_them(
    jobs: list[Job],
    whole: dict[str, bytes],
    interrupt: Callable[..., Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    interrupt(jobs, tmp_path)
    capsys.readouterr()
    train(tmp_path, [jobs[1]], threads=1, device="cpu")
    assert "resumed from step 100" in said(capsys)
    found = results(tmp_path)
    assert {name: found[f"n24/{name}"] for name in files.OUTPUTS} == {
        name: whole[f"n24/{name}"] for name in files.OUTPUTS
    }


def test_a_checkpoint_of_stacks_at_different_steps_is_refused_where_they_are_cut_otherwise(
    jobs: list[Job], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """SIGTERM may come when some stacks are a chunk ahead; then a block is taken out, and the others move up."""
    three = [*jobs, replace(jobs[0], n=32)]
    monkeypatch.setattr(stacks, "members_in_cache", lambda recipe, threads: 4)
    original, calls = stacks.Population.train_chunk, []

    def terminate(self: Any, stop: Any = None) -> Any:
        calls.append(self)
        if len(calls) == 4:
            os.kill(os.getpid(), signal.SIGTERM)
        return original(self, stop)

    with monkeypatch.context() as patch:
        patch.setattr(stacks.Population, "train_chunk", terminate)
        with pytest.raises(SystemExit):
            train(tmp_path / "stopped", three, threads=1, device="cpu")
    with safe_open(tmp_path / "stopped" / files.CHECKPOINT, "np") as content:
        assert content.get_tensor("step").tolist() == [200, 200, 200, 200, 100, 100]
    capsys.readouterr()
    train(tmp_path / "stopped", three[1:], threads=1, device="cpu")
    assert "it was made of other stacks" in said(capsys)[1]
    train(tmp_path / "undisturbed", three[1:], threads=1, device="cpu")
    assert results(tmp_path / "stopped") == results(tmp_path / "undisturbed")


def test_a_checkpoint_of_other_code_is_refused(
    jobs: list[Job],
    whole: dict[str, bytes],
    interrupt: Callable[..., Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(job_module, "training_code", lambda recipe, family: "older")
        kept = interrupt(jobs, tmp_path)
    assert_refused(jobs, whole, kept, "it was made with other code", capsys)


def test_a_checkpoint_of_another_number_of_threads_is_refused(
    jobs: list[Job],
    whole: dict[str, bytes],
    interrupt: Callable[..., Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(torch, "set_num_threads", lambda count: None)
    kept = interrupt(jobs, tmp_path, threads=2)
    assert_refused(jobs, whole, kept, "it was made with other threads", capsys)


def test_a_checkpoint_of_the_other_path_is_refused(
    jobs: list[Job],
    whole: dict[str, bytes],
    interrupt: Callable[..., Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    kept = interrupt(jobs, tmp_path, path="autograd")
    assert_refused(jobs, whole, kept, "it was made with other path", capsys)


@pytest.mark.parametrize("size", [0, 5, 300, -1])
def test_a_truncated_checkpoint_is_refused(
    size: int,
    jobs: list[Job],
    whole: dict[str, bytes],
    interrupt: Callable[..., Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    kept = interrupt(jobs, tmp_path)
    kept.write_bytes(kept.read_bytes()[:size])
    assert_refused(jobs, whole, kept, "it is damaged", capsys)


def assert_refused(
    jobs: list[Job], whole: dict[str, bytes], kept: Path, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """With a line that says why; then training starts anew and ends in the same bytes."""
    capsys.readouterr()
    train(kept.parent, jobs, threads=1, device="cpu")
    (refusal,) = [line for line in said(capsys) if "not used" in line]
    assert refusal.startswith(f"{kept} is not used: {reason}")
    assert refusal.endswith("; training starts anew")
    assert results(kept.parent) == whole
    assert not kept.exists()


def test_a_checkpoint_takes_the_place_of_the_last_one_whole(
    jobs: list[Job], interrupt: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = interrupt(jobs, tmp_path)
    before = kept.read_bytes()

    def half(state: object, path: Path, metadata: object) -> None:
        path.write_bytes(b"half")
        raise Stopped

    monkeypatch.setattr(checkpoint, "save_file", half)
    with pytest.raises(Stopped):
        train(tmp_path, jobs, threads=1, device="cpu")
    assert kept.read_bytes() == before
    assert list(tmp_path.iterdir()) == [kept]


def test_losses_come_back_with_their_gaps(jobs: list[Job], interrupt: Callable[..., Path], tmp_path: Path) -> None:
    """NaN, the loss of a diverged member, survives the way through JSON."""
    wild = [replace(made, recipe=adversarial("wgan", steps=STEPS, critic_rate=1e30)) for made in jobs]
    kept = interrupt(wild, tmp_path)
    with safe_open(kept, "np") as content:
        history = json.loads(content.metadata()["history"])
    assert [run for run, _ in history] == [[16, 0], [16, 1], [24, 0], [24, 1]]
    assert all(row["critic_loss"] != row["critic_loss"] for _, losses in history for row in losses)
    train(tmp_path, wild, threads=1, device="cpu")
    for n in SIZES:
        run = json.loads((tmp_path / files.block(n) / files.RUN).read_text())
        assert run["stopped_at"] == {"0": 100, "1": 100}

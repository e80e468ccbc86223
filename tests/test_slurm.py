"""The remedy, with clients of Slurm that say what a test wants, in front of an executor that notes what it does."""

from __future__ import annotations

import asyncio
import importlib.metadata
import os
import re
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from snakemake_interface_common.exceptions import WorkflowError
from snakemake_interface_executor_plugins.executors.base import SubmittedJobInfo
from snakemake_interface_executor_plugins.executors.remote import RemoteExecutor
from snakemake_interface_executor_plugins.registry import ExecutorPluginRegistry

from tests.conftest import ROOT
from wgpipe import slurm


@dataclass
class Clients:
    """Slurm's programs on PATH: each prints its file of answers, or fails if it has none; calls are noted."""

    folder: Path

    def answer(self, name: str, text: str | None) -> None:
        (self.folder / f"{name}.answer").unlink(missing_ok=True)
        if text is not None:
            (self.folder / f"{name}.answer").write_text(text)

    def calls(self, name: str) -> list[str]:
        calls = self.folder / f"{name}.calls"
        return calls.read_text().splitlines() if calls.exists() else []


@pytest.fixture
def clients(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Clients:
    folder = tmp_path / "clients"
    folder.mkdir()
    for name in ("squeue", "sacct", "scontrol", "scancel"):
        script = folder / name
        script.write_text(f'#!/bin/sh\necho "$*" >> {script}.calls\nexec cat {script}.answer\n')
        script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    found = Clients(folder)
    found.answer("scontrol", "up")
    found.answer("scancel", "")
    return found


@dataclass(eq=False)
class Job:
    """A job of the DAG."""

    number: str
    attempt: int = 1
    restart_times: int = 2
    resources: dict[str, int] = field(default_factory=lambda: {"mem_mb": 700, "runtime": 12})
    output: tuple[str, ...] = ("results/x.json",)
    rule: Any = field(default_factory=lambda: SimpleNamespace(name="train"))
    wildcards: tuple[str, ...] = ("surface-2in8", "wgan-lp", "0-1")

    def is_group(self) -> bool:
        return False


@dataclass(eq=False)
class Group:
    """Jobs that are submitted together."""

    jobs: list[Job]
    attempt: int = 1
    restart_times: int = 2
    resources: dict[str, int] = field(default_factory=lambda: {"mem_mb": 900, "runtime": 40})

    def is_group(self) -> bool:
        return True

    def __iter__(self) -> Iterator[Job]:
        return iter(self.jobs)


class Plugin(RemoteExecutor):
    """In the place of the plugin's executor."""

    def __init__(self, workflow: Any, logger: Any) -> None:
        self.workflow, self.logger = workflow, logger
        self.wait = True
        self.active_jobs: list[SubmittedJobInfo] = []
        self.lock = threading.Lock()
        self.submitted: list[Any] = []
        self.succeeded: list[str] = []
        self.failed: dict[str, str] = {}
        self._job_submission_executor = ThreadPoolExecutor(2)
        self.__post_init__()

    def __post_init__(self) -> None:
        self.run_uuid = f"{self.workflow.executor_settings.jobname_prefix}_present"

    def run_job(self, job: Any) -> None:
        self.submitted.append(job)

    def _report_job_error_threadsafe(self, job_info: SubmittedJobInfo, msg: str) -> None:
        self.report_job_error(job_info, msg)

    def report_job_success(self, job_info: SubmittedJobInfo) -> None:
        self.succeeded.append(job_info.external_jobid)

    def report_job_error(self, job_info: SubmittedJobInfo, msg: str = "", **_: Any) -> None:
        self.failed[job_info.external_jobid] = msg

    def cancel_jobs(self, active_jobs: list[SubmittedJobInfo]) -> None:
        raise AssertionError("the remedy cancels")

    def check_active_jobs(self, active_jobs: list[SubmittedJobInfo]) -> Any:
        raise AssertionError("the remedy checks")

    def shutdown(self) -> None:
        self.wait = False


Executor: Any = type("Executor", (slurm.Remedy, Plugin), {})


@dataclass
class Logger:
    """What a user reads."""

    said: list[str] = field(default_factory=list)

    def warning(self, message: str) -> None:
        self.said.append(message)

    error = warning


def executor(folder: Path, *jobs: Job) -> Any:
    """One that is to run jobs."""
    settings = SimpleNamespace(
        jobname_prefix="wgpipe", init_seconds_before_status_checks=0.05, keep_successful_logs=False
    )
    workflow = SimpleNamespace(
        executor_settings=settings,
        workdir_init=folder,
        dag=SimpleNamespace(needrun_jobs=lambda: jobs),
    )
    return Executor(workflow, Logger())


def poll(runner: Any, *numbers: str, log: Path | None = None) -> list[str]:
    """Jobs that are still waited for."""
    jobs = [SubmittedJobInfo(Job(number), number, {"slurm_logfile": log or Path("no.log")}) for number in numbers]

    async def left() -> list[str]:
        return [info.external_jobid async for info in runner.check_active_jobs(jobs)]

    return asyncio.run(left())


def test_the_locked_version_is_one_that_needs_the_remedy() -> None:
    pinned = re.search(rf"^{slurm.PACKAGE}==(\S+)$", (ROOT / "requirements.lock").read_text(), re.MULTILINE)
    assert pinned
    assert pinned[1] in slurm.FAULTY, (
        f"requirements.lock now has {slurm.PACKAGE} {pinned[1]}, which wgpipe/slurm.py does not mend: run "
        "`make slurm-test FULL=1` without it; if that passes, delete the module, else add the version to FAULTY."
    )


def test_only_versions_that_need_it_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    registered = ExecutorPluginRegistry().plugins["slurm"]
    original = registered.executor
    monkeypatch.setattr(registered, "executor", original)  # put back afterwards
    monkeypatch.setattr(slurm, "version", lambda _: "99.0")
    slurm.mend()
    assert registered.executor is original
    monkeypatch.setattr(slurm, "version", lambda _: slurm.FAULTY[0])
    slurm.mend()
    mended = registered.executor
    assert mended.__mro__[1:3] == (slurm.Remedy, original)
    slurm.mend()
    assert registered.executor is mended


def test_the_jobs_of_a_submission_are_run_by_a_snakemake_that_keeps_going(monkeypatch: pytest.MonkeyPatch) -> None:
    registered = ExecutorPluginRegistry().plugins["slurm-jobstep"]
    monkeypatch.setattr(registered, "executor", registered.executor)
    slurm.keep_going()
    once = registered.executor
    slurm.keep_going()
    assert registered.executor is once
    assert once.additional_general_args(once.__new__(once)) == "--keep-going"


def test_the_plugin_has_what_the_remedy_relies_on() -> None:
    original = ExecutorPluginRegistry().plugins["slurm"].executor
    assert importlib.metadata.version(slurm.PACKAGE) in slurm.FAULTY
    methods = {"run_job", "check_active_jobs", "cancel_jobs", "_report_job_error_threadsafe", "__post_init__"}
    assert methods <= vars(original).keys()
    assert "_job_submission_executor" in original.shutdown.__code__.co_names
    assert "_fallback_account_arg" in original.get_account_arg.__code__.co_names
    assert "run_uuid" in original.run_job.__code__.co_names


def test_jobs_that_ended_are_reported_and_others_waited_for(clients: Clients, tmp_path: Path) -> None:
    runner = executor(tmp_path)
    log = tmp_path / "1.log"
    log.touch()
    clients.answer("squeue", "1 COMPLETED\n2 RUNNING\n3 PENDING\n4 REQUEUED\n5 TIMEOUT\n6 PREEMPTED\n7 NODE_FAIL\n")
    assert poll(runner, *"1234567", log=log) == ["2", "3", "4"]
    assert runner.succeeded == ["1"]
    assert not log.exists()
    who = "(train surface-2in8 wgan-lp 0-1)"
    assert runner.failed == {
        "5": f"Slurm job 5 {who} reached its time limit of 12 minutes; it is tried again, attempt 2.",
        "6": f"Slurm job 6 {who} gave way to a job of higher priority; it is tried again, attempt 2.",
        "7": f"Slurm job 7 {who} ended because its node failed; it is tried again, attempt 2.",
    }
    assert runner.logger.said == list(runner.failed.values())
    assert clients.calls("squeue") == [f"--noheader --states=all --format=%i %T --name {runner.run_uuid}"]


def test_the_last_attempt_says_so(clients: Clients, tmp_path: Path) -> None:
    runner = executor(tmp_path)
    clients.answer("squeue", "5 CANCELLED\n")
    info = SubmittedJobInfo(Job("5", attempt=3), "5", {"slurm_logfile": tmp_path / "5.log"})

    async def check() -> None:
        assert [each async for each in runner.check_active_jobs([info])] == []

    asyncio.run(check())
    assert runner.failed["5"].endswith("was cancelled from outside; no attempt is left after 3.")


@pytest.mark.parametrize(
    ("count", "who"), [(1, "train surface-2in8 wgan-lp 0-1"), (3, "3 jobs of train")], ids=["alone", "several"]
)
def test_jobs_that_are_submitted_together_are_told_of(clients: Clients, tmp_path: Path, count: int, who: str) -> None:
    runner = executor(tmp_path)
    clients.answer("squeue", "5 TIMEOUT\n")
    info = SubmittedJobInfo(Group([Job("x")] * count), "5", {"slurm_logfile": tmp_path / "5.log"})

    async def check() -> None:
        assert [each async for each in runner.check_active_jobs([info])] == []

    asyncio.run(check())
    assert runner.logger.said == [
        f"Slurm job 5 ({who}) reached its time limit of 40 minutes; it is tried again, attempt 2."
    ]


def test_accounts_know_what_the_queue_has_forgotten(clients: Clients, tmp_path: Path) -> None:
    runner = executor(tmp_path)
    clients.answer("squeue", "")
    clients.answer("sacct", "8 CANCELLED by 0\n9 COMPLETED\n")
    assert poll(runner, "8", "9") == []
    assert runner.succeeded == ["9"]
    assert "was cancelled from outside" in runner.failed["8"]


def test_a_controller_that_is_silent_loses_no_job(clients: Clients, tmp_path: Path) -> None:
    runner = executor(tmp_path)
    clients.answer("squeue", None)
    for _ in range(3):
        assert poll(runner, "1", "2") == ["1", "2"]
    assert [said.partition(";")[0] for said in runner.logger.said] == ["Slurm's controller does not answer"]
    clients.answer("squeue", "1 COMPLETED\n2 RUNNING\n")
    assert poll(runner, "1", "2") == ["2"]
    assert runner.logger.said[1:] == ["Slurm's controller answers again."]
    assert runner.failed == {}


def test_a_job_that_nobody_knows_is_given_up_after_a_while(
    clients: Clients, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runner = executor(tmp_path)
    clients.answer("squeue", "")
    monkeypatch.setattr(slurm, "LOST_SECONDS", 0.2)
    assert poll(runner, "1") == ["1"]
    clients.answer("squeue", "1 RUNNING\n")
    time.sleep(0.3)
    assert poll(runner, "1") == ["1"]  # it was seen in between
    clients.answer("squeue", "")
    assert poll(runner, "1") == ["1"]
    time.sleep(0.3)
    assert poll(runner, "1") == []
    assert "is no longer known to Slurm" in runner.failed["1"]


def test_no_jobs_no_question(clients: Clients, tmp_path: Path) -> None:
    assert poll(executor(tmp_path)) == []
    assert clients.calls("squeue") == []


@pytest.mark.parametrize(
    "line",
    [
        "slurmstepd: error: Detected 1 oom_kill event in StepId=3.0. Some of the step tasks have been OOM Killed.",
        "slurmstepd: error: StepId=3.0 exceeded memory limit (200 > 100), being killed",
        "slurmstepd: error: Exceeded job memory limit",
    ],
)
def test_a_failure_for_want_of_memory_is_called_that(clients: Clients, tmp_path: Path, line: str) -> None:
    runner = executor(tmp_path)
    clients.answer("squeue", "3 FAILED\n")
    log = tmp_path / "3.log"
    log.write_text(f"Building DAG of jobs...\n{line}\nsrun: error: node1: task 0: Killed\n")
    poll(runner, "3", log=log)
    assert "needed more memory than the 700 MB it had asked for" in runner.failed["3"]


def test_a_failure_on_a_full_disk_is_called_that(
    clients: Clients, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runner = executor(tmp_path)
    clients.answer("squeue", "3 FAILED\n")
    poll(runner, "3")
    assert "(train surface-2in8 wgan-lp 0-1) failed; it is tried again" in runner.failed["3"]
    monkeypatch.setattr(slurm.shutil, "disk_usage", lambda _: SimpleNamespace(free=3 << 20))
    poll(runner, "3")
    assert "failed: the disk of its results is full (3 MB are free); it is tried again" in runner.failed["3"]


def test_a_submission_waits_for_the_controller(clients: Clients, tmp_path: Path) -> None:
    runner = executor(tmp_path)
    clients.answer("scontrol", None)
    threading.Timer(0.5, clients.answer, ("scontrol", "up")).start()
    job = Job("1")
    runner.run_job(job)
    assert runner.submitted == [job]
    assert len(clients.calls("scontrol")) > 2
    assert len(runner.logger.said) == 1


def test_a_submission_that_slurm_refuses_says_why(clients: Clients, tmp_path: Path) -> None:
    runner = executor(tmp_path)
    refused = "SLURM sbatch failed. The error message was 'sbatch: error: invalid partition specified: gpus'."
    runner._report_job_error_threadsafe(SubmittedJobInfo(Job("1")), f"{refused}\n    sbatch call:\n   sbatch --mem 5\n")
    assert runner.logger.said == [f"Slurm did not take a job (train surface-2in8 wgan-lp 0-1): {refused}"]


def test_who_interrupts_submits_no_more_and_cancels_all(clients: Clients, tmp_path: Path) -> None:
    runner = executor(tmp_path)
    clients.answer("scontrol", None)
    submissions = [runner._job_submission_executor.submit(runner.run_job, Job(number)) for number in "123"]
    runner.cancel()
    assert all(submission.done() for submission in submissions)
    assert runner.submitted == []
    assert clients.calls("scancel") == [f"--name {runner.run_uuid}"]
    clients.answer("scancel", None)
    runner.cancel()
    assert runner.logger.said[-1].endswith(f"run scancel --name {runner.run_uuid} once it answers again.")


def test_the_pause_does_not_grow_and_ends_with_the_run(clients: Clients, tmp_path: Path) -> None:
    runner = executor(tmp_path)
    runner._pause = 0.6
    began = time.monotonic()
    asyncio.run(runner.sleep())
    assert 0.6 <= time.monotonic() - began < 3
    runner._pause = 600.0
    threading.Timer(0.3, runner.shutdown).start()
    began = time.monotonic()
    asyncio.run(runner.sleep())
    assert time.monotonic() - began < 10


def leave(folder: Path, run: str, *files: str) -> str:
    """The record of an earlier run in a folder; the name of its jobs."""
    name = f"{slurm.folder_name('wgpipe', folder)}_{run}"
    records = folder / ".snakemake" / slurm.RECORDS
    records.mkdir(parents=True, exist_ok=True)
    (records / name).write_text("".join(f"{file}\n" for file in files))
    return name


def test_what_a_killed_snakemake_left_is_cancelled_and_nothing_else(clients: Clients, tmp_path: Path) -> None:
    killed, gone = leave(tmp_path, "a", "results/w.json", "results/x.json"), leave(tmp_path, "b", "results/x.json")
    alive = leave(tmp_path, "c", "results/other.json")
    copied = leave(tmp_path / "original", "d", "results/x.json")
    (tmp_path / ".snakemake" / slurm.RECORDS / copied).write_text("results/x.json\n")
    listed = f"11 {killed}\\n12 {killed}\\n13 {alive}\\n14 {copied}\\n15 another\\n"
    script = clients.folder / "squeue"  # until they are cancelled, they are listed
    script.write_text(f"#!/bin/sh\ntest -e {clients.folder}/scancel.calls || printf '{listed}'\n")
    runner = executor(tmp_path, Job("x"), Job("y", output=("results/y.json",)))
    assert clients.calls("scancel") == ["11 12"]
    assert len(runner.logger.said) == 1
    assert "ended without its Slurm jobs, which still write into this folder (2 of them)" in runner.logger.said[0]
    assert {each.name for each in (tmp_path / ".snakemake" / slurm.RECORDS).iterdir()} == {alive}
    assert gone not in runner.logger.said[0]


def test_what_is_submitted_is_found_by_the_next_snakemake(clients: Clients, tmp_path: Path) -> None:
    first = executor(tmp_path)
    first.run_job(Job("x"))
    clients.answer("squeue", "")
    executor(tmp_path, Job("other", output=("results/other.json",)))
    assert clients.calls("squeue") == []  # it makes nothing of what the first was to make
    executor(tmp_path, Job("x"))
    assert len(clients.calls("squeue")) == 1


def test_jobs_that_do_not_leave_stop_the_run(clients: Clients, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slurm, "LEAVE_SECONDS", 0.0)
    clients.answer("squeue", f"11 {leave(tmp_path, 'a', 'results/x.json')}\n")
    with pytest.raises(WorkflowError, match="start again once squeue no longer lists 11"):
        executor(tmp_path, Job("x"))


def test_names_of_jobs_tell_their_folder(tmp_path: Path) -> None:
    name = slurm.folder_name("wgpipe", tmp_path / "my project, the second of many")
    assert re.fullmatch(r"wgpipe_my-project--the-seco_[0-9a-f]{8}", name)
    assert len(slurm.folder_name("p" * 60, tmp_path / ("x" * 60))) <= 50
    assert slurm.folder_name("", tmp_path) != slurm.folder_name("", tmp_path / "other")

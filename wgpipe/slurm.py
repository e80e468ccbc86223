"""A remedy for what Snakemake's executor for Slurm leaves open in the version that is locked, until it is mended there.

Version 2.8.0 of snakemake-executor-plugin-slurm waits for ever for a job that Slurm no longer lists or that gave way to
another, forgets all its jobs if Slurm leaves five queries in a second unanswered, and lets the pauses between queries
grow to three minutes. A failed job it describes by its state alone, and a group of jobs not at all. Jobs that are
submitted together it runs in a Snakemake each. What a Snakemake that was killed has submitted goes on and writes the
files that the next one makes.

`mend` changes none of the plugin's files. With another version it does nothing; tests/test_slurm.py fails when that
becomes the locked one, so that somebody looks at what is left to mend. docs/slurm.md describes what a user sees.
"""

from __future__ import annotations

import asyncio
import getpass
import hashlib
import re
import shutil
import subprocess
import threading
import time
from collections.abc import AsyncGenerator, Sequence
from concurrent.futures import Executor
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any

from snakemake_interface_common.exceptions import WorkflowError
from snakemake_interface_executor_plugins.executors.base import SubmittedJobInfo
from snakemake_interface_executor_plugins.executors.real import RealExecutor
from snakemake_interface_executor_plugins.executors.remote import RemoteExecutor
from snakemake_interface_executor_plugins.registry import ExecutorPluginRegistry

PACKAGE = "snakemake-executor-plugin-slurm"
FAULTY = ("2.8.0",)

ANSWER_SECONDS = 30  # that a client may take
LOST_SECONDS = 60.0  # after which a job that Slurm does not list is given up
LEAVE_SECONDS = 300.0  # that cancelled jobs may take to end
SLICE_SECONDS = 0.25  # of a pause, after which it is asked whether to go on
RECORDS = "slurm_runs"  # below .snakemake: a file for each run, with what its jobs make
FULL_MB = 20  # a disk with less space is full
LOG_BYTES = 20_000
CALL = "sbatch call:"  # what follows in a message is for those who mend the executor

# States of jobs that have ended, and what a user is told; every other state is waited for.
ENDINGS = {
    "BOOT_FAIL": "ended because its node did not start",
    "CANCELLED": "was cancelled from outside",
    "DEADLINE": "could not end before its deadline",
    "FAILED": "failed",
    "LAUNCH_FAILED": "could not be launched",
    "NODE_FAIL": "ended because its node failed",
    "OUT_OF_MEMORY": "needed more memory than the {mem_mb} MB it had asked for",
    "PREEMPTED": "gave way to a job of higher priority",
    "RECONFIG_FAIL": "ended because its node could not be set up",
    "REVOKED": "was taken back by the cluster",
    "TIMEOUT": "reached its time limit of {runtime} minutes",
    "LOST": "is no longer known to Slurm",
}
OUT_OF_MEMORY = re.compile(r"oom[-_ ]kill|out of memory|exceeded (job |step )?memory limit", re.IGNORECASE)


def mend() -> None:
    """Put the remedy in front of the executor that Snakemake has registered, if it is one that needs it."""
    registered = ExecutorPluginRegistry().plugins.get("slurm")
    if registered and version(PACKAGE) in FAULTY and not issubclass(registered.executor, Remedy):
        registered.executor = type("Executor", (Remedy, registered.executor), {})
        registered.common_settings.pass_group_args = True


def keep_going() -> None:
    """Inside a submission: of its jobs, which need nothing of each other, one that fails stops no other."""
    registered = ExecutorPluginRegistry().plugins.get("slurm-jobstep")
    if registered and not issubclass(registered.executor, KeepGoing):
        registered.executor = type("Executor", (KeepGoing, registered.executor), {})


class KeepGoing(RealExecutor):  # type: ignore[misc]
    """In front of the executor that starts the Snakemake which runs the jobs of a submission."""

    def additional_general_args(self) -> str:
        """Of the command line of that Snakemake."""
        return f"{super().additional_general_args() or ''} --keep-going".strip()


class Remedy(RemoteExecutor):  # type: ignore[misc]
    """In front of the plugin's executor: polls patiently, takes lost jobs for failed, says what happened."""

    run_uuid: str  # the name of all jobs of this Snakemake
    _job_submission_executor: Executor

    def __init__(self, workflow: Any, logger: Any) -> None:
        settings = workflow.executor_settings
        settings.jobname_prefix = folder_name(settings.jobname_prefix or "", Path(workflow.workdir_init))
        self._folder: str = settings.jobname_prefix
        self._pause: float = settings.init_seconds_before_status_checks
        self._records = Path(workflow.workdir_init) / ".snakemake" / RECORDS
        self._silent = False  # Slurm's controller
        self._cancelled = threading.Event()
        self._unlisted: dict[str, float] = {}  # jobs that Slurm did not list, since when
        super().__init__(workflow, logger)  # starts the thread that polls

    def __post_init__(self) -> None:
        super().__post_init__()
        self._fallback_account_arg = ""  # without a name, Slurm takes the user's own account; the plugin would guess
        self._end_leftovers()

    def run_job(self, job: Any) -> None:
        """Submit, once Slurm's controller answers: a submission that fails would use up an attempt of the job."""
        while not self._cancelled.is_set() and _answer("scontrol", "ping") is None:
            self._note_silence()
            self._cancelled.wait(self._pause)
        if not self._cancelled.is_set():
            self._record(job)
            super().run_job(job)

    async def check_active_jobs(self, active_jobs: list[SubmittedJobInfo]) -> AsyncGenerator[SubmittedJobInfo, None]:
        """Report those that have ended; all others are yielded again, also when Slurm does not answer."""
        listed = self._states([str(info.external_jobid) for info in active_jobs]) if active_jobs else {}
        for info in active_jobs:
            state = listed.get(str(info.external_jobid)) if listed is not None else "UNKNOWN"
            if state == "COMPLETED":
                if not self.workflow.executor_settings.keep_successful_logs:
                    self._log_of(info).unlink(missing_ok=True)
                self.report_job_success(info)
            elif state in ENDINGS:
                self._report(info, state)
            else:
                yield info

    async def sleep(self) -> None:
        """As long as the profile says, every time; an end of the run ends the pause."""
        end = time.monotonic() + self._pause
        while self.wait and time.monotonic() < end:
            await asyncio.sleep(SLICE_SECONDS)

    def cancel(self) -> None:
        """Submit no more, then cancel."""
        self._cancelled.set()
        super().cancel()

    def cancel_jobs(self, active_jobs: list[SubmittedJobInfo]) -> None:
        """All jobs of this Snakemake, also such as are submitted at this moment."""
        self._job_submission_executor.shutdown(wait=True)
        if _answer("scancel", "--name", self.run_uuid) is None:
            self.logger.error(
                f"Slurm did not cancel the jobs: run scancel --name {self.run_uuid} once it answers again."
            )

    def _report_job_error_threadsafe(self, job_info: SubmittedJobInfo, msg: str) -> None:
        """A submission failed; in a word, since of jobs that are submitted together the message is not shown."""
        self.logger.warning(f"Slurm did not take a job ({_described(job_info.job)}): {msg.partition(CALL)[0].strip()}")
        super()._report_job_error_threadsafe(job_info, msg)

    def _states(self, jobs: Sequence[str]) -> dict[str, str] | None:
        """State of each job that Slurm lists; None if its controller does not answer."""
        found = _answer("squeue", "--noheader", "--states=all", "--format=%i %T", "--name", self.run_uuid)
        if found is None:
            self._note_silence()
            return None
        if self._silent:
            self._silent = False
            self.logger.warning("Slurm's controller answers again.")
        states = _pairs(found)
        missing = [job for job in jobs if job not in states]
        if missing:  # ended long ago; what keeps accounts still knows them
            accounts = _answer(
                "sacct", "--allocations", "--noheader", "--format=JobIDRaw,State", "-j", ",".join(missing)
            )
            states |= _pairs(accounts or "")
        now = time.monotonic()
        self._unlisted = {job: self._unlisted.get(job, now) for job in missing if job not in states}
        return states | {job: "LOST" for job, since in self._unlisted.items() if now - since >= LOST_SECONDS}

    def _note_silence(self) -> None:
        if not self._silent:
            self._silent = True
            self.logger.warning(
                "Slurm's controller does not answer; its jobs go on, and it is asked again "
                f"every {self._pause:.0f} s for as long as it takes."
            )

    def _report(self, info: SubmittedJobInfo, state: str) -> None:
        job: Any = info.job
        left = job.restart_times - (job.attempt - 1)
        what = f"Slurm job {info.external_jobid} ({_described(job)}) {self._ending(info, state)}"
        follows = (
            f"it is tried again, attempt {job.attempt + 1}" if left > 0 else f"no attempt is left after {job.attempt}"
        )
        message = f"{what}; {follows}."
        self.logger.warning(message)
        log = self._log_of(info)
        self.report_job_error(info, msg=message, aux_logs=[str(log)] if log.exists() else [])

    def _ending(self, info: SubmittedJobInfo, state: str) -> str:
        """What happened, as the end of a sentence; a failure by its cause, where that shows."""
        resources: Any = info.job.resources
        if state == "FAILED":
            free = shutil.disk_usage(_existing(Path(next(iter(_outputs(info.job)), ".")))).free / 2**20
            if OUT_OF_MEMORY.search(_tail(self._log_of(info))):
                state = "OUT_OF_MEMORY"
            elif free < FULL_MB:
                return f"failed: the disk of its results is full ({free:.0f} MB are free)"
        return ENDINGS[state].format(mem_mb=resources.get("mem_mb"), runtime=resources.get("runtime"))

    def _log_of(self, info: SubmittedJobInfo) -> Path:
        return Path((info.aux or {})["slurm_logfile"])

    def _record(self, job: Any) -> None:
        """Note what a job will make under the name of all jobs of this Snakemake, for a later one."""
        with suppress(OSError), (self._records / self.run_uuid).open("a", encoding="utf-8") as record:
            record.write("".join(f"{file}\n" for file in _outputs(job)))

    def _end_leftovers(self) -> None:
        """Cancel what a Snakemake that was killed has left in this folder, and wait until it writes no more.

        A Snakemake that lives holds a lock on what it makes, so that this one would not have come here if it were to
        make any of that. Jobs of others, which make other files of this folder, are left alone.
        """
        self._records.mkdir(parents=True, exist_ok=True)
        ours = {str(file) for job in self.workflow.dag.needrun_jobs() for file in _outputs(job)}
        records = list(self._records.iterdir())
        earlier = {each.name for each in records if not ours.isdisjoint(each.read_text(encoding="utf-8").splitlines())}
        began, told = time.monotonic(), False
        while left := [job for job, name in self._queue().items() if name in earlier] if earlier else []:
            if not told:
                self.logger.warning(
                    "An earlier Snakemake ended without its Slurm jobs, which still write into this folder "
                    f"({len(left)} of them): they are cancelled, and new ones go on from their checkpoints."
                )
                told = True
            _answer("scancel", *left)
            if time.monotonic() - began > LEAVE_SECONDS:
                raise WorkflowError(
                    f"Slurm jobs of an earlier Snakemake do not end in {LEAVE_SECONDS / 60:.0f} minutes and may still "
                    f"write into this folder: start again once squeue no longer lists {', '.join(left)}."
                )
            time.sleep(1)
        for name in earlier:
            (self._records / name).unlink(missing_ok=True)

    def _queue(self) -> dict[str, str]:
        """Jobs of this folder that have not ended, with their names."""
        while (found := _answer("squeue", "--noheader", "--format=%i %j", "--user", getpass.getuser())) is None:
            self._note_silence()
            time.sleep(self._pause)
        return {job: name for job, name in _pairs(found).items() if name.startswith(f"{self._folder}_")}


def folder_name(prefix: str, folder: Path) -> str:
    """What the names of all jobs of a folder begin with, of at most 50 characters: `wgpipe_myproject_1a2b3c4d`."""
    path = folder.resolve()
    readable = re.sub(r"[^A-Za-z0-9_-]", "-", path.name)[:20]
    return "_".join(filter(None, (prefix[:20], readable, hashlib.sha256(str(path).encode()).hexdigest()[:8])))


def _answer(*command: str) -> str | None:
    """What a client of Slurm prints; None if it fails, is not there or takes too long."""
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=ANSWER_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None


def _pairs(lines: str) -> dict[str, str]:
    """First word of each line -> second: of `12 CANCELLED by 0`, 12 -> CANCELLED."""
    return {words[0]: words[1] for words in map(str.split, lines.splitlines()) if len(words) > 1}


def _members(job: Any) -> list[Any]:
    """Jobs that are submitted together, or the one."""
    return list(job) if job.is_group() else [job]


def _outputs(job: Any) -> list[str]:
    """Files that they make."""
    return [str(file) for each in _members(job) for file in each.output]


def _described(job: Any) -> str:
    """`train surface-2in8 wgan-lp 0-1`, or `16 jobs of train`."""
    members = _members(job)
    if len(members) > 1:
        return f"{len(members)} jobs of {', '.join(sorted({each.rule.name for each in members}))}"
    return " ".join([members[0].rule.name, *map(str, members[0].wildcards or ())])


def _tail(log: Path) -> str:
    try:
        with log.open("rb") as stream:
            stream.seek(max(0, log.stat().st_size - LOG_BYTES))
            return stream.read().decode("utf-8", errors="replace")
    except OSError:
        return ""


def _existing(path: Path) -> Path:
    """The nearest folder that is there."""
    return next(parent for parent in (path.absolute(), *path.absolute().parents) if parent.exists())

"""Progress: the forecast, the lines, and what a person sees of a real run."""

from __future__ import annotations

import io
import logging
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from snakemake.settings.types import OutputSettings
from snakemake_interface_logger_plugins.common import LogEvent

from snakemake_logger_plugin_wgpipe import LogHandler, lines
from snakemake_logger_plugin_wgpipe.run import Job, Run, prior_seconds
from snakemake_logger_plugin_wgpipe.screen import ERASE, Screen

ROOT = Path(__file__).parents[2]
WILDCARDS = {"dataset": "surface-2in8", "recipe": "wgan-lp", "seeds": "0-7"}
T0 = 1_000_000.0


def job(rule: str = "train", started: float = T0, log: str = "") -> Job:
    return Job(rule, WILDCARDS, log, started)


def run_of(slots: int | None = 2, **counts: int) -> Run:
    return Run.of({**counts, "total": sum(counts.values())}, T0, slots)


# The forecast.


def test_the_target_rule_is_no_job() -> None:
    run = Run.of({"train": 3, "all": 1, "total": 4}, T0, 2)
    run.start(9, Job("all", {}, "", T0))
    assert run.total == 3
    assert run.finish(9, T0) is None


def test_before_any_job_ended_the_prior_counts() -> None:
    left = run_of(train=6, measure=4).seconds_left(T0)
    assert left == pytest.approx((6 * prior_seconds("train") + 4 * prior_seconds("measure")) / 2)


def test_a_study_has_the_prior_of_studies() -> None:
    assert prior_seconds("study_vanilla_rates") == prior_seconds("study") != prior_seconds("unheard")


def test_the_mean_of_what_was_seen_replaces_the_prior() -> None:
    run = run_of(train=6)
    for jobid, seconds in enumerate((10.0, 20.0)):
        run.start(jobid, job())
        run.finish(jobid, T0 + seconds)
    assert run.seconds_left(T0 + 20) == pytest.approx(4 * 15 / 2)


def test_a_running_job_needs_only_its_rest() -> None:
    run = run_of(slots=1, train=2, measure=1)
    run.start(1, job())
    run.finish(1, T0 + 10)
    run.start(2, job(started=T0 + 10))
    assert run.seconds_left(T0 + 14) == pytest.approx(6 + prior_seconds("measure"))


def test_a_late_job_is_expected_to_take_a_quarter_more_than_its_age() -> None:
    run = run_of(train=1)
    run.start(1, job())
    assert run.seconds_left(T0 + 1000) == pytest.approx(250)


def test_jobs_cannot_be_divided() -> None:
    assert run_of(slots=8, measure=1, train=1).seconds_left(T0) == prior_seconds("measure")


def test_a_failed_job_is_no_work_unless_it_starts_once_more() -> None:
    run = run_of(slots=1, train=2)
    run.start(1, job())
    run.fail(1)
    assert run.seconds_left(T0) == prior_seconds("train")
    run.start(1, job())
    assert not run.failed
    assert run.seconds_left(T0) == 2 * prior_seconds("train")


def test_without_a_number_of_slots_the_running_jobs_tell_it() -> None:
    run = run_of(slots=None, train=10)
    for jobid in range(5):
        run.start(jobid, job())
    assert run.seconds_left(T0) == pytest.approx(10 * prior_seconds("train") / 5)


# The words.


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.4, "0 s"), (59.4, "59 s"), (59.6, "1 min 0 s"), (545, "9 min 5 s"), (7800, "2 h 10 min")]
)
def test_durations_are_exact(seconds: float, words: str) -> None:
    assert lines.exactly(seconds) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "10 s"), (11, "20 s"), (50, "50 s"), (51, "1 min"), (541, "10 min"), (7800, "2 h 10 min")],
)
def test_estimates_are_rounded_up(seconds: float, words: str) -> None:
    assert lines.roughly(seconds) == words


def test_the_last_line_of_a_log_is_short_and_plain(tmp_path: Path) -> None:
    log = tmp_path / "train.log"
    log.write_text("x" * 9000 + "\nstep 400 of 2000 (20%), 210 steps/s, 8 s to go\n\n")
    assert lines.last_line(log, since=0) == "step 400 of 2000 (20%), 210 steps/s, 8 s to go"
    log.write_text(f"old\r\x1b[1m{'y' * 200}")
    assert lines.last_line(log, since=0) == "[1m" + "y" * 77


def test_a_log_of_an_earlier_run_or_none_says_nothing(tmp_path: Path) -> None:
    log = tmp_path / "train.log"
    assert lines.last_line(log, since=0) == ""
    log.write_text("step 1 of 2\n")
    os.utime(log, (T0, T0))
    assert lines.last_line(log, since=T0 + 60) == ""


def test_a_status_line_is_replaced_on_a_terminal_and_stays_in_a_file() -> None:
    terminal, file = io.StringIO(), io.StringIO()
    for stream, live in ((terminal, True), (file, False)):
        screen = Screen(stream, live)
        screen.status("a" * 500)
        screen.line("done")
    shown = terminal.getvalue().split(ERASE)
    assert [len(shown[1]) < 500, shown[2]] == [True, "done\n"]
    assert file.getvalue() == "a" * 500 + "\ndone\n"


# The handler, fed with records as Snakemake makes them.


def record(message: str | None, level: int = logging.INFO, at: float = T0, **fields: Any) -> logging.LogRecord:
    made = logging.makeLogRecord({"msg": message, "levelno": level, "levelname": logging.getLevelName(level), **fields})
    made.created = at
    return made


def started(jobid: int, at: float, log: str = "") -> logging.LogRecord:
    fields: dict[str, Any] = {"rule_name": "train", "wildcards": WILDCARDS, "log": [log] if log else []}
    return record("Rule: train", event=LogEvent.JOB_INFO, at=at, jobid=jobid, **fields)


def finished(jobid: int, at: float) -> logging.LogRecord:
    return record("Finished", event=LogEvent.JOB_FINISHED, at=at, job_id=jobid)


BEGINNING = (
    record("Assuming unrestricted shared filesystem usage."),
    record("Workflow has started!", event=LogEvent.WORKFLOW_STARTED),
    record("Building DAG of jobs..."),
    record("Provided cores: 2", event=LogEvent.RESOURCES_INFO, cores=2),
    record("Job stats:", event=LogEvent.RUN_INFO, stats={"train": 3, "all": 1, "total": 4}),
    record("Select jobs to execute..."),
)


def handler(capsys: pytest.CaptureFixture[str], **asked: Any) -> LogHandler:
    capsys.readouterr()
    return LogHandler(OutputSettings(**asked), None)


def test_a_run_is_a_line_at_the_start_one_a_job_and_one_at_the_end(capsys: pytest.CaptureFixture[str]) -> None:
    log_handler = handler(capsys)
    for item in (*BEGINNING, started(1, T0), finished(1, T0 + 11)):
        log_handler.handle(item)
    log_handler.close()
    log_handler.close()
    first, ended, last = (line[len("[12:31] ") :] for line in capsys.readouterr().err.splitlines())
    assert first == "3 jobs (3 train), 2 cores, about 30 s to go"
    assert ended == "1 of 3 jobs (33 %), about 20 s to go · train surface-2in8 wgan-lp seeds 0-7 took 11 s"
    assert last.startswith("Stopped after ")
    assert last.endswith(": 1 of 3 jobs done, 2 left.")


def test_a_long_job_tells_its_own_progress(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    log = tmp_path / "train.log"
    log.write_text("step 400 of 2000 (20%), 210 steps/s, 8 s to go\n")
    log_handler = handler(capsys)
    for item in (*BEGINNING, started(1, T0, str(log)), started(2, T0 + 1)):
        log_handler.handle(item)
    capsys.readouterr()
    log_handler.tick(T0 + 9)
    assert capsys.readouterr().err == ""
    log_handler.tick(T0 + 10)
    said = capsys.readouterr().err
    assert "· train surface-2in8 wgan-lp seeds 0-7 for 10 s (and 1 more): step 400 of 2000 (20%), 210" in said
    log_handler.tick(T0 + 29)
    assert capsys.readouterr().err == ""
    log_handler.close()


def test_the_clock_speaks_by_itself(capsys: pytest.CaptureFixture[str]) -> None:
    log_handler = handler(capsys)
    for item in (*BEGINNING, started(1, T0)):
        log_handler.handle(item)
    said, until = "", time.monotonic() + 20
    while "seeds 0-7 for " not in said and time.monotonic() < until:
        time.sleep(0.05)
        said += capsys.readouterr().err
    log_handler.close()
    assert "train surface-2in8 wgan-lp seeds 0-7 for " in said


def test_warnings_and_unknown_remarks_appear_and_chatter_does_not(capsys: pytest.CaptureFixture[str]) -> None:
    log_handler = handler(capsys)
    remarks = [record("Trying to restart job 2."), record("Job 3 has been submitted with SLURM jobid 7 (log: x).")]
    remarks.append(record("Job 5aa3-c69 has been submitted with SLURM jobid 8 (log: y)."))
    for item in (*BEGINNING, record("disk is nearly full", logging.WARNING), *remarks):
        log_handler.handle(item)
    _, *said = capsys.readouterr().err.splitlines()
    assert said == ["disk is nearly full", "Trying to restart job 2."]
    log_handler.close()


@pytest.mark.parametrize("asked", [{"dryrun": True}, {"verbose": True}, {"printshellcmds": True}])
def test_who_asks_for_more_gets_the_words_of_snakemake(
    capsys: pytest.CaptureFixture[str], asked: dict[str, bool]
) -> None:
    log_handler = handler(capsys, **asked)
    for item in BEGINNING[2:]:
        log_handler.handle(item)
    log_handler.close()
    captured = capsys.readouterr()
    assert (captured.out or captured.err).splitlines() == [
        "Building DAG of jobs...",
        "Provided cores: 2",
        "Job stats:",
        "Select jobs to execute...",
    ]


def test_planning_without_a_run_keeps_the_words_of_snakemake(capsys: pytest.CaptureFixture[str]) -> None:
    log_handler = handler(capsys)
    for message in ("one", "Building DAG of jobs...", "Creating report..."):
        log_handler.handle(record(message))
    log_handler.close()
    assert capsys.readouterr().err == "one\nBuilding DAG of jobs...\nCreating report...\n"


def test_remarks_before_the_end_of_nothing_appear(capsys: pytest.CaptureFixture[str]) -> None:
    log_handler = handler(capsys)
    for item in (record("one"), record("lint", logging.WARNING), record("Unlocked working directory.")):
        log_handler.handle(item)
    log_handler.close()
    assert capsys.readouterr().err == "one\nlint\nUnlocked working directory.\n"


def test_a_record_that_it_cannot_read_is_left_to_snakemake(capsys: pytest.CaptureFixture[str]) -> None:
    log_handler = handler(capsys)
    for item in (*BEGINNING[:2], record("Job stats:", event=LogEvent.RUN_INFO), record("Select jobs to execute...")):
        log_handler.handle(item)
    log_handler.close()
    assert capsys.readouterr().err == "Job stats:\nSelect jobs to execute...\n"


def test_a_broken_pipe_does_not_reach_snakemake(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: str) -> None:
        raise BrokenPipeError

    monkeypatch.setattr(sys, "stderr", SimpleNamespace(write=refuse, flush=lambda: None))
    log_handler = LogHandler(OutputSettings(), None)
    for item in (*BEGINNING, record("bad", logging.ERROR)):
        log_handler.handle(item)
    log_handler.close()


# Real runs.

SNAKEFILE = """
rule all:
    input: "sum.txt"

rule train:
    output: "n{n}.txt"
    log: "n{n}.log"
    shell: "echo step {wildcards.n} > {log}; echo x > {output}; [ {wildcards.n} != 66 ]"

rule study_toy:
    input: expand("n{n}.txt", n=[1, config.get("second", 2)])
    output: "sum.txt"
    shell: "cat {input} > {output}"
"""


def snakemake(folder: Path, *options: str) -> tuple[int, list[str]]:
    """Exit code and stderr without time stamps, and without the line that Snakemake prints itself."""
    (folder / "Snakefile").write_text(SNAKEFILE)
    shutil.copytree(ROOT / "profiles" / "local", folder / "profile", dirs_exist_ok=True)
    command = [sys.executable, "-m", "snakemake", "--profile", "profile", "--cores", "1", *options]
    ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60)
    return ran.returncode, [line for line in ran.stderr.splitlines() if not line.startswith("Using profile")]


def test_a_real_run_is_five_lines_and_a_second_one_sentence(tmp_path: Path) -> None:
    code, said = snakemake(tmp_path)
    assert code == 0
    assert [line[8:].split(",")[0] for line in said] == [
        "3 jobs (2 train",
        "1 of 3 jobs (33 %)",
        "2 of 3 jobs (66 %)",
        "3 of 3 jobs (100 %) · study_toy took 0 s",
        said[-1][8:],
    ]
    assert said[-1][8:].startswith("3 jobs done in ")
    assert not any("\x1b" in line or "\r" in line for line in said)
    assert snakemake(tmp_path) == (0, [lines.NOTHING])


def test_a_failing_job_is_told_in_full_with_its_log(tmp_path: Path) -> None:
    code, said = snakemake(tmp_path, "--config", "second=66")
    assert code == 1
    for line in (
        "Error in rule train:",
        "Logfile n66.log:",
        "step 66",
        "At least one job did not complete successfully.",
    ):
        assert said.count(line) == 1
    assert "    log: n66.log (check log file(s) for error details)" in said
    assert ": 1 of 3 jobs done, 1 failed, 1 left. All that Snakemake said: " in said[-1]


@pytest.mark.parametrize("profile", ["local", "slurm"])
def test_the_profiles_ask_for_it(profile: str) -> None:
    settings = yaml.safe_load((ROOT / "profiles" / profile / "profile.v9+.yaml").read_text())
    assert settings["logger"] == ["wgpipe"]

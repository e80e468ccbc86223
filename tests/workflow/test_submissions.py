"""What Snakemake would give to Slurm: each call of sbatch, and how many there are. No cluster is needed."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from bench.project import copy_project
from tests.conftest import ROOT, edit_yaml
from wgpipe.cli import main

STUDY = Path("config/studies/vanilla_rates.yaml")
PROFILE = Path("slurm/profile.v9+.yaml")
Submitted = list[dict[str, Any]]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the project in which nothing has run, as the current folder."""
    copy(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Submitted:
    """Submissions and local jobs of the smoke scale of one study, as the profile is shipped."""
    folder = tmp_path_factory.mktemp("shipped")
    copy(folder)
    return submitted(folder)


def copy(folder: Path) -> None:
    copy_project(folder)
    edit_yaml(folder / "config/config.yaml", "studies", value=[STUDY.stem])


def submitted(folder: Path, *arguments: str, profile: str = "slurm") -> Submitted:
    """What a dry run would submit in a folder, and the jobs that would run at home."""
    driver = [sys.executable, str(ROOT / "bench/submissions.py"), "seen.json", "--quiet", "all", "-n"]
    command = [*driver, "--profile", profile, "--configfile", "config/smoke.yaml", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    jobs: Submitted = json.loads((folder / "seen.json").read_text())["jobs"]
    return jobs


def option(call: str, name: str) -> int:
    match = re.search(rf"{name}[ =](\d+)", call)
    assert match, call
    return int(match[1])


def test_small_jobs_share_submissions_and_only_summaries_run_at_home(shipped: Submitted) -> None:
    at_home = {rule for job in shipped if not job["call"] for rule in job["rules"]}
    assert at_home == {"all", "fetch", "claims", "ranking", "manifest"}
    groups = {job["group"]: set(job["rules"]) for job in shipped if job["call"]}
    assert groups["prepare-256"] == {"prepare"}
    assert groups["train-256"] == {"train"}
    assert groups["study-256"] == {"study_vanilla_rates"}


def test_a_part_of_a_grid_is_planned_alone(shipped: Submitted, folder: Path) -> None:
    def measured(jobs: Submitted) -> list[dict[str, str]]:
        return [key for job in jobs for key in job["wildcards"] if "measure" in job["rules"]]

    # the last part is planned only where the others are done
    first, second = (submitted(folder, "--batch", f"measured={part}/3", "measured") for part in (1, 2))
    both = sorted(map(str, [*measured(first), *measured(second)]))
    assert len(both) == len(set(both))
    assert min(len(measured(first)), len(measured(second))) >= len(measured(shipped)) // 3
    assert set(both) < set(map(str, measured(shipped)))
    assert {rule for job in [*first, *second] for rule in job["rules"]} == {"fetch", "prepare", "train", "measure"}


def test_a_submission_asks_for_the_time_of_all_its_jobs_and_the_memory_of_the_largest(
    shipped: Submitted, folder: Path
) -> None:
    edit_yaml(folder / PROFILE, "group-components", value={"none": 1})
    (together,) = [job for job in shipped if job["rules"][0] == "train"]
    alone = [job for job in submitted(folder) if job["rules"] == ["train"]]
    assert len(alone) == len(together["rules"]) > 4
    memory = [option(job["call"], "--mem") for job in alone]
    assert option(together["call"], "--mem") == max(memory) > min(memory)
    assert len(alone) <= option(together["call"], "-t") < sum(option(job["call"], "-t") for job in alone)


def test_a_second_attempt_asks_for_twice_as_much(shipped: Submitted) -> None:
    for job in shipped:
        if job["call"]:
            assert option(job["again"], "--mem") == 2 * option(job["call"], "--mem")
            assert option(job["again"], "-t") == 2 * option(job["call"], "-t")


def test_jobs_have_the_cores_of_their_threads_and_recipes_that_ask_for_it_a_gpu_and_its_queue(folder: Path) -> None:
    edit_yaml(folder / STUDY, "scales", "smoke", "gpu", value=["wgan-lp"])
    text = (folder / PROFILE).read_text()
    for comment in ("  # slurm_partition: compute", "  # qos: normal", "# set-resources:", "#   train_gpu:"):
        assert comment in text
        text = text.replace(comment, comment.replace("#   ", "  ").replace("# ", ""))
    (folder / PROFILE).write_text(text)
    calls = {tuple(job["rules"]): job["call"] for job in submitted(folder, "--config", "threads=3") if job["call"]}
    assert {option(call, "--cpus-per-task") for call in calls.values()} == {3}
    assert {rules for rules, call in calls.items() if "--gpus=1" in call} == {("train_gpu",)}
    for rules, call in calls.items():
        assert f"-p {'gpu' if rules == ('train_gpu',) else 'compute'} " in call
        assert "--qos=normal" in call


def test_no_job_asks_for_more_than_the_longest_time_of_the_site_and_a_plan_counts_submissions(
    shipped: Submitted, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def planned() -> dict[str, int]:
        assert main(["plan", "--json", "--profile", "slurm", "config/smoke.yaml"]) == 0
        counts: dict[str, int] = json.loads(capsys.readouterr().out)["submissions"]
        return counts

    def made(jobs: Submitted) -> dict[str, int]:
        counts = Counter(job["rules"][0].partition("_")[0] for job in jobs if job["call"])
        return {**counts, "all": counts.total()}

    assert planned() == made(shipped)
    edit_yaml(folder / STUDY, "scales", "smoke", "training", value={"steps": 10**9})
    long = submitted(folder)
    assert planned() == made(long) != made(shipped)
    assert max(option(job["call"], "-t") for job in long if job["call"]) == 10080


def test_at_home_every_job_runs_for_itself(folder: Path) -> None:
    assert {job["group"] for job in submitted(folder, profile="profiles/local")} == {None}

"""Planning a hundred thousand runs: counts at their full number, and memory by what each further job takes.

No run is trained; bench/dag.py measures what a plan costs in time.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bench.dag import planned, run
from bench.many_runs import DATASETS, SLOT, write_project
from wgpipe.cli import main

RUNS, JOBS, SUBMISSIONS, MEGABYTES = 100_000, 30_000, 3_000, 1_500
OTHER_JOBS = 5  # a study, claims, ranking, manifest, all


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return project(tmp_path_factory.mktemp("small"), recipes=3, slots=2)


@pytest.fixture(scope="module")
def larger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return project(tmp_path_factory.mktemp("larger"), recipes=11, slots=2)


def project(folder: Path, recipes: int, slots: int) -> Path:
    write_project(folder, recipes, slots)
    return folder


def jobs_of(found: dict[str, Any]) -> int:
    return sum(len(job["rules"]) for job in found["jobs"])


def test_jobs_take_so_little_memory_that_as_many_as_there_may_be_fit(small: Path, larger: Path) -> None:
    few, many = planned(small), planned(larger)
    assert jobs_of(few) == DATASETS * (1 + 4 * (2 + 1)) + OTHER_JOBS
    assert jobs_of(many) == DATASETS * (1 + 12 * (2 + 1)) + OTHER_JOBS
    each = (many["peak_mb"] - few["peak_mb"]) / (jobs_of(many) - jobs_of(few))
    assert 0 < few["peak_mb"] + each * JOBS < MEGABYTES


@pytest.mark.parametrize(("recipes", "slots"), [(24, 20), (499, 1)])
def test_a_hundred_thousand_runs_are_few_enough_submissions(
    recipes: int, slots: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_project(tmp_path, recipes, slots)
    monkeypatch.chdir(tmp_path)
    assert main(["plan", "--json", "--profile", "slurm", "config/many.yaml"]) == 0
    plan = json.loads(capsys.readouterr().out)
    assert plan["runs"] == RUNS
    assert plan["blocks"] == RUNS / SLOT
    assert plan["jobs"]["all"] < JOBS
    assert plan["submissions"]["all"] < SUBMISSIONS


def test_results_that_are_there_are_not_made_again_and_a_stale_one_is(small: Path) -> None:
    planned(small)  # resolves the configuration
    run(small, "-m", "bench.many_runs")
    assert planned(small)["jobs"] == []
    record = small / "results/many/runs/cube-1in1/recipe-0/s8-15/n64/run.json"
    record.write_text(json.dumps({"code": "of another time"}))
    trained = [job for job in planned(small)["jobs"] if job["rules"] == ["train"]]
    assert [job["wildcards"] for job in trained] == [[{"dataset": "cube-1in1", "recipe": "recipe-0", "seeds": "8-15"}]]

"""Runs that are lost: said, retried, and left out of tables only if that is asked for."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.conftest import edit_yaml
from tests.workflow.conftest import Pipeline

BUNDLE = "results/smoke/runs/surface-2in8/vanilla-lp/s0-1"
BLOCK = f"{BUNDLE}/n16"
JOB = "dataset=surface-2in8, recipe=vanilla-lp, seeds=0-1"


@pytest.mark.parametrize("lost", ["", "history.parquet"])
def test_a_lost_block_or_file_is_asked_for_again(lost: str, pipeline: Pipeline) -> None:
    path = pipeline.folder / BLOCK / lost
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    assert {wildcards for rule, wildcards in pipeline.planned() if rule == "train"} == {JOB}


def test_only_the_lost_block_of_a_bundle_is_trained_again_and_results_stay_as_they_were(pipeline: Pipeline) -> None:
    def content() -> dict[Path, bytes]:
        kept = [file for file in pipeline.folder.glob("results/smoke/**/*") if file.suffix in (".json", ".parquet")]
        return {file: file.read_bytes() for file in kept if not file.name.endswith(("cost.json", "provenance.json"))}

    before = content()
    shutil.rmtree(pipeline.folder / BLOCK)
    pipeline.snakemake(f"{BUNDLE}/bundle.json")
    log = (pipeline.folder / BUNDLE / "train.log").read_text().splitlines()
    assert [line for line in log if "kept" in line] == ["n=32 seeds 0-1 kept"]
    assert json.loads((pipeline.folder / BUNDLE / "cost.json").read_text())["trained"] == [16]
    pipeline.snakemake()
    assert content() == before
    assert pipeline.planned() == set()


def test_tables_can_be_made_from_what_exists(pipeline: Pipeline) -> None:
    shutil.rmtree(pipeline.folder / BLOCK)
    edit_yaml(pipeline.folder / "config/smoke.yaml", "allow_missing", value=True)
    jobs = pipeline.planned()
    assert not any(rule == "train" for rule, _ in jobs)
    pipeline.snakemake()
    log = (pipeline.folder / "results/smoke/studies/vanilla_rates/study.log").read_text()
    assert "20 of 22 runs are measured" in log

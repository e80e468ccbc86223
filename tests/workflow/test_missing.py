"""Runs that are lost: said, retried, and left out of tables only if that is asked for."""

from __future__ import annotations

import shutil

from tests.conftest import edit_yaml
from tests.workflow.conftest import Pipeline

BLOCK = "results/smoke/runs/surface-2in8/vanilla-lp/n16/s0-1"


def test_a_lost_block_is_trained_again(pipeline: Pipeline) -> None:
    shutil.rmtree(pipeline.folder / BLOCK)
    jobs = pipeline.planned()
    assert ("train", "dataset=surface-2in8, recipe=vanilla-lp, n=16, seeds=0-1") in jobs
    assert sum(rule == "train" for rule, _ in jobs) == 1


def test_tables_can_be_made_from_what_exists(pipeline: Pipeline) -> None:
    shutil.rmtree(pipeline.folder / BLOCK)
    edit_yaml(pipeline.folder / "config/smoke.yaml", "allow_missing", value=True)
    jobs = pipeline.planned()
    assert not any(rule == "train" for rule, _ in jobs)
    pipeline.snakemake()
    log = (pipeline.folder / "results/smoke/studies/vanilla_rates/study.log").read_text()
    assert "20 of 22 runs are measured" in log

"""The smoke scale on a cluster that nothing disturbs."""

from __future__ import annotations

from pathlib import Path

from tests.slurm.conftest import FULL, LONG, Project

# Every rule; with FULL=1, every study.
STUDIES = [] if FULL else ["studies=[coulomb_images]"]


def test_smoke_runs_to_its_end(clone: Project, mirror: Path) -> None:
    clone.poll_often()
    clone.submit_at_most(12)
    clone.snakemake("--configfile", "config/smoke.yaml", "--config", f"mirror={mirror}", *STUDIES, limit=LONG)
    clone.verify()
    assert {job["JobState"] for job in clone.jobs()} == {"COMPLETED"}

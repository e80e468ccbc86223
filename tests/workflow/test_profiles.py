"""Both profiles are accepted by Snakemake as they stand, on a machine without Slurm."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.conftest import ROOT
from tests.workflow.conftest import Pipeline


@pytest.mark.parametrize("profile", ["profiles/local", "slurm"])
def test_a_dry_run_needs_no_cluster(profile: str, built: Pipeline) -> None:
    environment = {**os.environ, "PYTHONPATH": str(built.folder)}
    command = [sys.executable, "-m", "snakemake", "--profile", profile, "-n", "--configfile", "config/smoke.yaml"]
    done = subprocess.run(command, cwd=built.folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "Nothing to be done" in done.stdout + done.stderr


@pytest.mark.parametrize("profile", sorted(Path(ROOT, "profiles").iterdir()))
def test_a_touched_file_of_any_size_is_compared_by_content(profile: Path) -> None:
    assert yaml.safe_load((profile / "profile.v9+.yaml").read_text())["max-checksum-file-size"] >= 1_000_000_000


def test_there_is_no_default_profile() -> None:
    assert not (ROOT / "profiles" / "default").exists()

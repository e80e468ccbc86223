"""What the audit promises, on results that Snakemake made."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import subprocess
import sys

from tests.audit.conftest import made_by
from tests.workflow.conftest import Pipeline
from wgpipe.audit.folder import open_folder
from wgpipe.grid import RESULTS


def audit(pipeline: Pipeline, *arguments: str) -> tuple[int, str]:
    """Exit code and what it printed."""
    command = [sys.executable, "-m", "wgpipe.cli", "audit", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(pipeline.folder)}
    done = subprocess.run(
        command, cwd=pipeline.folder, env=environment, capture_output=True, text=True, check=False, timeout=300
    )
    return done.returncode, done.stdout + done.stderr


def test_a_run_ends_with_a_manifest_and_has_nothing_to_report(built: Pipeline) -> None:
    code, said = audit(built, "verify", "results/smoke", "--json")
    content = json.loads(said)
    assert (code, content["findings"], content["notes"]) == (0, [], [])


def test_the_commands_of_an_audit_are_those_of_the_rules(built: Pipeline) -> None:
    printed = built.snakemake("--forceall", "--dry-run", "--printshellcmds").splitlines()
    lines = [line.removeprefix("Shell command: ") for line in printed if line.startswith("Shell command: wgpipe ")]
    called = [shlex.split(line.split(" &> ")[0].split(" 2> ")[0]) for line in lines]
    with contextlib.chdir(built.folder):
        known = list(made_by(open_folder(RESULTS / "smoke")))
    assert sorted(known) == sorted(command for command in called if command[1] != "audit")


def test_the_manifest_is_written_again_when_it_is_lost_and_not_otherwise(pipeline: Pipeline) -> None:
    manifest = pipeline.folder / "results/smoke/manifest.json"
    before = manifest.read_bytes()
    manifest.unlink()
    assert pipeline.planned() == {("manifest", "")}
    pipeline.snakemake()
    assert manifest.read_bytes() == before
    assert pipeline.planned() == set()

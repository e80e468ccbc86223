"""The cluster leaves nothing behind, however the process that started it ends."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.conftest import ROOT
from tests.slurm.cluster import Cluster, with_limit

OWNER = """
import os, pathlib, sys, time
from cluster import Cluster
started = Cluster(pathlib.Path(sys.argv[1]))
started.start(os.getpid())
started.run("sbatch", "--output=/dev/null", "--wrap=srun sleep 600")
while not list(started.processes("sleep 600")):
    time.sleep(0.2)
print("ready", flush=True)
time.sleep(600)
"""


def test_all_of_it_ends_with_a_killed_owner(cluster: Cluster, tmp_path: Path) -> None:
    other = Cluster(tmp_path / "c")
    other.folder.mkdir()
    command = [sys.executable, "-c", OWNER, str(other.folder)]
    with subprocess.Popen(command, cwd=ROOT / "tests" / "slurm", stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        assert owner.stdout.readline() == "ready\n"
        assert len(list(other.processes("slurm(d|ctld|stepd)"))) >= 4
        owner.kill()
    assert with_limit(lambda: not list(other.processes()), seconds=40)
    assert with_limit(lambda: not other.folder.exists(), seconds=10)
    assert cluster.answers()

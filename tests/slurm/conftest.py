"""A cluster for the session, and a small pipeline that ran on it undisturbed."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from bench.project import copy_project
from tests.conftest import edit_yaml
from tests.slurm.cluster import Cluster, with_limit
from tests.workflow.conftest import STUDY

PROFILE = "profiles/slurm/profile.v9+.yaml"
TRAINED = Path("results/smoke/runs/surface-2in8/wgan-lp/s0-1")
STEPS = 6_000  # of a training that lasts long enough to be hit
LIMIT, LONG = 600.0, 1500.0  # seconds of a Snakemake, and of one that has much to do, on a machine that is busy too
GRACE = 30  # seconds between SIGINT and SIGKILL


WANTED = os.environ.get("WGPIPE_SLURM")  # by make slurm-test: short or full
FULL = WANTED == "full"
only_full = pytest.mark.skipif(WANTED == "short", reason="only with make slurm-test FULL=1")


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """Two nodes; they end with this process, however it ends."""
    started = Cluster(Path(tempfile.mkdtemp(prefix="wgpipe-slurm.")))
    try:
        started.start(os.getpid())
        yield started
    finally:
        started.stop()


class Run:
    """A Snakemake at work. It is interrupted, then killed, when it takes too long."""

    def __init__(self, folder: Path, cluster: Cluster, profile: str, *arguments: str) -> None:
        before = len(list(folder.parent.glob("run*.log")))
        self.log = folder.parent / f"run{before}.log"
        self.cluster = cluster
        environment = {**cluster.environment, "PYTHONPATH": str(folder)}
        environment["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), environment["PATH"]])
        with self.log.open("w") as out:
            self.process = subprocess.Popen(
                ["snakemake", "--profile", profile, *arguments],
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def said(self) -> str:
        """All that it has said so far."""
        return self.log.read_text(errors="replace")

    def end(self, limit: float = LIMIT) -> int:
        """Its exit code."""
        try:
            return self.process.wait(limit)
        except subprocess.TimeoutExpired:
            self._stop()
            queue = self.cluster.run("squeue", "--states=all", check=False)
            pytest.fail(f"Snakemake did not end in {limit} s. It said last:\n{self.said[-3000:]}\nThe queue:\n{queue}")

    def kill(self) -> None:
        """As the kernel does; nothing of it cleans up."""
        self.process.kill()
        self.process.wait()

    def _stop(self) -> None:
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(GRACE)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


@dataclass(frozen=True)
class Project:
    """A folder with a small pipeline, which `snakemake --profile slurm` runs without any other argument."""

    folder: Path
    cluster: Cluster

    def start(self, *arguments: str, profile: str = "slurm") -> Run:
        return Run(self.folder, self.cluster, profile, *arguments)

    def snakemake(self, *arguments: str, profile: str = "slurm", code: int = 0, limit: float = LIMIT) -> str:
        """Run to the end; what it said."""
        run = self.start(*arguments, profile=profile)
        assert run.end(limit) == code, run.said[-5000:]
        return run.said

    def running_job(self) -> str:
        """The number of the job that trains, once it has written a checkpoint."""
        checkpoint = self.folder / TRAINED / "checkpoint.safetensors"
        assert with_limit(checkpoint.is_file, seconds=300), "no training began"
        queue = self.cluster.run("squeue", "--noheader", "--states=RUNNING", "--format=%i").split()
        assert len(queue) == 1, queue
        return queue[0]

    def jobs(self) -> list[dict[str, str]]:
        """What Slurm knows about each of its jobs."""
        listed = self.cluster.run("squeue", "--noheader", "--states=all", "--format=%i %Z").splitlines()
        return [self.cluster.job(line.split()[0]) for line in listed if line.split()[1] == str(self.folder)]

    @contextmanager
    def held(self) -> Iterator[None]:
        """The training stands still meanwhile, as if it took longer."""
        trainings = list(self.cluster.processes(r"wgpipe train"))
        assert trainings
        for each in trainings:
            os.kill(each, signal.SIGSTOP)
        try:
            yield
        finally:
            for each in trainings:
                with suppress(ProcessLookupError):
                    os.kill(each, signal.SIGCONT)

    def training_log(self) -> str:
        return (self.folder / TRAINED / "train.log").read_text()

    @property
    def manifest(self) -> str:
        """Every result with its sha256."""
        return (self.folder / "results/smoke/manifest.json").read_text()

    def verify(self) -> None:
        """What a stranger would do."""
        command = [str(Path(sys.executable).parent / "wgpipe"), "audit", "verify", "results/smoke"]
        environment = {**os.environ, "PYTHONPATH": str(self.folder)}
        done = subprocess.run(
            command, cwd=self.folder, env=environment, capture_output=True, text=True, check=False, timeout=120
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def poll_often(self) -> None:
        """As suits jobs of seconds."""
        self.edit(PROFILE, "slurm-init-seconds-before-status-checks", value=2)
        self.edit(PROFILE, "latency-wait", value=10)

    def submit_at_most(self, jobs: int) -> None:
        """Together, so that both nodes have something to do."""
        groups = yaml.safe_load((self.folder / PROFILE).read_text())["group-components"]
        self.edit(PROFILE, "group-components", value=dict.fromkeys(groups, jobs))

    def edit(self, file: str, *keys: str | int, value: object) -> None:
        edit_yaml(self.folder / file, *keys, value=value)


@pytest.fixture(scope="session")
def clone(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The project as it is, without results."""
    folder = tmp_path_factory.mktemp("slurm") / "whole"
    copy_project(folder)
    return Project(folder, cluster)


@pytest.fixture(scope="session")
def undisturbed(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """One recipe and two controls on one planted dataset, made without a cluster; not to be changed."""
    folder = tmp_path_factory.mktemp("slurm") / "small"
    copy_project(folder)
    project = Project(folder, cluster)
    for key, value in {
        "scale": "smoke",
        "seeds": ["0-1"],
        "slot": 2,
        "device": "cpu",
        "studies": ["vanilla_rates"],
    }.items():
        project.edit("config/config.yaml", key, value=value)
    points = {"real": 32, "generated": 32}
    scale = {
        "training": {"steps": STEPS, "batch": 32, "checkpoint_steps": 500},
        "metrics": {"w1": points, "energy": points, "spread": points, "critic": {"generated": 16, "steps": 2}},
        "grid": [{"datasets": ["surface-2in8"], "recipes": ["wgan-lp"], "n": [16]}],
    }
    project.edit(STUDY, "scales", "smoke", value=scale)
    project.edit(STUDY, "metrics", value={name: {} for name in scale["metrics"]})
    project.edit(STUDY, "controls", value=["oracle", "empirical"])
    project.poll_often()
    project.snakemake(profile="profiles/local")
    return project


@pytest.fixture
def project(undisturbed: Project, tmp_path: Path) -> Project:
    """A copy that has lost the one training that lasts."""
    folder = tmp_path / "project"
    shutil.copytree(undisturbed.folder, folder, symlinks=True)
    shutil.rmtree(folder / TRAINED)
    return Project(folder, undisturbed.cluster)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Each test has limits of its own for whatever it waits for; this one is for the sum."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.timeout(1800))
            if not WANTED:
                item.add_marker(pytest.mark.skip(reason="starts Slurm's daemons: make slurm-test"))

"""A small pipeline, built for real once: a copy of the project whose code and configuration a test may edit."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from bench.project import copy_project
from tests.conftest import edit_yaml

STUDY = "config/studies/vanilla_rates.yaml"

BIG_DATASET = '''
"""A dataset of the user's own, whose data.npz is larger than 1 MB."""

import numpy as np

from wgpipe.data import Card, FiniteDataset
from wgpipe.registry import register


@register("big")
class Big(FiniteDataset):
    """Normal points in R^4."""

    accepted = "big"

    @classmethod
    def from_name(cls, name):
        return cls(name=name)

    def card(self):
        return Card("big", "normal points", 4, None, 2, 40_000, 1_000, None, "this file", "MIT")

    def prepare(self, files):
        points = np.random.default_rng(0).standard_normal((41_000, 4))
        return {"train": points[:40_000], "test": points[40_000:]}
'''


@dataclass(frozen=True)
class Pipeline:
    """A project folder and how Snakemake runs in it."""

    folder: Path

    def snakemake(self, *arguments: str, check: bool = True) -> str:
        """Run to the end, output and errors together."""
        environment = {**os.environ, "PYTHONPATH": str(self.folder)}
        environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
        command = [
            sys.executable,
            "-m",
            "snakemake",
            "--profile",
            "profiles/local",
            "--configfile",
            "config/smoke.yaml",
        ]
        done = subprocess.run(
            [*command, "--cores", "2", *arguments],
            cwd=self.folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=300,
        )
        assert not check or done.returncode == 0, done.stdout
        return done.stdout

    def planned(self, *arguments: str) -> set[tuple[str, str]]:
        """(rule, wildcards) of the jobs that Snakemake would run now."""
        jobs = set()
        rule = ""
        for line in self.snakemake("--dry-run", *arguments).splitlines():
            if match := re.fullmatch(r"(?:local)?rule (\w+):", line):
                rule = match[1]
                jobs.add((rule, ""))
            elif match := re.fullmatch(r" +wildcards: (.*)", line):
                jobs.discard((rule, ""))
                jobs.add((rule, match[1]))
        return jobs - {("all", "")}

    def edit(self, file: str, old: str, new: str) -> None:
        """Replace a piece of text that must be there."""
        path = self.folder / file
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new, 1))


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    """Two recipes and two controls on one planted dataset, one recipe on the user's own; not to be changed."""
    folder = tmp_path_factory.mktemp("pipeline")
    copy_project(folder)
    (folder / "big.py").write_text(BIG_DATASET)
    edit_yaml(folder / "config/smoke.yaml", "datasets", value={"big": "./big.py"})
    edit_yaml(folder / "config/config.yaml", "studies", value=["vanilla_rates"])
    small = {"real": 32, "generated": 32}
    scale = {
        "training": {"steps": 5, "batch": 32},
        "metrics": {"w1": small, "energy": small, "spread": small, "critic": {"generated": 16, "steps": 2}},
        "grid": [
            {"datasets": ["surface-2in8"], "recipes": ["vanilla-lp", "wgan-lp"], "n": [16, 32]},
            {"datasets": ["big"], "recipes": ["wgan-lp"], "n": [16]},
        ],
    }
    edit_yaml(folder / STUDY, "scales", "smoke", value=scale)
    edit_yaml(folder / STUDY, "metrics", value={name: {} for name in scale["metrics"]})
    edit_yaml(folder / STUDY, "controls", value=["oracle", "empirical"])
    pipeline = Pipeline(folder)
    pipeline.snakemake()
    return pipeline


@pytest.fixture
def pipeline(built: Pipeline, tmp_path: Path) -> Pipeline:
    """A copy of the built pipeline, time stamps included, for one test to change."""
    folder = tmp_path / "pipeline"
    shutil.copytree(built.folder, folder, symlinks=True)
    return Pipeline(folder)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whoever comes first builds the pipeline, which takes minutes on a busy machine."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.timeout(600))

"""A small project with results, made in this process by the lines that `wgpipe.audit.commands` says."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT, edit_yaml
from wgpipe.audit import commands
from wgpipe.audit.folder import open_folder
from wgpipe.audit.manifest import write_manifest
from wgpipe.cli import main
from wgpipe.dag import Dag

STUDY = "config/studies/vanilla_rates.yaml"
RESULTS = Path("results/smoke")
RUN = "runs/surface-2in8/wgan-lp/s0-1"
METRICS = {"w1": {"real": 32, "generated": 32}, "spread": {"real": 32, "generated": 32}}


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose smoke results are complete; not to be changed."""
    folder = tmp_path_factory.mktemp("audited")
    for part in ("config", "Snakefile", "workflow", "profiles", "environment.yml", "requirements.lock", "LICENSE"):
        source = ROOT / part
        copy = shutil.copytree if source.is_dir() else shutil.copy
        copy(source, folder / part)
    edit_yaml(folder / "config/config.yaml", "studies", value=["vanilla_rates"])
    scale = {
        "training": {"steps": 5, "batch": 32},
        "metrics": METRICS,
        "grid": [{"datasets": ["surface-2in8"], "recipes": ["vanilla-lp", "wgan-lp"], "n": [16, 32]}],
    }
    edit_yaml(folder / STUDY, "scales", "smoke", value=scale)
    edit_yaml(folder / STUDY, "metrics", value={name: {} for name in METRICS})
    edit_yaml(folder / STUDY, "controls", value=["oracle", "empirical"])
    with contextlib.chdir(folder):
        assert main(["resolve", "config/smoke.yaml"]) == 0
        dag = open_folder(RESULTS)
        for command in made_by(dag):
            assert main(command[1:]) == 0, commands.shown(command)
        write_manifest(RESULTS)
    return folder


def made_by(dag: Dag) -> Iterator[commands.Command]:
    """Everything, in order."""
    datasets = sorted({block.dataset for block in dag.blocks})
    yield from (command for name in datasets for command in commands.fetch(dag, name))
    yield from (commands.prepare(dag, name) for name in datasets)
    yield from (commands.train(dag, bundle) for bundle in dag.bundles)
    yield from (commands.measure(dag, *pair) for pair in dag.pairs())
    yield from (commands.study(dag, study) for study in dag.resolved.studies)
    yield commands.ledger(dag)
    yield commands.ranking(dag)


@pytest.fixture
def small(built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Results of a copy of the project, which is the current folder, for one test to change."""
    shutil.copytree(built, tmp_path / "project")
    monkeypatch.chdir(tmp_path / "project")
    return RESULTS


@pytest.fixture
def audit(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str]]:
    """Run `wgpipe audit ...`: exit code and what it printed."""

    def run(*arguments: object) -> tuple[int, str]:
        capsys.readouterr()
        code = main(["audit", *map(str, arguments)])
        return code, capsys.readouterr().out

    return run

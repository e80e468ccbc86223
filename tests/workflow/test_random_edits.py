"""Random sequences of edits end in what a clean run of the final state gives, and make nothing that they need not.

The Snakefile and Snakemake are the real ones, the verbs are those of stub.py. Which jobs an edit needs, `Model` says,
which knows nothing of fingerprints, time stamps or checksums. WGPIPE_EDITS is the number of sequences (2), WGPIPE_RUNS
that of runs in each (3), WGPIPE_EDITS_FROM the first one's seed (0).
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import yaml

from bench.project import copy_project
from tests.conftest import edit_yaml
from tests.workflow.conftest import STUDY

SEQUENCES = int(os.environ.get("WGPIPE_EDITS", "2"))
FIRST = int(os.environ.get("WGPIPE_EDITS_FROM", "0"))
RUNS = int(os.environ.get("WGPIPE_RUNS", "3"))
OPTIONS = ("--profile", "profiles/local", "--configfile", "config/smoke.yaml", "--cores", "2")
RESULTS = "results/smoke"
SURFACE, MINE = "surface-2in8", "mine"
RECIPES = {SURFACE: ("vanilla-lp", "wgan-lp", "oracle"), MINE: ("wgan-lp", "oracle")}
METHODS = {"vanilla-lp": "vanilla", "wgan-lp": "wgan", "oracle": "oracle"}
PAIRS = [(dataset, recipe) for dataset, recipes in RECIPES.items() for recipe in recipes]

OWN = '''
"""A dataset of the user's own."""

from wgpipe.data import Card, FiniteDataset
from wgpipe.registry import register


@register("mine")
class Mine(FiniteDataset):
    """Nothing is ever drawn from it."""

    accepted = "mine"

    @classmethod
    def from_name(cls, name):
        return cls(name=name)

    def card(self):
        return Card("mine", "points", 4, None, 2, 1_000, 1_000, None, "this file", "MIT")
'''


@dataclass
class Model:
    """Which jobs there are, what each comes from, and which are needed after an edit."""

    slots: list[str] = field(default_factory=lambda: ["0-1"])

    def sources(self) -> dict[str, tuple[set[str], set[str]]]:
        """Job -> (what a person writes that it depends on, jobs whose results it reads)."""
        jobs: dict[str, tuple[set[str], set[str]]] = {}
        for dataset, recipe in PAIRS:
            prepare = f"prepare {RESULTS}/data/{dataset}"
            jobs[prepare] = {f"data {dataset}"}, set()
            trains = [f"train {RESULTS}/runs/{dataset}/{recipe}/s{slot}" for slot in self.slots]
            for train in trains:
                own = {f"recipe {recipe}", f"method {METHODS[recipe]}", f"data {dataset}", "sizes"}
                jobs[train] = own, {prepare}
            own = {f"recipe {recipe}", "metrics", "metric code", "sizes", "seeds"}
            jobs[f"measure {RESULTS}/measures/{dataset}/{recipe}.parquet"] = own, {prepare, *trains}
        measures = {job for job in jobs if job.startswith("measure")}
        recipes = {f"recipe {recipe}" for recipe in METHODS}
        settings = {*recipes, "metrics", "claims", "sizes", "seeds"}  # all of them stand in the study's settings
        jobs["study"] = {*settings, "study code"}, measures
        jobs[f"ledger {RESULTS}"] = {*settings, "text"}, {"study"}
        jobs[f"ranking {RESULTS}/ranking"] = recipes, measures
        jobs["manifest"] = settings, set(jobs)
        return jobs

    def needed(self, changed: set[str], lost: set[str], before: set[str]) -> set[str]:
        """Jobs that an edit needs: what it changed or lost, what was not there, and all that reads their results."""
        jobs = self.sources()
        found = {job for job, (own, _) in jobs.items() if own & changed or job in lost or job not in before}
        while more := {job for job, (_, read) in jobs.items() if read & found} - found:
            found |= more
        return found


@dataclass
class Project:
    """A folder with the pipeline, whose verbs are stubs."""

    folder: Path

    def run(self) -> set[str]:
        """Run the pipeline to the end; the jobs that ran."""
        calls = self.folder / "calls.txt"
        calls.unlink(missing_ok=True)
        path = os.pathsep.join([str(self.folder / "bin"), str(Path(sys.executable).parent), os.environ["PATH"]])
        done = subprocess.run(
            [sys.executable, "-m", "snakemake", *OPTIONS],
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": str(self.folder), "PATH": path},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=300,
        )
        assert done.returncode == 0, done.stdout
        lines = calls.read_text().splitlines() if calls.is_file() else []
        assert len(lines) == len(set(lines)), "a job ran twice"
        return set(lines)

    def results(self) -> dict[str, bytes]:
        """Every result."""
        found = [path for path in (self.folder / RESULTS).rglob("*") if path.is_file()]
        return {
            path.relative_to(self.folder).as_posix(): path.read_bytes()
            for path in found
            if path.suffix != ".log" and not path.name.startswith(".")
        }

    def clean(self, to: Path) -> Project:
        """The same project without any result or record of Snakemake's."""
        ignored = shutil.ignore_patterns("results", ".snakemake", "fingerprints", "calls.txt")
        shutil.copytree(self.folder, to, symlinks=True, ignore=ignored)
        return Project(to)


Edit = Callable[
    [Project, Model, random.Random], tuple[set[str], set[str]]
]  # what it changed, and the jobs whose it took


def append(file: str, text: str, *changed: str) -> Edit:
    """Put a line at the end of a file."""

    def edit(project: Project, model: Model, rng: random.Random) -> tuple[set[str], set[str]]:
        with (project.folder / file).open("a") as source:
            source.write(text.format(rng.randrange(10**9)) + "\n")
        return set(changed), set()

    return edit


def value(keys: tuple[str | int, ...], of: Callable[[random.Random], object], *changed: str) -> Edit:
    """Set a value of the study."""

    def edit(project: Project, model: Model, rng: random.Random) -> tuple[set[str], set[str]]:
        edit_yaml(project.folder / STUDY, *keys, value=of(rng))
        return {*changed, "text"}, set()

    return edit


def more_seeds(project: Project, model: Model, rng: random.Random) -> tuple[set[str], set[str]]:
    first = 2 * len(model.slots)
    model.slots.append(f"{first}-{first + 1}")
    edit_yaml(project.folder / "config/smoke.yaml", "seeds", value=model.slots)
    return {"seeds"}, set()


def larger_n(project: Project, model: Model, rng: random.Random) -> tuple[set[str], set[str]]:
    file = project.folder / STUDY
    for part in (0, 1):
        sizes = yaml.safe_load(file.read_text())["scales"]["smoke"]["grid"][part]["n"]
        edit_yaml(file, "scales", "smoke", "grid", part, "n", value=[*sizes, max(sizes) + 8])
    return {"sizes", "text"}, set()


def touch(project: Project, model: Model, rng: random.Random) -> tuple[set[str], set[str]]:
    files = [path for path in project.folder.rglob("*") if path.is_file() and ".snakemake" not in path.parts]
    for path in rng.sample(sorted(files), 20):
        os.utime(path)
    return set(), set()


def deletion(project: Project, model: Model, rng: random.Random) -> tuple[set[str], set[str]]:
    """Of a result, with the job that makes it; what `wgpipe resolve` writes is no job's."""
    owners = {name: job for name in project.results() for job in model.sources() if made_by(name) == job}
    owners |= {name: "" for name in project.results() if "/config/" in name}
    kinds: dict[str, list[str]] = {}
    for name, job in owners.items():
        kinds.setdefault(job.partition(" ")[0], []).append(name)
    name = rng.choice(sorted(kinds[rng.choice(sorted(kinds))]))
    (project.folder / name).unlink()
    return set(), {owners[name]} - {""}


def made_by(name: str) -> str:
    """The job that makes a file."""
    parts = name.split("/")
    match parts[2:]:
        case ["data", dataset, _]:
            return f"prepare {RESULTS}/data/{dataset}"
        case ["runs", dataset, recipe, slot, *_]:
            return f"train {RESULTS}/runs/{dataset}/{recipe}/{slot}"
        case ["measures", dataset, file]:
            return f"measure {RESULTS}/measures/{dataset}/{Path(file).stem}.parquet"
        case ["studies", *_]:
            return "study"
        case ["ranking", _]:
            return f"ranking {RESULTS}/ranking"
        case ["manifest.json"]:
            return "manifest"
        case ["config", *_]:
            return ""
    return f"ledger {RESULTS}"


EDITS: dict[str, Edit] = {
    "method vanilla": append("wgpipe/methods/vanilla.py", "EDITED = {}", "method vanilla"),
    "method wgan": append("wgpipe/methods/wgan.py", "EDITED = {}", "method wgan"),
    "metric": append("wgpipe/metrics/spread.py", "EDITED = {}", "metric code"),
    "study's code": append("wgpipe/studies/vanilla_rates.py", "EDITED = {}", "study code"),
    "own dataset": append("own.py", "EDITED = {}", f"data {MINE}"),
    "dataset": append("wgpipe/data/surface.py", "EDITED = {}", f"data {SURFACE}"),
    "comment in a method": append("wgpipe/methods/wgan.py", "# a comment {}"),
    "comment in the engine": append("wgpipe/train/population.py", "# a comment {}"),
    "comment in the own dataset": append("own.py", "# a comment {}"),
    "comment in the study's settings": append(STUDY, "# a comment {}", "text"),
    "comment in the configuration": append("config/smoke.yaml", "# a comment {}"),
    "a recipe": value(
        ("recipes", "vanilla-lp", "constraint", "weight"), lambda rng: rng.uniform(1, 9), "recipe vanilla-lp"
    ),
    "a claim": value(("claims", "van-rate", "test", "band"), lambda rng: rng.uniform(0.01, 0.2), "claims"),
    "a metric's settings": value(
        ("scales", "smoke", "metrics", "spread", "real"), lambda rng: rng.randrange(16, 64), "metrics"
    ),
    "more seeds": more_seeds,
    "a larger n": larger_n,
    "touch": touch,
    "delete": deletion,
    "delete another": deletion,
}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Two datasets, two recipes and a control; not to be changed."""
    folder = tmp_path_factory.mktemp("stubbed") / "project"
    copy_project(folder)
    (folder / "own.py").write_text(OWN)
    (folder / "bin").mkdir()
    stub = folder / "bin/wgpipe"
    stub.write_text(f"#!{sys.executable}\n" + Path(__file__).with_name("stub.py").read_text())
    stub.chmod(0o755)
    for file in (folder / "config/studies").glob("*.yaml"):
        if file.name != Path(STUDY).name:
            file.unlink()
    edit_yaml(folder / "config/smoke.yaml", "datasets", value={MINE: "./own.py"})
    edit_yaml(folder / "config/config.yaml", "studies", value=["vanilla_rates"])
    metrics = {"spread": {"real": 32, "generated": 32}, "energy": {"real": 32, "generated": 32}}
    grid = [
        {"datasets": [SURFACE], "recipes": ["vanilla-lp", "wgan-lp"], "n": [16]},
        {"datasets": [MINE], "recipes": ["wgan-lp"], "n": [16]},
    ]
    edit_yaml(folder / STUDY, "scales", "smoke", value={"metrics": metrics, "grid": grid})
    edit_yaml(folder / STUDY, "metrics", value={name: {} for name in metrics})
    edit_yaml(folder / STUDY, "controls", value=["oracle"])
    project = Project(folder)
    assert project.run() == set(Model().sources())
    return project


@pytest.mark.parametrize("seed", range(FIRST, FIRST + SEQUENCES))
def test_edits_end_in_what_a_clean_run_gives_and_make_nothing_else(seed: int, built: Project, tmp_path: Path) -> None:
    rng, model = random.Random(seed), Model()
    project = Project(tmp_path / "project")
    shutil.copytree(built.folder, project.folder, symlinks=True)
    done: list[str] = []
    for _ in range(RUNS):
        before = set(model.sources())
        changed: set[str] = set()
        lost: set[str] = set()
        for name in rng.sample(sorted(EDITS), rng.choice([1, 1, 2])):
            done.append(name)
            more, gone = EDITS[name](project, model, rng)
            changed, lost = changed | more, lost | gone
        done.append("run")
        assert project.run() == model.needed(changed, lost, before), done
    fresh = project.clean(tmp_path / "clean")
    assert fresh.run() == set(model.sources())
    assert project.results() == fresh.results(), done


def test_each_kind_of_file_is_made_again_when_it_is_gone(built: Project, tmp_path: Path) -> None:
    project, model = Project(tmp_path / "project"), Model()
    shutil.copytree(built.folder, project.folder, symlinks=True)
    before = project.results()
    kinds: dict[tuple[str, str], str] = {}
    for name in sorted(before):
        kind = made_by(name).partition(" ")[0]
        if kind:
            kinds[kind, Path(name).suffix if kind in ("prepare", "train", "measure") else ""] = name
    assert len(kinds) == 11
    for name in kinds.values():
        (project.folder / name).unlink()
        assert project.run() == model.needed(set(), {made_by(name)}, set(model.sources())), name
        assert project.results() == before, name

"""docs/own-method.md, done as a reader would do it: a method outside the package counts as much as one inside."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys

import pandas as pd
import pytest
import yaml

from tests.conftest import ROOT, edit_yaml
from tests.workflow.conftest import STUDY, Pipeline

RUNS = "results/smoke/runs/surface-2in8"
STUDIES = "results/smoke/studies/vanilla_rates"


def block(language: str, which: int = 0) -> str:
    """A code block of the page."""
    page = (ROOT / "docs/own-method.md").read_text(encoding="utf-8")
    found: list[str] = re.findall(rf"```{language}\n(.*?)```", page, re.DOTALL)
    return found[which]


def wgpipe(pipeline: Pipeline, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(pipeline.folder)}
    command = [sys.executable, "-m", "wgpipe.cli", *arguments]
    return subprocess.run(
        command, cwd=pipeline.folder, env=environment, capture_output=True, text=True, check=False, timeout=60
    )


@pytest.fixture
def recipe(pipeline: Pipeline) -> str:
    """The name of the page's recipe, in a grid with the two that are trained already."""
    (pipeline.folder / "mine.py").write_text(block("python"))
    (pipeline.folder / "mine.bib").write_text(block("bibtex"))
    edit_yaml(pipeline.folder / "config/smoke.yaml", "methods", value=yaml.safe_load(block("yaml"))["methods"])
    ((name, settings),) = yaml.safe_load(block("yaml", 1)).items()
    edit_yaml(pipeline.folder / STUDY, "recipes", name, value=settings)
    grid = ("scales", "smoke", "grid", 0, "recipes")
    edit_yaml(pipeline.folder / STUDY, *grid, value=["vanilla-lp", "wgan-lp", name])
    return str(name)


def test_a_method_of_ones_own_is_trained_measured_tabulated_and_drawn(pipeline: Pipeline, recipe: str) -> None:
    planned = {wildcards for rule, wildcards in pipeline.planned() if rule == "train"}
    assert planned == {f"dataset=surface-2in8, recipe={recipe}, seeds=0-1"}
    pipeline.snakemake()
    for n in (16, 32):
        run = json.loads((pipeline.folder / f"{RUNS}/{recipe}/s0-1/n{n}/run.json").read_text())
        other = json.loads((pipeline.folder / f"{RUNS}/wgan-lp/s0-1/n{n}/run.json").read_text())
        assert run["status"] == {"0": "ok", "1": "ok"}
        assert run["code"]
        assert run["code"] != other["code"]
    runs = pd.read_csv(pipeline.folder / STUDIES / "runs.csv")
    measured = runs[runs["recipe"] == recipe]
    assert sorted(zip(measured["n"], measured["seed"], strict=True)) == [(16, 0), (16, 1), (32, 0), (32, 1)]
    assert (measured["w1"] > 0).all()
    assert recipe in set(pd.read_csv(pipeline.folder / STUDIES / "rates.csv")["recipe"])
    assert f"<!-- {recipe} -->" in (pipeline.folder / STUDIES / "rates.svg").read_text()
    pipeline.edit("mine.py", "class LeastSquares", "# a comment\nclass LeastSquares")
    assert pipeline.planned() == set()


def test_its_citation_stands_beside_it(pipeline: Pipeline, recipe: str) -> None:
    cited = wgpipe(pipeline, "cite", "config/smoke.yaml")
    assert cited.returncode == 0, cited.stderr
    assert block("bibtex") in cited.stdout
    assert "@misc{kunkel2024," in cited.stdout
    (pipeline.folder / "mine.bib").unlink()
    refused = wgpipe(pipeline, "cite", "config/smoke.yaml")
    assert refused.returncode == 2
    assert re.search(r"^wgpipe: citations\.bib, mine\.bib, .*: citation 'mao2017' is unknown", refused.stderr)


def test_a_mistake_in_its_settings_is_told_before_anything_runs(pipeline: Pipeline, recipe: str) -> None:
    edit_yaml(pipeline.folder / STUDY, "recipes", recipe, "method", "tagret", value=1)
    refused = wgpipe(pipeline, "check", "config/smoke.yaml")
    assert refused.returncode == 2
    assert f"recipe '{recipe}': method 'least-squares'" in refused.stderr
    assert "'tagret'" in refused.stderr
    assert "'target'" in refused.stderr

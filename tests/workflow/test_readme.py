"""The README's promises, done as a reader would do them."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pandas as pd
import yaml

from tests.conftest import ROOT, edit_yaml
from tests.workflow.conftest import STUDY, Pipeline


def blocks(language: str) -> list[str]:
    """Code blocks of README.md in a language."""
    return re.findall(rf"```{language}\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)


def test_a_method_in_one_file_trains_is_measured_and_appears_in_the_tables(built: Pipeline, tmp_path: Path) -> None:
    shutil.copytree(built.folder, tmp_path / "pipeline", symlinks=True)
    pipeline = Pipeline(tmp_path / "pipeline")
    (method,) = blocks("python")
    overlay, recipe = map(yaml.safe_load, blocks("yaml"))
    (pipeline.folder / "mine.py").write_text(method)
    edit_yaml(pipeline.folder / "config/smoke.yaml", "methods", value=overlay["methods"])
    (name,) = recipe
    edit_yaml(pipeline.folder / STUDY, "recipes", name, value=recipe[name])
    grid = ("scales", "smoke", "grid", 0, "recipes")
    edit_yaml(pipeline.folder / STUDY, *grid, value=["vanilla-lp", "wgan-lp", name])
    jobs = {wildcards for rule, wildcards in pipeline.planned() if rule == "train"}
    assert jobs == {f"dataset=surface-2in8, recipe={name}, seeds=0-1"}
    pipeline.snakemake()
    results = pipeline.folder / "results/smoke"
    run = json.loads((results / f"runs/surface-2in8/{name}/s0-1/n32/run.json").read_text())
    assert run["status"] == {"0": "ok", "1": "ok"}
    assert name in set(pd.read_csv(results / "studies/vanilla_rates/runs.csv")["recipe"])
    pipeline.edit("mine.py", "margin - f_real", "margin - 2 * f_real")
    assert {wildcards for rule, wildcards in pipeline.planned() if rule == "train"} == jobs


def test_files_that_the_readme_names_are_there() -> None:
    named = re.findall(r"\]\(((?!http)[^)]+)\)", (ROOT / "README.md").read_text())
    assert named
    assert [name for name in named if not (ROOT / name).exists()] == []

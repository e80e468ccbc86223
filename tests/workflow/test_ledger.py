"""The ledger, its quality control and the ranking of a pipeline that ran, and what `wgpipe claims` says about it."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pandas as pd
import pytest

from tests.workflow.conftest import Pipeline

ROOT = "results/smoke"


def wgpipe(pipeline: Pipeline, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(pipeline.folder)}
    command = [sys.executable, "-m", "wgpipe.cli", *arguments]
    return subprocess.run(
        command, cwd=pipeline.folder, env=environment, capture_output=True, text=True, check=False, timeout=120
    )


def test_the_ledger_has_every_claim_of_every_study(built: Pipeline) -> None:
    table = pd.read_csv(built.folder / ROOT / "claims.csv")
    files = (built.folder / "config/studies").glob("*.yaml")
    assert set(table["config"].str.split("#").str[0]) <= {f"config/studies/{file.name}" for file in files}
    assert set(table[table["study"] == "vanilla_rates"]["verdict"]) <= {"supported", "contradicted", "inconclusive"}
    assert set(table[table["study"] != "vanilla_rates"]["verdict"]) <= {"not run"}
    for name in ("claims.md", "claims.tex", "claims.html", "quality.md", "quality.html", "ranking/ranking.md"):
        assert (built.folder / ROOT / name).stat().st_size > 0


def test_a_changed_line_of_another_study_remakes_the_ledger_alone(pipeline: Pipeline) -> None:
    pipeline.edit("config/studies/ground_truth.yaml", "study: ground_truth", "# a line more\nstudy: ground_truth")
    assert pipeline.planned() == {("claims", ""), ("manifest", "")}


def test_one_claim_is_explained_from_its_settings_to_its_verdict(built: Pipeline) -> None:
    done = wgpipe(built, "claims", "config/smoke.yaml", "--explain", "van-loose")
    assert done.returncode == 0, done.stderr
    run = json.loads((built.folder / ROOT / "runs/surface-2in8/wgan-lp/s0-1/n16/run.json").read_text())
    (row,) = pd.read_csv(built.folder / ROOT / "claims.csv").query("id == 'van-loose'").to_dict("records")
    for expected in (
        f"van-loose: {row['verdict']}",
        row["config"],
        f"sha256 {run['data']['embedding']}",
        f"{ROOT}/runs/surface-2in8/wgan-lp/s0-1/n16: n = 16, seeds 0-1, 2 ok; code {run['code']}",
        f"{ROOT}/measures/big/wgan-lp.parquet",
        f"table {ROOT}/studies/vanilla_rates/rates.csv",
        "lies within 0 ± 0.05",
        f"at least {8} seeds",
        row["reason"],
        row["needs"],
    ):
        assert expected in done.stdout
    assert "oracle (" not in done.stdout


def test_without_an_identifier_all_claims_are_listed(built: Pipeline) -> None:
    lines = wgpipe(built, "claims", "config/smoke.yaml").stdout.splitlines()
    assert len(lines) == len(pd.read_csv(built.folder / ROOT / "claims.csv")) + 3
    own = [line.split()[1] for line in lines if "  van-" in line]
    assert own[:2] == ["van-rate", "van-wgan"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["config/smoke.yaml", "--explain", "van-lose"], "has no claim 'van-lose'; did you mean 'van-loose'?"),
        (["--explain", "van-loose"], "nothing of scale 'quick' was run here yet."),
    ],
)
def test_a_mistake_is_one_sentence(arguments: list[str], sentence: str, built: Pipeline) -> None:
    done = wgpipe(built, "claims", *arguments)
    assert done.returncode == 2
    assert sentence in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_pipeline_that_has_not_ended_has_no_claims_yet(pipeline: Pipeline) -> None:
    (pipeline.folder / ROOT / "claims.csv").unlink()
    done = wgpipe(pipeline, "claims", "config/smoke.yaml", "--explain", "van-loose")
    assert done.returncode == 2
    assert "results/smoke/claims.csv does not exist" in done.stderr


def test_neither_ledger_nor_ranking_imports_torch(built: Pipeline) -> None:
    code = "import sys, wgpipe.studies.ledger_files, wgpipe.studies.ranking; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=built.folder, check=False).returncode == 0

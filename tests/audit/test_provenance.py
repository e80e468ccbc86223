import json
import subprocess
import sys

import pytest

from tests.audit.conftest import RUN
from wgpipe.audit import provenance
from wgpipe.audit.manifest import held, sha256

RECORDS = {
    "data/surface-2in8/provenance.json": "prepare",
    f"{RUN}/n16/provenance.json": "train",
    f"{RUN}/n32/provenance.json": "train",
    "measures/surface-2in8/wgan-lp.provenance.json": "measure",
    "studies/vanilla_rates/provenance.json": "study",
    "claims.provenance.json": "ledger",
    "ranking/ranking.provenance.json": "ranking",
}


@pytest.mark.parametrize(("name", "verb"), RECORDS.items())
def test_what_a_verb_makes_has_its_provenance_beside_it(built, name, verb):
    content = json.loads((built / "results/smoke" / name).read_text())
    assert content["command"][:2] == ["wgpipe", verb]
    assert len(content["code"].split()[0]) >= 16
    assert content["started"] <= content["finished"]
    assert content["cpu_seconds"] > 0
    assert content["machine"]["cpu"] == provenance.cpu()
    assert {"python", "numpy"} <= content["versions"].keys()
    assert set(content) >= {"git", "inputs", "wall_seconds", "peak_mb"}


def test_a_block_names_its_configuration_and_data_by_sha256(built):
    content = json.loads((built / "results/smoke" / RUN / "n16/provenance.json").read_text())
    run = json.loads((built / "results/smoke" / RUN / "n16/run.json").read_text())
    inputs = ("results/smoke/config/recipes/wgan-lp.json", "results/smoke/data/surface-2in8/card.json")
    assert content["inputs"] == {name: sha256(built / name) for name in inputs}
    assert content["code"] == run["code"]


def test_it_is_no_part_of_the_results(built):
    assert not [name for name in held(built / "results/smoke") if "provenance" in name]


def test_git_knows_the_commit_of_the_code_and_whether_it_was_changed(tmp_path, monkeypatch):
    package = tmp_path / "wgpipe"
    package.mkdir()
    monkeypatch.setattr(provenance, "PACKAGE", package)
    (package / "errors.py").write_text("")
    assert provenance.git_state() is None
    git = ["git", "-C", str(tmp_path), "-c", "user.name=A", "-c", "user.email=a@b"]
    for command in (["init", "-q"], ["add", "wgpipe"], ["commit", "-q", "-m", "first"]):
        subprocess.run([*git, *command], check=True)
    head = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout.strip()
    assert provenance.git_state() == {"commit": head, "changed": 0}
    (package / "errors.py").write_text("x = 1\n")
    assert provenance.git_state() == {"commit": head, "changed": 1}


def test_the_command_line_fixes_the_threads_before_any_numeric_library_is_loaded():
    script = "import sys, wgpipe.cli; print({'numpy', 'torch', 'scipy'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "set()"

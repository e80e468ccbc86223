import json

import pytest

from wgpipe.audit.manifest import Finding, differences, read_manifest, write_manifest
from wgpipe.audit.reference import LARGEST, write_reference
from wgpipe.cli import main
from wgpipe.errors import UserError


@pytest.fixture
def results(tmp_path):
    folder = tmp_path / "quick"
    for name, text in {
        "claims.csv": "id\n",
        "claims.md": "# Claims\n",
        "runs/ring/wgan/n64/run.json": "{}",
        "studies/one/rates.csv": "slope\n-0.5\n",
        "studies/one/rates.pdf": "%PDF",
        "studies/one/study.log": "took 3 s",
        "runs/ring/wgan/cost.json": '{"seconds": 3}',
        ".snakemake/lock": "",
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def test_a_manifest_lists_results_without_what_a_clock_decides(results):
    write_manifest(results)
    assert list(read_manifest(results)) == [
        "claims.csv",
        "claims.md",
        "runs/ring/wgan/n64/run.json",
        "studies/one/rates.csv",
        "studies/one/rates.pdf",
    ]
    assert differences(results) == []


def test_the_sha256_is_that_of_the_bytes(results):
    write_manifest(results)
    expected = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"  # of {}, as sha256sum prints it
    assert read_manifest(results)["runs/ring/wgan/n64/run.json"] == {"bytes": 2, "sha256": expected}


def test_changed_missing_and_new_files_are_named(results):
    write_manifest(results)
    (results / "studies/one/rates.pdf").write_text("%PDG")
    (results / "claims.md").unlink()
    (results / "extra.csv").write_text("")
    assert differences(results) == [
        Finding("claims.md", "missing"),
        Finding("extra.csv", "unlisted"),
        Finding("studies/one/rates.pdf", "changed"),
    ]


def test_a_log_may_change(results):
    write_manifest(results)
    (results / "studies/one/study.log").write_text("took 4 s")
    assert differences(results) == []


@pytest.mark.parametrize("damage", ["sha256", "drop", "text", "list"])
def test_a_changed_manifest_is_refused(results, damage):
    file = write_manifest(results)
    content = json.loads(file.read_text())
    if damage == "sha256":
        content["files"]["claims.csv"]["sha256"] = "0" * 64
    elif damage == "drop":
        del content["files"]["claims.csv"]
    file.write_text({"text": "no JSON", "list": "[]"}.get(damage, json.dumps(content)))
    with pytest.raises(UserError, match=r"manifest.json was changed"):
        differences(results)


def test_verify_says_what_differs_and_exits_with_1(results, capsys):
    assert main(["audit", "manifest", str(results)]) == 0
    assert main(["audit", "verify", str(results)]) == 0
    (results / "claims.csv").write_text("name\n")
    assert main(["audit", "verify", str(results)]) == 1
    assert "claims.csv is changed" in capsys.readouterr().out


def test_verify_without_a_manifest_says_how_to_get_one(results, capsys):
    assert main(["audit", "verify", str(results)]) == 2
    assert "wgpipe audit manifest" in capsys.readouterr().err


def test_a_reference_holds_small_tables_and_verifies(results, tmp_path):
    (results / "studies/one/runs.csv").write_text("1\n" * LARGEST)
    out = tmp_path / "reference"
    assert write_reference(results, out) == ["studies/one/runs.csv"]
    assert list(read_manifest(out)) == ["claims.csv", "claims.md", "studies/one/rates.csv"]
    assert differences(out) == []
    (results / "studies/one/rates.csv").unlink()
    write_reference(results, out)
    assert list(read_manifest(out)) == ["claims.csv", "claims.md"]


def test_a_reference_replaces_nothing_but_a_reference(results, tmp_path):
    (tmp_path / "thesis.tex").write_text("")
    with pytest.raises(UserError, match=r"manifest.json does not exist"):
        write_reference(results, tmp_path)
    assert (tmp_path / "thesis.tex").exists()


def test_only_a_complete_run_can_be_a_reference(tmp_path):
    with pytest.raises(UserError, match="only a complete run"):
        write_reference(tmp_path, tmp_path / "out")

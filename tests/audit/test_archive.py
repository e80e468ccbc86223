import json
import random
import shutil
import zipfile
from pathlib import Path

import pytest

from wgpipe.audit import crate
from wgpipe.audit.archive import verify_archive, write_archive
from wgpipe.audit.folder import CRATE
from wgpipe.audit.manifest import MANIFEST, read_manifest, sha256, write_manifest
from wgpipe.audit.verify import verify
from wgpipe.cli import main
from wgpipe.errors import UserError

DAY = "2026-01-31"


@pytest.fixture(scope="session")
def packed(built, tmp_path_factory):
    """An archive of the small results."""
    out = tmp_path_factory.mktemp("archive") / "results.zip"
    write_archive(built / "results/smoke", out, published=DAY)
    return out


@pytest.fixture
def unpacked(packed, tmp_path):
    """It, unpacked elsewhere."""
    with zipfile.ZipFile(packed) as archive:
        archive.extractall(tmp_path / "unpacked")
    return tmp_path / "unpacked"


def test_an_archive_passes_packed_and_unpacked_elsewhere(built, packed, unpacked, monkeypatch, audit):
    monkeypatch.chdir(unpacked)
    digest = verify(built / "results/smoke").digest
    for path in (packed, unpacked, Path("results/smoke")):
        code, said = audit("verify", path, "--digest", digest, "--json")
        assert (code, json.loads(said)["findings"]) == (0, [])
    names = {path.relative_to(unpacked).as_posix() for path in unpacked.rglob("*")}
    assert {"Snakefile", "requirements.lock", "config/config.yaml", "wgpipe/cli.py", CRATE, MANIFEST} <= names
    assert "profiles/local/profile.v9+.yaml" in names  # a sign that identifiers in the crate write in another way
    assert (unpacked / "results/smoke/manifest.json").read_bytes() == (
        built / "results/smoke/manifest.json"
    ).read_bytes()


def test_the_same_folder_gives_the_same_bytes_wherever_it_lies(small, packed, tmp_path):
    write_archive(small, tmp_path / "again.zip", published=DAY)
    assert sha256(tmp_path / "again.zip") == sha256(packed)


def test_the_crate_reads_back_as_a_workflow_run_with_the_entries_that_the_profiles_require(unpacked):
    from rocrate.rocrate import ROCrate

    assert list(crate.problems(unpacked)) == []
    read = ROCrate(unpacked)
    assert read.mainEntity.id == "Snakefile"
    assert set(read.mainEntity.type) == {"File", "SoftwareSourceCode", "ComputationalWorkflow"}
    assert read.mainEntity["programmingLanguage"]["name"] == "Snakemake"
    (action,) = read.root_dataset["mentions"]
    assert action.type == "CreateAction"
    assert action["instrument"] == read.mainEntity
    assert "results/smoke/config/resolved.json" in {entity.id for entity in action["object"]}
    made = {entity.id for entity in action["result"]}
    assert {"results/smoke/claims.csv", "results/smoke/studies/vanilla_rates/rates.csv"} <= made
    graph = {entity["@id"]: entity for entity in json.loads((unpacked / CRATE).read_text())["@graph"]}
    profiles = {entry["@id"] for entry in graph["./"]["conformsTo"]}
    assert {"https://w3id.org/ro/wfrun/process/0.5", "https://w3id.org/ro/wfrun/workflow/0.5"} <= profiles
    assert graph["./"]["datePublished"] == DAY
    assert str(unpacked.parent) not in (unpacked / CRATE).read_text()


@pytest.mark.parametrize(
    ("entity", "key", "problem"),
    [
        ("./", "conformsTo", "does not conform to https://w3id.org/ro/wfrun/workflow/0.5"),
        ("./", "license", "no license"),
        ("./", "datePublished", "no date"),
        ("#run", "instrument", "no action whose instrument"),
        ("#run", "result", "no result"),
        ("Snakefile", "programmingLanguage", "no programming language"),
    ],
)
def test_what_a_crate_lacks_is_said(unpacked, entity, key, problem):
    file = unpacked / CRATE
    content = json.loads(file.read_text())
    next(entry for entry in content["@graph"] if entry["@id"] == entity).pop(key)
    file.write_text(json.dumps(content))
    assert any(problem in said for said in crate.problems(unpacked))


def test_a_crate_that_names_a_lost_file_or_is_no_json_is_said(unpacked):
    (unpacked / "environment.yml").unlink()
    assert "it names environment.yml, which is not there" in set(crate.problems(unpacked))
    (unpacked / CRATE).write_text("{")
    assert any("cannot be read" in said for said in crate.problems(unpacked))


def test_a_changed_file_of_an_archive_is_named_wherever_it_lies(unpacked):
    for name in ("Snakefile", "wgpipe/cli.py", "results/smoke/claims.csv", MANIFEST, "results/smoke/manifest.json"):
        content = (unpacked / name).read_bytes()
        (unpacked / name).write_bytes(content + b" ")
        assert (name, "changed") in {(each.file, each.what) for each in verify_archive(unpacked).findings}
        (unpacked / name).write_bytes(content)
    (unpacked / "results/smoke/claims.md").unlink()
    (unpacked / "results/smoke/own.csv").write_text("")
    found = {(each.file, each.what) for each in verify_archive(unpacked).findings}
    assert {("results/smoke/claims.md", "missing"), ("results/smoke/own.csv", "an orphan")} <= found


def test_damage_inside_a_packed_member_is_found(packed, tmp_path):
    chosen = random.Random(0)
    with zipfile.ZipFile(packed) as archive:
        members = [info for info in archive.infolist() if info.compress_size > 200]
    content = packed.read_bytes()
    for _ in range(5):
        member = chosen.choice(members)
        place = member.header_offset + 30 + len(member.filename) + 20 + chosen.randrange(100, member.compress_size - 20)
        damaged = bytearray(content)
        damaged[place] ^= 255
        (tmp_path / "damaged.zip").write_bytes(damaged)
        assert not verify_archive(tmp_path / "damaged.zip").passed
    (tmp_path / "cut.zip").write_bytes(content[: len(content) // 2])
    assert verify_archive(tmp_path / "cut.zip").findings[0].what == "changed"


@pytest.mark.parametrize("name", ["../outside.txt", "/outside.txt", "a/../../outside.txt"])
def test_no_member_is_written_outside(tmp_path, name):
    with zipfile.ZipFile(tmp_path / "bad.zip", "w") as archive:
        archive.writestr(name, "gotcha")
    (finding,) = verify_archive(tmp_path / "bad.zip").findings
    assert "outside the folder" in finding.detail
    assert not list(tmp_path.rglob("outside.txt"))


def test_models_can_be_left_out_and_the_manifest_says_so(small, tmp_path, capsys):
    out = tmp_path / "light.zip"
    assert main(["archive", str(small), str(out), "--without-models", "--date", DAY]) == 0
    assert "sha256" in capsys.readouterr().out
    report = verify_archive(out)
    assert report.passed
    models = len(list(small.rglob("*.safetensors")))
    assert f"not checked: {models} files that this copy leaves out, as its manifest says" in report.notes
    with zipfile.ZipFile(out) as archive:
        assert not [name for name in archive.namelist() if name.endswith(".safetensors")]
        archive.extractall(tmp_path / "light")
    results = tmp_path / "light/results/smoke"
    assert report.digest == verify(small).digest
    assert read_manifest(results) == read_manifest(small)
    manifest = json.loads((results / MANIFEST).read_text())
    assert len(manifest["left_out"]) == models
    (results / MANIFEST).write_text((results / MANIFEST).read_text().replace("generator.safe", "generator.sale", 1))
    assert (MANIFEST, "changed") in {(each.file, each.what) for each in verify(results).findings}


def test_results_that_do_not_verify_are_not_packed(small, tmp_path):
    (small / "claims.md").unlink()
    with pytest.raises(UserError, match=r"claims.md is missing"):
        write_archive(small, tmp_path / "out.zip", published=DAY)
    write_manifest(small)
    with pytest.raises(UserError, match=r"claims.md is missing: the grid asks for it"):
        write_archive(small, tmp_path / "out.zip", published=DAY)
    assert not (tmp_path / "out.zip").exists()


def test_a_date_must_be_one(small, tmp_path):
    with pytest.raises(UserError, match="--date yesterday is no date"):
        write_archive(small, tmp_path / "out.zip", published="yesterday")


def test_own_pieces_go_along_and_are_found_again(small, tmp_path, monkeypatch):
    """A project whose configuration names a file of the user's own, outside of it."""
    own = tmp_path / "mine.py"
    own.write_text(
        "from wgpipe.methods.wgan import Wgan\nfrom wgpipe.registry import register\n\n\n"
        '@register("mine-for-the-archive")\nclass Mine(Wgan):\n    """Mine."""\n'
    )
    resolved = small / "config/resolved.json"
    content = json.loads(resolved.read_text())
    content["config"]["methods"] = {"mine-for-the-archive": str(own)}
    resolved.write_text(json.dumps(content))
    write_manifest(small)
    write_archive(small, tmp_path / "own.zip", published=DAY)
    own.unlink()
    monkeypatch.chdir(tmp_path)
    shutil.rmtree(tmp_path / "project")
    report = verify_archive(tmp_path / "own.zip")
    assert report.passed
    assert not any("not checked" in note for note in report.notes)

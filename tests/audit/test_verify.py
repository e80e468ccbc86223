import json
import random
import shutil
from pathlib import Path

import pytest

from tests.audit.conftest import RESULTS, RUN
from wgpipe.audit.manifest import MANIFEST, Finding, held, read_manifest, write_manifest
from wgpipe.audit.verify import verify
from wgpipe.cli import main
from wgpipe.train import files

TABLE = "measures/surface-2in8/wgan-lp.parquet"


def named(report):
    """File and problem of each finding."""
    return {(finding.file, finding.what) for finding in report.findings}


def edit_json(file, **entries):
    file.write_text(json.dumps({**json.loads(file.read_text()), **entries}))


def test_a_fresh_run_has_nothing_to_report_and_every_file_is_one_that_the_grid_asks_for(small, audit):
    report = verify(small)
    assert (report.findings, report.notes) == ([], [])
    assert len(report.checks) == 6
    assert set(report.checks.values()) == {0}
    assert report.files == len(read_manifest(small)) > 60
    assert audit("verify", small)[0] == 0


def test_any_flipped_byte_of_any_file_is_found_and_named(small):
    """Every file once, at a random place; bytes of a manifest at many places."""
    chosen = random.Random(0)
    names = [*held(small), *[MANIFEST] * 20]
    for name in names:
        file = small / name
        content = file.read_bytes()
        place = chosen.randrange(len(content))
        flipped = bytearray(content)
        flipped[place] ^= chosen.randrange(1, 256)
        file.write_bytes(flipped)
        try:
            whole = name in (MANIFEST, "config/resolved.json")
            findings = named(verify(small)) if whole else quick(small, name)
            assert (name, "changed") in findings, (name, place)
        finally:
            file.write_bytes(content)


def quick(folder: Path, name: str):
    """What the bytes alone say: the whole check for every file would take minutes."""
    from wgpipe.audit.manifest import differences, sha256

    found = {listed: entry["sha256"] for listed, entry in read_manifest(folder).items()}
    return {(each.file, each.what) for each in differences(folder, {**found, name: sha256(folder / name)})}


@pytest.mark.parametrize(
    "name",
    [
        f"{RUN}/n16/run.json",
        f"{RUN}/bundle.json",
        f"{RUN}/n16/generator.safetensors",
        TABLE,
        "measures/surface-2in8/wgan-lp.json",
        "data/surface-2in8/data.npz",
        "data/surface-2in8/card.json",
        "studies/vanilla_rates/study.json",
        "studies/vanilla_rates/rates.csv",
        "claims.html",
    ],
)
def test_the_whole_check_survives_damage_and_names_the_file(small, name):
    chosen = random.Random(1)
    content = (small / name).read_bytes()
    for damage in (b"", content[: len(content) // 2], b"[]", b"{}", b"null"):
        (small / name).write_bytes(damage)
        assert (name, "changed") in named(verify(small))
    for _ in range(4):
        place = chosen.randrange(len(content))
        (small / name).write_bytes(content[:place] + bytes([content[place] ^ 255]) + content[place + 1 :])
        assert (name, "changed") in named(verify(small))


@pytest.mark.parametrize("damage", [b"", b"{}", b"[]", b'{"config": []}', b'{"config": {}}', b"\xff"])
def test_an_unreadable_configuration_is_named_and_what_was_not_checked_is_said(small, damage):
    (small / "config/resolved.json").write_bytes(damage)
    report = verify(small)
    assert ("config/resolved.json", "changed") in named(report)
    assert any(note.startswith("not checked: completeness") for note in report.notes)


def test_what_the_grid_asks_for_is_missed_even_if_the_manifest_was_written_without_it(small):
    lost = [f"{RUN}/n16/history.parquet", TABLE, "studies/vanilla_rates/rates.csv", "ranking/ranking.csv"]
    for name in lost:
        (small / name).unlink()
    write_manifest(small)
    assert named(verify(small)) == {(name, "missing") for name in lost}


def test_what_no_rule_makes_is_an_orphan_even_if_the_manifest_lists_it_and_can_be_pruned(small, audit):
    shutil.copytree(small / RUN, small / "runs/surface-2in8/wgan-lp/s2-3")
    (small / "studies/vanilla_rates/better.csv").write_text("")
    part = next((small / RUN / "n16/metrics").iterdir())
    content = json.loads(part.read_text())
    content["identity"]["settings"]["real"] = 64
    part.with_name("w1-00000000.json").write_text(json.dumps(content))
    write_manifest(small)
    found = named(verify(small))
    assert {what for _, what in found} == {"an orphan"}
    names = {name for name, _ in found}
    assert audit("prune", small)[1].splitlines()[:-1] == sorted(names)
    assert named(verify(small)) == found
    assert audit("prune", small, "--delete")[0] == 0
    assert verify(small).passed
    assert {"studies/vanilla_rates/better.csv", f"{RUN}/n16/metrics/w1-00000000.json"} <= names
    assert "runs/surface-2in8/wgan-lp/s2-3/n16/run.json" in names


def test_a_model_that_was_exchanged_with_its_line_in_the_manifest_contradicts_what_was_measured(small):
    other, model = (small / RUN / n / files.GENERATOR for n in ("n32", "n16"))
    shutil.copy(other, model)
    write_manifest(small)
    assert named(verify(small)) == {(f"{RUN}/n16/{files.GENERATOR}", "inconsistent")}


def test_records_that_contradict_each_other_are_named(small):
    edit_json(small / RUN / "n16/run.json", status={"0": "ok", "1": "diverged"})
    edit_json(small / "runs/surface-2in8/vanilla-lp/s0-1/n16/run.json", settings="0" * 64, seeds=[4, 5])
    write_manifest(small)
    other = "runs/surface-2in8/vanilla-lp/s0-1"
    assert {(f"{RUN}/bundle.json", "inconsistent"), (f"{other}/n16/run.json", "inconsistent")} <= named(verify(small))
    details = {finding.file: finding.detail for finding in verify(small).findings}
    assert details[f"{RUN}/bundle.json"] == f"it has another sha256 for {RUN}/n16/run.json"


def test_a_changed_number_in_a_table_of_measures_is_not_what_was_measured(small):
    import pandas as pd

    table = pd.read_parquet(small / TABLE)
    table.loc[3, "value"] *= 0.9
    table.to_parquet(small / TABLE, index=False)
    write_manifest(small)
    (finding,) = verify(small).findings
    assert (finding.file, finding.what) == (TABLE, "inconsistent")
    assert f"{table.loc[3, 'metric']} at n={table.loc[3, 'n']}, seed {table.loc[3, 'seed']}" in finding.detail


def test_other_code_fails_in_its_own_project_and_is_a_note_elsewhere(small, tmp_path, audit):
    edit_json(small / "studies/vanilla_rates/study.json", code="1234567890abcdef")
    write_manifest(small)
    (finding,) = verify(small).findings
    assert (finding.file, finding.what) == ("studies/vanilla_rates/study.json", "of other code")
    assert "made by 1234567890abcdef, present " in finding.detail
    shutil.copytree(Path.cwd(), tmp_path / "elsewhere")
    copied = tmp_path / "elsewhere" / RESULTS
    report = verify(copied)
    assert report.passed
    assert report.notes[0].startswith("other code: 1 records")
    assert audit("verify", copied, "--code", "fail")[0] == 1
    assert audit("verify", small, "--code", "note")[0] == 0


def test_other_data_is_named(small):
    from wgpipe.data import dataset
    from wgpipe.data.prepared import load, save

    folder = small / "data/surface-2in8"
    _, arrays = load(folder)
    save(folder, dataset("surface-2in8"), {name: array * 1.5 for name, array in arrays.items()})
    write_manifest(small)
    found = named(verify(small))
    assert {what for _, what in found} == {"of other data"}
    assert (f"{RUN}/n16/run.json", "of other data") in found


def test_the_digest_written_down_elsewhere_finds_a_manifest_that_was_written_anew(small, audit):
    before = verify(small).digest
    assert audit("verify", small, "--digest", before)[0] == 0
    (small / "claims.md").write_text("All claims are supported.\n")
    write_manifest(small)
    assert verify(small).passed
    code, said = audit("verify", small, "--digest", before)
    assert code == 1
    assert f"not {before}" in said


def test_a_page_and_json_say_the_same(small, audit, tmp_path):
    (small / "claims.md").unlink()
    code, said = audit("verify", small, "--json", "--html", tmp_path / "page.html")
    content = json.loads(said)
    assert code == 1
    assert not content["passed"]
    assert [finding["file"] for finding in content["findings"]] == ["claims.md"]
    assert list(content["checks"].values()) == [1, 0, 1, 0, 0, 0], "the manifest and the grid miss it"
    page = (tmp_path / "page.html").read_text()
    assert "claims.md" in page
    assert all(check in page for check in content["checks"])
    assert content["digest"] in page


def test_a_reference_of_tables_alone_verifies_and_says_what_was_not_checked(small, tmp_path, capsys):
    assert main(["audit", "reference", str(small), str(tmp_path / "reference")]) == 0
    report = verify(tmp_path / "reference")
    assert report.passed
    assert "not checked: completeness, orphans, records and code" in report.notes[0]
    assert list(report.checks.values()) == [0, 0, None, None, None, None]
    (tmp_path / "reference/claims.csv").write_text("")
    assert verify(tmp_path / "reference").findings == [Finding("claims.csv", "changed")]

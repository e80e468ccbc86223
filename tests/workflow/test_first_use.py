"""Data without a published checksum: what they were on first use outlives what Snakemake deletes."""

from __future__ import annotations

import hashlib

from tests.conftest import edit_yaml
from tests.workflow.conftest import STUDY, Pipeline

RECORD = "results/downloads/lsun_bedroom.json"


def test_a_forced_rerun_refuses_other_data_than_before(pipeline: Pipeline) -> None:
    grid = [{"datasets": ["lsun_bedroom-64x64-4"], "recipes": ["wgan-lp"], "n": [4]}]
    edit_yaml(pipeline.folder / STUDY, "scales", "smoke", "grid", value=grid)
    edit_yaml(pipeline.folder / "config/smoke.yaml", "placed", value=str(pipeline.folder / "by_hand"))
    archive = pipeline.folder / "by_hand" / "lsun_bedroom.zip"
    archive.parent.mkdir()
    digests = []
    for content in (b"old", b"new"):
        archive.write_bytes(content)
        digests.append(hashlib.sha256(content).hexdigest())
        output = pipeline.snakemake(RECORD, "--forcerun", "fetch", "--retries", "0", check=content == b"old")
        assert (pipeline.folder / RECORD).exists() == (content == b"old"), output
    [sentence] = {line for line in output.splitlines() if "on first use" in line}
    assert all(digest in sentence for digest in digests)

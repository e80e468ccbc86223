"""What rules ask for is what Slurm reserves."""

from __future__ import annotations

import re
from pathlib import Path

from tests.slurm.cluster import GPU_NODE, Cluster
from tests.slurm.conftest import STUDY, Project, only_full


@only_full
def test_resources_reach_slurm_and_gpus_only_who_asks(project: Project, cluster: Cluster) -> None:
    project.edit(STUDY, "scales", "smoke", "gpu", value=["wgan-lp"])
    asked = planned_resources(project.snakemake("--dry-run"))
    assert {rule for rule, wanted in asked.items() if "gpu" in wanted} == {"train_gpu"}
    run = project.start()
    job = cluster.job(project.running_job())
    assert job["TresPerJob"] == "gres:gpu:1"
    assert job["NodeList"] == GPU_NODE
    (training,) = cluster.processes(r"/wgpipe train")
    assert b"CUDA_VISIBLE_DEVICES=0" in Path(f"/proc/{training}/environ").read_bytes().split(b"\0")
    assert run.end() == 0, run.said
    project.verify()
    for job in project.jobs():
        rule = re.sub(r"^rule_(\w+?)(-\d+)?(_.*)?$", r"\1", job["Comment"])
        rule = {"train": "train_gpu", "study": "study_vanilla_rates"}.get(rule, rule)
        wanted = asked.pop(rule)
        assert job["MinMemoryNode"] in (f"{wanted['mem_mb']}M", f"{wanted['mem_mb'] / 1024:g}G")
        assert minutes(job["TimeLimit"]) == wanted["runtime"]
        assert job["NumCPUs"] == "1"
        assert job["JobName"].startswith("wgpipe_project_")
        assert ("TresPerJob" in job) == (rule == "train_gpu")
    assert not asked.keys() - {"claims", "ranking", "manifest", "all"}


def planned_resources(dry_run: str) -> dict[str, dict[str, int]]:
    """Of each rule, which has one job."""
    found: dict[str, dict[str, int]] = {}
    rule = ""
    for line in dry_run.splitlines():
        if match := re.fullmatch(r" *(?:local)?rule (\w+):", line):
            rule = match[1]
            found[rule] = {}
        elif match := re.fullmatch(r" +resources: (.*)", line):
            found[rule] = {name: int(value) for name, value in re.findall(r"(\w+)=(\d+)", match[1])}
    return found


def minutes(limit: str) -> int:
    """Of `[days-]hours:minutes:seconds`."""
    days, _, clock = limit.rpartition("-")
    hours, rest, _ = map(int, clock.split(":"))
    return 60 * (24 * int(days or 0) + hours) + rest

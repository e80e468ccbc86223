"""`python -m bench.submissions OUT …`: what `snakemake … -n` would submit, by the plugin's own command.

One entry a submission or local job: rules, wildcards and the calls of sbatch ("" for local ones).
"""

from __future__ import annotations

import json
import resource
import sys
from pathlib import Path
from typing import Any

from snakemake import cli
from snakemake.scheduling.job_scheduler import JobScheduler
from snakemake_executor_plugin_slurm.submit_string import get_submit_command
from snakemake_executor_plugin_slurm.utils import set_gres_string

from wgpipe.memory import peak_mb

CALL = {"run_uuid": "wgpipe", "slurm_logfile": "%j.log", "comment_str": "", "account": "", "workdir": ""}


def facts(job: Any) -> dict[str, Any]:
    """Of one submission, or one local job; `call` is that of the first attempt, `again` that of the second."""
    members = list(job.jobs) if job.is_group() else [job]
    rules = [member.rule for member in members]
    local = any(rule.name in rule.workflow._localrules for rule in rules)
    return {
        "group": job.groupid if job.is_group() else None,
        "rules": sorted(rule.name for rule in rules),
        "wildcards": [dict(member.wildcards_dict) for member in members],
        "call": "" if local else call(job, 1),
        "again": "" if local else call(job, 2),
    }


def call(job: Any, attempt: int) -> str:
    """How an attempt is submitted, as the executor plugin puts it together."""
    job.attempt = attempt
    queue = job.resources.get("slurm_partition")
    partition = f"-p {queue}" if queue else ""
    submitted: str = get_submit_command(job, {**CALL, "partition": partition}) + set_gres_string(job)
    job.attempt = 1
    return submitted


def main(out: Path, arguments: list[str]) -> None:
    """Build the DAG, and write what would be done, the peak of memory in MB and the CPU seconds that it took."""

    def schedule(scheduler: Any) -> bool:
        dag, cost = scheduler.workflow.dag, costs()
        needed = dict.fromkeys(dag.get_job_group(job) or job for job in dag.needrun_jobs())
        write([facts(job) for job in needed], cost)
        return True

    def write(jobs: list[dict[str, Any]], cost: dict[str, float]) -> None:
        out.write_text(json.dumps({"jobs": jobs, **cost}), encoding="utf-8")

    JobScheduler.schedule = schedule
    out.unlink(missing_ok=True)
    try:
        cli.main(arguments)
    except SystemExit as end:
        if end.code == 0 and not out.exists():  # there is nothing to do
            write([], costs())
        raise


def costs() -> dict[str, float]:
    """Of this process, until now."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return {"peak_mb": peak_mb(), "seconds": used.ru_utime + used.ru_stime}


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])

"""`snakemake --profile slurm` on real daemons, disturbed: it ends by itself, with the results of a run that was not."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.slurm.cluster import Cluster, with_limit
from tests.slurm.conftest import PROFILE, TRAINED, Project, only_full


@pytest.fixture
def unharmed(project: Project, undisturbed: Project) -> Iterator[None]:
    """After the test, results are those of the undisturbed run, to the byte, and nothing is left in the queue."""
    yield
    assert project.manifest == undisturbed.manifest
    project.verify()
    assert not project.cluster.run("squeue", "--noheader")


@pytest.fixture(params=["results", "."], ids=["of results", "of everything"])
def small_disk(project: Project, request: pytest.FixtureRequest) -> Iterator[Path]:
    """The folder of results, or that of the project, on a disk of its own."""
    folder = project.folder / request.param
    moved = folder.rename(folder.parent / "moved")
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("only root may mount a small disk")
    try:
        shutil.copytree(moved, folder, dirs_exist_ok=True, symlinks=True)
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.mark.usefixtures("unharmed")
def test_a_cancelled_job_is_tried_again_from_its_checkpoint(project: Project, cluster: Cluster) -> None:
    run = project.start()
    job = project.running_job()
    cluster.run("scancel", job)
    assert run.end() == 0, run.said
    assert "resumed from step" in project.training_log()
    assert f"Slurm job {job} " in run.said
    assert "was cancelled from outside; it is tried again, attempt 2." in run.said


@pytest.mark.usefixtures("unharmed")
def test_jobs_of_a_killed_snakemake_end_before_others_start(project: Project, cluster: Cluster) -> None:
    first = project.start()
    job = project.running_job()
    with project.held():
        assert "locked" in project.snakemake(code=1)
        first.kill()
        project.snakemake("--unlock")
        assert cluster.job(job)["JobState"] == "RUNNING"
        second = project.start()
        told = "An earlier Snakemake ended without its Slurm jobs, which still write into this folder (1 of them)"
        assert with_limit(lambda: told in second.said, seconds=300), second.said
    assert second.end() == 0, second.said
    assert cluster.job(job)["JobState"] == "CANCELLED"
    assert "resumed from step" in project.training_log()


@only_full
@pytest.mark.usefixtures("unharmed")
def test_two_in_one_folder_do_not_disturb_each_other(project: Project, cluster: Cluster) -> None:
    first = project.start()
    job = project.running_job()
    with project.held():
        assert "locked" in project.snakemake(code=1)
        cluster.run("scontrol", "requeue", job, check=False)  # which the profile forbids
        assert cluster.job(job)["JobState"] == "RUNNING"
    assert first.end() == 0, first.said
    assert cluster.job(job)["JobState"] == "COMPLETED"
    assert "resumed" not in project.training_log()


@only_full
@pytest.mark.usefixtures("unharmed")
def test_a_node_that_dies_and_comes_back(project: Project, cluster: Cluster) -> None:
    run = project.start()
    job = project.running_job()
    node = cluster.job(job)["NodeList"]
    cluster.kill_node(node)
    assert with_limit(lambda: cluster.job(job)["JobState"] == "NODE_FAIL", seconds=300)
    cluster.start_node(node)
    assert run.end() == 0, run.said
    assert "ended because its node failed; it is tried again, attempt 2." in run.said
    assert "resumed from step" in project.training_log()
    assert with_limit(cluster.idle, seconds=30)


@only_full
@pytest.mark.usefixtures("unharmed")
def test_a_job_that_gives_way_to_another_goes_on_later(project: Project, cluster: Cluster) -> None:
    run = project.start()
    node = cluster.job(project.running_job())["NodeList"]
    urgent = ["--partition=urgent", f"--nodelist={node}", "--exclusive", "--mem=0", "--output=/dev/null"]
    cluster.run("sbatch", *urgent, "--wrap", "sleep 5")
    assert run.end() == 0, run.said
    assert "gave way to a job of higher priority; it is tried again, attempt 2." in run.said
    assert "resumed from step" in project.training_log()
    assert with_limit(cluster.idle, seconds=30)


@only_full
@pytest.mark.usefixtures("unharmed")
def test_training_that_reaches_its_time_limit_goes_on_where_it_was(project: Project, cluster: Cluster) -> None:
    run = project.start()
    job = project.running_job()
    cluster.run("scontrol", "update", f"JobId={job}", "TimeLimit=1")
    with project.held():
        assert with_limit(lambda: cluster.job(job)["JobState"] != "RUNNING", seconds=300)
    assert run.end() == 0, run.said
    assert "reached its time limit of" in run.said
    assert "resumed from step" in project.training_log()


@only_full
@pytest.mark.usefixtures("unharmed")
def test_a_controller_that_is_down_for_a_minute(project: Project, cluster: Cluster) -> None:
    run = project.start()
    project.running_job()
    cluster.stop_controller()
    assert not with_limit(lambda: run.process.poll() is not None, seconds=60), run.said
    cluster.start_controller()
    assert run.end() == 0, run.said
    assert "Slurm's controller does not answer; its jobs go on" in run.said
    assert "Slurm's controller answers again." in run.said
    assert "resumed" not in project.training_log()


@only_full
@pytest.mark.usefixtures("unharmed")
def test_a_requeue_by_slurm_uses_up_no_attempt(project: Project, cluster: Cluster) -> None:
    profile = project.folder / PROFILE
    profile.write_text(profile.read_text().replace("slurm-no-requeue", "slurm-requeue"))
    run = project.start()
    job = project.running_job()
    cluster.run("scontrol", "requeue", job)
    assert with_limit(lambda: cluster.job(job)["JobState"] == "PENDING", seconds=60)
    cluster.run("scontrol", "update", f"JobId={job}", "StartTime=now")  # else it waits for two minutes
    assert run.end() == 0, run.said
    assert "tried again" not in run.said
    assert cluster.job(job)["Restarts"] == "1"
    assert cluster.job(job)["JobState"] == "COMPLETED"
    assert "resumed from step" in project.training_log()


@only_full
@pytest.mark.usefixtures("unharmed")
def test_a_job_without_memory_gets_more(project: Project, cluster: Cluster) -> None:
    project.edit(PROFILE, "set-resources", value={"train": {"mem_mb": "300 * 2 ** (2 * attempt - 2)"}})
    said = project.snakemake()
    assert "needed more memory than the 300 MB it had asked for; it is tried again, attempt 2." in said


@only_full
@pytest.mark.usefixtures("unharmed")
def test_a_job_that_always_fails_stops_no_other_of_its_submission(project: Project) -> None:
    bundles = project.folder / TRAINED.parents[1]
    shutil.rmtree(bundles)
    block, other = (bundles / control / TRAINED.name / "n16" for control in ("empirical", "oracle"))
    block.parent.mkdir(parents=True)
    block.touch()  # where a folder should be
    said = project.snakemake(code=1)
    assert "(2 jobs of train) failed; no attempt is left after 3." in said
    assert (other / "run.json").is_file()
    block.unlink()
    project.snakemake()
    assert "kept" in (other.parent / "train.log").read_text()


@only_full
def test_a_full_disk_stops_the_run_and_loses_nothing(project: Project, small_disk: Path, unharmed: None) -> None:
    of_everything = small_disk == project.folder
    run = project.start()
    project.running_job()
    filler = small_disk / "filler"
    with suppress(OSError), filler.open("wb") as file:
        while True:
            file.write(bytes(4096))
    assert run.end() == 1
    assert "failed: the disk of its results is full (0 MB are free)" in run.said
    assert "Traceback" not in run.said or not of_everything
    again = project.snakemake(code=1)
    if of_everything:
        assert f"The disk of {project.folder} is full: make room, and start again." in again
    else:
        assert "failed: the disk of its results is full (0 MB are free); it is tried again, attempt 2." in again
        assert "(0 MB are free); no attempt is left after 3." in again
    filler.unlink()
    project.snakemake()
    assert "resumed from step" in project.training_log()

"""What jobs ask a cluster for grows with what they are predicted to need, and small ones share submissions."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

from tests.conftest import ROOT, edit_yaml
from wgpipe import plan
from wgpipe.cluster import JOB_SECONDS, KINDS, LEAST_SECONDS, NESTED_MB, SIZES, SMALL_MB, Cluster, Job
from wgpipe.errors import UserError
from wgpipe.grid import Grid
from wgpipe.resolve import resolve
from wgpipe.submissions import Submissions, components_of

STUDY = Path("config/studies/vanilla_rates.yaml")
CONFIG, SMOKE = Path("config/config.yaml"), Path("config/smoke.yaml")
PROFILE = ROOT / "profiles" / "slurm"


def cluster(of: Mapping[str, int] | None = None, **scale: Any) -> Cluster:
    """Of one study at the smoke scale, with this in place of what that says; groups of so many jobs, or as shipped."""
    components = components_of(PROFILE) if of is None else of
    edit_yaml(CONFIG, "studies", value=[STUDY.stem])
    edit_yaml(STUDY, "scales", "smoke", "training", value={"steps": 20, "batch": 32})
    for key, value in scale.items():
        edit_yaml(STUDY, "scales", "smoke", key, value=value)
    return Cluster(Grid(resolve([CONFIG, SMOKE], {})), lambda: components)


def bundle(recipe: str = "wgan-lp") -> SimpleNamespace:
    return SimpleNamespace(dataset="surface-2in8", recipe=recipe, seeds="0-1")


def size(asked: Cluster, job: Job) -> int:
    return asked.components.get(str(asked.group_of(job)), 1)


def small(kind: str = "train", seconds: float = 2.0, **more: Any) -> Job:
    return Job(kind, seconds, 500, **more)


def test_a_job_asks_for_what_is_predicted_with_a_margin_and_for_twice_as_much_at_each_attempt(project: Path) -> None:
    asked = cluster(training={"steps": 10**6, "batch": 128})
    job = asked.job("train", ("surface-2in8", "wgan-lp", "0-1"))
    memory, minutes = asked.memory("train"), asked.minutes("train")
    assert asked.group_of(job) is None
    assert memory(bundle(), 1) == math.ceil(plan.MEMORY_MARGIN * job.megabytes + NESTED_MB)
    assert plan.MARGIN * job.seconds / 60 < minutes(bundle(), 1) < plan.MARGIN * job.seconds / 60 + 10
    for ask in (memory, minutes):
        assert [ask(bundle(), attempt) for attempt in (2, 3)] == [2 * ask(bundle(), 1), 4 * ask(bundle(), 1)]


def test_every_rule_that_a_cluster_runs_asks_for_memory_and_time(project: Path) -> None:
    asked = cluster()
    given = {"prepare": bundle(), "train": bundle(), "measure": bundle()}
    for rule, wildcards in given.items():
        assert asked.memory(rule)(wildcards, 1) > NESTED_MB
        assert asked.minutes(rule)(wildcards, 1) >= 1
    assert asked.memory("study", STUDY.stem)(SimpleNamespace(), 1) > NESTED_MB


@pytest.mark.parametrize("seconds", [0.9, 1, 3, 10, 60, 290, 310, 4000])
def test_a_full_submission_of_small_jobs_lasts_five_minutes_at_least(project: Path, seconds: float) -> None:
    asked = cluster()
    share = size(asked, small(seconds=seconds))
    assert share in (1, *SIZES)
    assert share * (seconds + JOB_SECONDS) >= LEAST_SECONDS
    if share > 1:
        smaller = max(fewer for fewer in (1, *SIZES) if fewer < share)
        assert smaller * seconds < LEAST_SECONDS, "no larger than it must be"


def test_jobs_on_a_gpu_and_large_ones_are_submitted_alone(project: Path) -> None:
    asked = cluster()
    assert asked.group_of(small()) == "train-256"
    assert asked.group_of(small(gpu=True)) is None
    assert asked.group_of(Job("train", 2.0, SMALL_MB + 1)) is None


def test_where_there_are_very_many_jobs_more_of_them_are_put_together(project: Path) -> None:
    few, many = cluster(), cluster()
    many.jobs = [small(seconds=400)] * 12_500
    assert size(few, small(seconds=400)) == 1
    assert 12_500 / size(many, small(seconds=400)) < 2000


def test_of_a_grid_that_is_planned_in_parts_one_part_counts(project: Path) -> None:
    whole, tenth = cluster(), cluster()
    for asked, parts in ((whole, 1), (tenth, 10)):
        asked.jobs, asked.parts = [small(seconds=1)] * 100_000, parts
    assert size(whole, small(seconds=1)) == 16
    assert size(tenth, small(seconds=1)) == 64
    last = tenth.minutes("train")(bundle(), 1)
    assert last >= whole.minutes("train")(bundle(), 1)


def test_time_for_the_start_is_there_whether_a_group_is_full_or_not(project: Path) -> None:
    for count in (1, 5, 256, 257, 300):
        asked = cluster()
        jobs = [asked.job("train", ("surface-2in8", "wgan-lp", "0-1"))] * count
        asked.jobs = jobs
        share = size(asked, jobs[0])
        last = count % share or share
        assert last * asked.minutes("train")(bundle(), 1) >= (5 if count <= share else 2)


def test_every_group_stands_in_the_profile_with_the_size_in_its_name() -> None:
    components = components_of(PROFILE)
    expected = {f"{kind}-{size}": size for kind in KINDS if kind != "study" for size in SIZES}
    assert components == {**expected, f"study-{SIZES[-1]}": SIZES[-1]}


def test_only_recipes_that_ask_for_a_gpu_match_its_rule(project: Path) -> None:
    assert not re.fullmatch(cluster().gpu_recipes(), "wgan-lp")
    asked = cluster(gpu=["wgan-lp"])
    assert re.fullmatch(asked.gpu_recipes(), "wgan-lp")
    assert not re.fullmatch(asked.gpu_recipes(), "wgan-lp_2d")
    assert asked.job("train", ("surface-2in8", "wgan-lp", "0-1")).gpu
    assert not asked.job("train", ("surface-2in8", "vanilla-lp", "0-1")).gpu


def test_asking_for_a_gpu_is_no_part_of_a_recipe(project: Path) -> None:
    assert cluster().grid.recipes == cluster(gpu=["wgan-lp"]).grid.recipes


def test_an_unknown_recipe_that_would_ask_for_a_gpu_is_refused(project: Path) -> None:
    with pytest.raises(UserError, match=r"scales\.smoke\.gpu: recipe 'wgan-pl' is unknown"):
        cluster(gpu=["wgan-pl"])


def test_submissions_are_counted_with_the_last_ones_that_are_not_full(project: Path) -> None:
    asked = cluster(of={})
    pairs = len(asked.grid.pairs())
    alone = Submissions(asked).summary()["submissions"]
    assert alone["train"] == len(asked.grid.bundles)
    by_three = Submissions(cluster(of={f"measure-{size}": 3 for size in SIZES})).summary()["submissions"]
    assert math.ceil(pairs / 3) <= by_three["measure"] <= math.ceil(pairs / 3) + 1
    assert alone["all"] == sum(count for kind, count in alone.items() if kind != "all")


def test_the_longest_chain_goes_through_every_kind_that_a_long_training_waits_for(project: Path) -> None:
    asked = cluster(of={}, training={"steps": 10**6})
    chain = Submissions(asked).longest_chain()
    longest = max(job.seconds for job in asked.jobs if job.kind == "train")
    assert [kind for kind, _ in chain.parts] == ["prepare", "train", "measure", "study"]
    assert dict(chain.parts)["train"] == longest
    assert chain.seconds == pytest.approx(sum(seconds for _, seconds in chain.parts))


def test_a_map_waits_for_the_generators_that_it_is_trained_on(project: Path) -> None:
    edit_yaml(CONFIG, "studies", value=["convex_potentials"])
    edit_yaml(Path("config/studies/convex_potentials.yaml"), "scales", "smoke", "training", value={"steps": 10**6})
    asked = Cluster(Grid(resolve([CONFIG, SMOKE], {})))
    chain = Submissions(asked).longest_chain()
    assert [kind for kind, _ in chain.parts] == ["prepare", "train", "maps", "measure", "study"]


def test_work_for_a_gpu_is_counted_and_no_part_of_the_chain(project: Path) -> None:
    grid = [{"datasets": ["surface-2in8"], "recipes": ["wgan-lp"], "n": [32]}]
    asked = cluster(training={"steps": 10**6}, gpu=["wgan-lp"], grid=grid)
    summary = Submissions(asked).summary()
    (on_gpu,) = [job for job in asked.jobs if job.gpu]
    assert summary["gpu"] == {"jobs": 1, "core_hours": round(on_gpu.seconds / 3600, 3)}
    assert summary["longest_chain_hours"]["all"] < on_gpu.seconds / 3600


def test_a_profile_that_submits_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="there is no"):
        components_of(tmp_path)
    with pytest.raises(UserError, match="'executor' is missing"):
        components_of(ROOT / "profiles" / "local")


def test_the_local_profile_limits_neither_memory_nor_time() -> None:
    local = yaml.safe_load((ROOT / "profiles" / "local" / "profile.v9+.yaml").read_text())
    assert not {"resources", "default-resources", "group-components"} & set(local)

"""What jobs ask a cluster for, and which small ones share a submission.

Small jobs of one kind that last about as long are submitted together and run one after another. Jobs of a kind never
depend on each other, and kinds come in a fixed order, so submissions cannot wait for each other in a circle.
"""

from __future__ import annotations

import functools
import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from wgpipe import plan
from wgpipe.grid import Bundle, Grid

Wildcards = Any
Key = tuple[str, ...]

WILDCARDS = {
    "prepare": ("dataset",),
    "classifier": ("dataset",),
    "features": ("dataset", "network"),
    "train": ("dataset", "recipe", "seeds"),
    "measure": ("dataset", "recipe"),
    "pictures": ("study", "dataset", "recipe"),
}
KINDS = ("prepare", "classifier", "features", "train", "maps", "measure", "pictures", "study")  # none needs a later one
SIZES = (4, 16, 64, 256)  # jobs of a submission
LEAST_SECONDS = 300.0  # that a submission should last
MOST_SECONDS = 4 * 3600.0  # that jobs are put together for, where there are many
SUBMISSIONS = 2000  # are many
SMALL_MB = 4000
CHECKS = 2_000_000  # jobs times the size of their submission, of which Snakemake checks a million in some two seconds
JOB_SECONDS = 0.3  # of Snakemake, for each of them
NESTED_MB = 400  # of the two Snakemakes around a job
NOTHING = "(?!)"  # a pattern that nothing matches
START_MINUTES = 5  # for these, on a slow file system
FEW = 3


@dataclass(frozen=True)
class Job:
    """What one job is predicted to need."""

    kind: str
    seconds: float
    megabytes: float
    gpu: bool = False


class Cluster:
    """The jobs of a grid: for each rule, functions of wildcards that Snakemake calls.

    `components` tells how many jobs of each group the profile submits together; those of other groups go alone. `parts`
    tells of how many parts of the grid Snakemake plans one. They are asked when they are first needed, since Snakemake
    knows only after it has read the rules.
    """

    def __init__(
        self, grid: Grid, components: Callable[[], Mapping[str, int]] = dict, parts: Callable[[], int] = lambda: 1
    ) -> None:
        self.grid = grid
        self._ask_parts = parts
        self._ask_components = components
        self._known: dict[tuple[str, Key], Job] = {}

    def memory(self, rule: str, *key: str) -> Callable[[Wildcards, int], int]:
        """MB to ask for, with a margin; twice as much at each further attempt. `key` names a job without wildcards."""

        def megabytes(wildcards: Wildcards, attempt: int) -> int:
            asked = plan.MEMORY_MARGIN * self._job(rule, key, wildcards).megabytes + NESTED_MB
            return _growing(asked, attempt)

        return megabytes

    def minutes(self, rule: str, *key: str) -> Callable[[Wildcards, int], int]:
        """Time to ask for, with a margin; likewise."""

        def runtime(wildcards: Wildcards, attempt: int) -> int:
            job = self._job(rule, key, wildcards)
            return _growing(self._start_minutes(job) + plan.MARGIN * job.seconds / 60, attempt)

        return runtime

    def group(self, rule: str, *key: str) -> Callable[[Wildcards], str | None]:
        """`train-16`: jobs of which 16 are submitted together; None: alone."""

        def group(wildcards: Wildcards) -> str | None:
            return self.group_of(self._job(rule, key, wildcards))

        return group

    def gpu_recipes(self) -> str:
        """A pattern of the recipes that ask for a GPU."""
        names = sorted({bundle.recipe for bundle in self.grid.bundles if self.grid.wants_gpu(bundle.recipe)})
        return "|".join(map(re.escape, names)) or NOTHING

    def group_of(self, job: Job) -> str | None:
        """The name of the group of a job; None: it is submitted alone."""
        group = f"{job.kind}-{_share(job, self._least, self._sizes)}"
        return group if self.components.get(group, 1) > 1 else None

    @functools.cached_property
    def components(self) -> Mapping[str, int]:
        """How many jobs of each group are submitted together."""
        return self._ask_components()

    @functools.cached_property
    def parts(self) -> int:
        """Of the grid, of which Snakemake plans one."""
        return self._ask_parts()

    @functools.cached_property
    def jobs(self) -> list[Job]:
        """All jobs that a cluster runs."""
        grid = self.grid
        networks = [(name, network) for name in grid.datasets for network in grid.networks(name)]
        trained = [key[:1] for key in networks if grid.networks(key[0])[key[1]].trained]
        drawn = [(study, *pair) for study in grid.resolved.studies for pair in grid.pictured(study)]
        keys: dict[str, Iterable[Key]] = {
            "prepare": [(name,) for name in grid.datasets],
            "classifier": trained,
            "features": networks,
            "train": [(bundle.dataset, bundle.recipe, bundle.slot) for bundle in grid.bundles],
            "measure": grid.pairs(),
            "pictures": drawn,
            "study": [(study,) for study in grid.resolved.studies],
        }
        return [self.job(rule, key) for rule, given in keys.items() for key in given]

    def job(self, rule: str, key: Key) -> Job:
        """One job, by its rule and its wildcards in the order of `WILDCARDS`."""
        known = self._known.get((rule, key))
        if known is None:
            known = self._known[rule, key] = self._predicted(rule, key)
        return known

    def _job(self, rule: str, key: Key, wildcards: Wildcards) -> Job:
        return self.job(rule, key or tuple(getattr(wildcards, name) for name in WILDCARDS[rule]))

    def _predicted(self, rule: str, key: Key) -> Job:
        grid = self.grid
        match rule:
            case "prepare":
                given = grid.datasets[key[0]]
                return Job(rule, plan.preparing_seconds(given), plan.preparing_mb(given))
            case "classifier":
                return Job(rule, plan.classifier_seconds(grid, key[0]), plan.classifier_mb(grid, key[0]))
            case "features":
                chosen, count = grid.networks(key[0])[key[1]], grid.references(*key)
                return Job(rule, plan.featuring_seconds(chosen, count), plan.featuring_mb(grid, key[0], count))
            case "train":
                first, last = map(int, key[2].split("-"))
                blocks = grid.bundles[Bundle(key[0], key[1], tuple(range(first, last + 1)))]
                recipe = grid.recipes[key[1]]
                kind = "maps" if recipe.on else "train"
                needs = plan.training_seconds(recipe, blocks), plan.training_mb(recipe, blocks)
                return Job(kind, *needs, gpu=grid.wants_gpu(key[1]))
            case "measure":
                return Job(rule, plan.measuring_seconds(grid, *key), plan.measuring_mb(grid, *key))
            case "pictures":
                return Job(rule, plan.drawing_seconds(grid, *key), plan.drawing_mb(grid, *key[1:]))
            case _:
                return Job(rule, plan.STUDY_SECONDS, plan.STUDY_MB)

    def _start_minutes(self, job: Job) -> float:
        """Of the start of a submission, what each of its jobs adds; the last of many submissions may have few."""
        group = self.group_of(job)
        if group is None:
            return START_MINUTES
        share, count = self.components[group], self._counts[group]
        if self.parts > 1:
            return START_MINUTES / FEW
        return START_MINUTES / (count if count <= share else max(count % share or share, FEW))

    @functools.cached_property
    def _counts(self) -> Counter[str | None]:
        """Jobs of each group."""
        return Counter(self.group_of(job) for job in self.jobs)

    @functools.cached_property
    def _least(self) -> float:
        """Seconds that a submission should last: more, where there would be too many submissions."""
        least, most = LEAST_SECONDS, SUBMISSIONS * self.parts
        while least < MOST_SECONDS and sum(1 / _share(job, least, self._sizes) for job in self.jobs) > most:
            least *= 2
        return least

    @functools.cached_property
    def _sizes(self) -> tuple[int, ...]:
        """Of submissions: not the largest where there are very many jobs."""
        count = len(self.jobs) / self.parts
        return tuple(size for size in SIZES if size == SIZES[0] or size * count <= CHECKS)


def _growing(asked: float, attempt: int) -> int:
    return int(2 ** (attempt - 1)) * math.ceil(asked)


def _share(job: Job, least: float, sizes: tuple[int, ...]) -> int:
    """How many such jobs last so long; 1 of those that are not small. All studies are one submission."""
    if job.kind == "study":
        return SIZES[-1]
    if job.gpu or job.megabytes > SMALL_MB or job.seconds >= least:
        return 1
    return next((size for size in sizes if size * (job.seconds + JOB_SECONDS) >= least), sizes[-1])

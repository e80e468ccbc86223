"""What a run of Snakemake has done, what it does now, and how long the rest will take."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import fmean

TARGET = "all"  # the rule that only names what to make: not a job that anybody waits for
PRIOR_SECONDS = {"fetch": 2.0, "prepare": 1.0, "train": 14.0, "measure": 42.0, "study": 40.0, "claims": 3.0}
OTHER_SECONDS = 10.0
LATE = 1.25  # a job that runs longer than its rule's mean is expected to take this multiple of its present age


@dataclass(frozen=True)
class Job:
    """One started job; `started` in seconds since the epoch, `log` a path or empty."""

    rule: str
    wildcards: Mapping[str, str]
    log: str
    started: float


@dataclass
class Run:
    """Jobs by rule, as the scheduler counted them at the start, and what became of them.

    `slots` is how many jobs may run at once; None where the scheduler gave no number.
    """

    counts: Mapping[str, int]
    started: float
    slots: int | None = None
    running: dict[int, Job] = field(default_factory=dict)
    failed: dict[int, Job] = field(default_factory=dict)
    durations: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    @classmethod
    def of(cls, stats: Mapping[str, int], started: float, slots: int | None) -> Run:
        """A run from Snakemake's job statistics, which also hold a total and the target rule."""
        counts = {rule: count for rule, count in stats.items() if rule not in ("total", TARGET)}
        return cls(counts, started, slots)

    @property
    def total(self) -> int:
        """Number of jobs of the whole run."""
        return sum(self.counts.values())

    @property
    def done(self) -> int:
        """Number of jobs that ended well."""
        return sum(map(len, self.durations.values()))

    def start(self, jobid: int, job: Job) -> None:
        """A job begins, perhaps once more after a failure."""
        self.failed.pop(jobid, None)
        if job.rule != TARGET:
            self.running[jobid] = job

    def finish(self, jobid: int, now: float) -> tuple[Job, float] | None:
        """The job that ended well and its seconds; None for one that was not seen to start."""
        job = self.running.pop(jobid, None)
        if job is None:
            return None
        seconds = max(0.0, now - job.started)
        self.durations[job.rule].append(seconds)
        return job, seconds

    def fail(self, jobid: int) -> None:
        """A job ended badly."""
        job = self.running.pop(jobid, None)
        if job is not None:
            self.failed[jobid] = job

    def oldest(self) -> Job | None:
        """The running job that began first."""
        return min(self.running.values(), key=lambda job: job.started, default=None)

    def expected(self, rule: str) -> float:
        """Seconds of a job of one rule: the mean of those seen in this run, or a prior before the first."""
        seen = self.durations.get(rule)
        return fmean(seen) if seen else prior_seconds(rule)

    def seconds_left(self, now: float) -> float:
        """Work that is left, divided by the jobs that can share it; never less than the longest job needs."""
        waiting = Counter(self.counts)
        waiting.subtract(job.rule for jobs in (self.running, self.failed) for job in jobs.values())
        waiting.subtract({rule: len(seen) for rule, seen in self.durations.items()})
        waiting = +waiting
        begun = [self._left_of(job, now) for job in self.running.values()]
        work = sum(count * self.expected(rule) for rule, count in waiting.items()) + sum(begun)
        sharing = min(self.slots or max(1, len(begun)), waiting.total() + len(begun))
        longest = max([*begun, *map(self.expected, waiting)], default=0.0)
        return max(work / max(1, sharing), longest)

    def _left_of(self, job: Job, now: float) -> float:
        age = max(0.0, now - job.started)
        return max(self.expected(job.rule), LATE * age) - age


def prior_seconds(rule: str) -> float:
    """Seconds of a job before any of its rule was seen; `study_<name>` is a study."""
    return PRIOR_SECONDS.get(rule.partition("_")[0], OTHER_SECONDS)

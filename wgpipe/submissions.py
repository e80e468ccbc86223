"""What a cluster would be given, for `wgpipe plan --profile`: submissions, their longest chain, and work for GPUs."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from dataclasses import replace
from pathlib import Path
from statistics import fmean
from typing import Any, NamedTuple

from wgpipe.cluster import JOB_SECONDS, KINDS, Cluster, Job, Key
from wgpipe.errors import UserError
from wgpipe.grid import Bundle
from wgpipe.settings import read_yaml

PROFILE = "profile.v9+.yaml"


class Chain(NamedTuple):
    """Submissions that wait for each other: seconds of all, and of each kind."""

    seconds: float
    parts: tuple[tuple[str, float], ...] = ()

    def then(self, kind: str, seconds: float) -> Chain:
        """With one more at its end."""
        return Chain(self.seconds + seconds, (*self.parts, (kind, seconds)))


class Submissions:
    """The submissions of a cluster's jobs."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster, self.grid = cluster, cluster.grid
        self.jobs = cluster.jobs
        groups: dict[tuple[str, str], list[float]] = defaultdict(list)
        self.counts: Counter[str] = Counter()
        for job in self.jobs:
            group = cluster.group_of(job)
            if group:
                groups[job.kind, group].append(job.seconds + JOB_SECONDS)
            else:
                self.counts[job.kind] += 1
        for (kind, group), members in groups.items():
            self.counts[kind] += math.ceil(len(members) / cluster.components[group])
        self._seconds = {
            group: fmean(members) * min(cluster.components[group], len(members))
            for (_, group), members in groups.items()
        }

    def summary(self) -> dict[str, Any]:
        """Counts, the longest chain and what GPUs would do, as plain data."""
        chain = self.longest_chain()
        on_gpu = [job for job in self.jobs if job.gpu]
        return {
            "submissions": {
                **{kind: self.counts[kind] for kind in KINDS if self.counts[kind]},
                "all": self.counts.total(),
            },
            "longest_chain_hours": {
                **{kind: round(seconds / 3600, 3) for kind, seconds in chain.parts},
                "all": round(chain.seconds / 3600, 3),
            },
            "gpu": {"jobs": len(on_gpu), "core_hours": round(sum(job.seconds for job in on_gpu) / 3600, 3)},
        }

    def longest_chain(self) -> Chain:
        """From preparing data to the last study; without downloads, waiting in a queue and the work of GPUs."""
        grid, after = self.grid, self._after
        data = {name: after(Chain(0), "prepare", (name,)) for name in grid.datasets}
        seen = {name: self._seen(name, ready) for name, ready in data.items()}
        trained: dict[Key, Chain] = {}
        for bundle in sorted(grid.bundles, key=lambda bundle: grid.recipes[bundle.recipe].on is not None):
            ready, base = data[bundle.dataset], grid.recipes[bundle.recipe].on
            if base is not None:
                ready = trained[_key(replace(bundle, recipe=base))]
            trained[_key(bundle)] = after(ready, "train", _key(bundle))
        looked_at = [Chain(0)]
        for pair in grid.pairs():
            bundles = {block.bundle for block in grid.blocks_of(*pair)}
            ready = max([seen[pair[0]], *(trained[_key(bundle)] for bundle in bundles)])
            looked_at.append(after(ready, "measure", pair))
            looked_at += [
                after(ready, "pictures", (study, *pair))
                for study in grid.studies_of(*pair)
                if pair in grid.pictured(study)
            ]
        study = next(iter(grid.resolved.studies))
        return after(max(looked_at), "study", (study,))

    def _seen(self, dataset: str, ready: Chain) -> Chain:
        """Until the networks have looked at a dataset's images."""
        chains = [ready]
        for network, chosen in self.grid.networks(dataset).items():
            weights = self._after(ready, "classifier", (dataset,)) if chosen.trained else ready
            chains.append(self._after(weights, "features", (dataset, network)))
        return max(chains)

    def _after(self, ready: Chain, rule: str, key: Key) -> Chain:
        job: Job = self.cluster.job(rule, key)
        group = self.cluster.group_of(job)
        if group:
            return ready.then(job.kind, self._seconds[group])
        return ready.then(job.kind, 0.0 if job.gpu else job.seconds)


def _key(bundle: Bundle) -> Key:
    return bundle.dataset, bundle.recipe, bundle.slot


def components_of(profile: Path) -> dict[str, int]:
    """How many jobs of each group a profile submits together; `UserError` for one that submits nothing."""
    file = profile / PROFILE
    if not file.is_file():
        raise UserError(f"--profile {profile}: there is no {file}; accepted: the folder of a profile, such as slurm.")
    content = read_yaml(file)
    if "executor" not in content:
        raise UserError(f"{file}: 'executor' is missing, so nothing is submitted; accepted: the profile of a cluster.")
    return {str(name): int(count) for name, count in content.get("group-components", {}).items()}

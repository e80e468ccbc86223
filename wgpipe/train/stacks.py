"""The members of several blocks, cut into stacks that the processor's cache can hold."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from wgpipe.train.draws import Members
from wgpipe.train.interrupt import StopRequest
from wgpipe.train.job import Job
from wgpipe.train.population import Population
from wgpipe.train.sizing import has_pictures, members_in_cache

Run = tuple[int, int]  # (n, seed)
Losses = dict[str, float]  # step, critic_loss, generator_loss


class Stacks:
    """Populations of the same recipe and dataset that are trained in turn, a chunk each.

    How members are cut into stacks changes the time that they take, and no byte of them.
    """

    def __init__(self, jobs: Sequence[Job], device: torch.device, threads: int, path: str = "auto") -> None:
        self.recipe = jobs[0].recipe
        self.runs = [(job.n, seed) for job in jobs for seed in job.seeds]
        self.history: dict[Run, list[Losses]] = {run: [] for run in self.runs}
        samples = [torch.from_numpy(each) for job in jobs for each in job.rows()]
        pairs = self.recipe.generator is None
        sources = [torch.from_numpy(each.astype(np.float32)) for job in jobs if pairs for each in job.source_sample()]
        bases = [job.base_generators() for job in jobs]
        frozen = {name: torch.cat([torch.from_numpy(base[name]) for base in bases]) for name in bases[0]}
        together = device.type == "cuda" and not has_pictures(self.recipe)
        size = len(self.runs) if together else members_in_cache(self.recipe, threads)
        self.populations = [
            Population(
                self.recipe,
                Members(jobs[0].dataset.name, tuple(self.runs[first : first + size])),
                samples[first : first + size],
                jobs[0].latent,
                device,
                path=path,
                sources=sources[first : first + size],
                frozen={name: value[first : first + size] for name, value in frozen.items()},
            )
            for first in range(0, len(self.runs), size)
        ]

    @property
    def path(self) -> str:
        """Which code computes losses and gradients: analytic or autograd."""
        return self.populations[0].steps(self.recipe.training.batch).name

    @property
    def step(self) -> int:
        """Generator updates that all members have had."""
        return min(population.step for population in self.populations)

    def train_chunk(self, stop: StopRequest | None = None) -> None:
        """The next chunk of all populations that are not past it; raises `Interrupted` between two of its steps."""
        first = self.step
        for population in self.populations:
            if population.step == first:
                losses = population.train_chunk(stop)
                for member, run in enumerate(population.members.runs):
                    values = {name: float(loss[member]) for name, loss in losses.items()}
                    self.history[run].append({"step": population.step, **values})

    def state(self) -> dict[str, torch.Tensor]:
        """Everything that training changes, by name, a row a run."""
        states = [population.state() for population in self.populations]
        return {name: torch.cat([state[name] for state in states]) for name in states[0]}

    def fit(self, steps: torch.Tensor) -> bool:
        """Whether runs that have had these many updates, in their order, fit the stacks: one number in each."""
        parts = steps.split([len(population.members.runs) for population in self.populations])
        return all(bool((part == part[0]).all()) for part in parts)

    def load_state(self, state: dict[str, torch.Tensor], rows: Sequence[int]) -> None:
        """Go back to a `state()`, of which `rows` are the present runs, in their order."""
        first = 0
        for population in self.populations:
            members = len(population.members.runs)
            chosen = torch.tensor(rows[first : first + members])
            population.load_state({name: value[chosen] for name, value in state.items()})
            first += members

    def results(self) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray], np.ndarray]:
        """Generators to store, critics, and the step at which each run was seen to have diverged or -1; a row a run."""
        generators = [population.measured_generator() for population in self.populations]
        critics = [population.measured_critic() for population in self.populations]
        diverged = torch.cat([population.diverged_at for population in self.populations])
        return _joined(generators), _joined(critics), diverged.numpy()


def _joined(params: Sequence[dict[str, torch.Tensor]]) -> dict[str, np.ndarray]:
    return {name: torch.cat([one[name].detach().cpu() for one in params]).numpy() for name in params[0]}

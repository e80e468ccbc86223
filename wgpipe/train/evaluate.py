"""A trained block as metrics see it: real, generated and training points of every member."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from safetensors.numpy import load_file

from wgpipe.methods import Control
from wgpipe.rng import run_stream
from wgpipe.train import files
from wgpipe.train.job import Job

if TYPE_CHECKING:
    from wgpipe.train.population import Population


class TrainedBlock:
    """What was trained, with the streams that evaluation draws from: (dataset, n, seed), shared by all methods."""

    def __init__(self, job: Job, folder: Path) -> None:
        self.job = job
        self.folder = folder
        self.generator = load_file(folder / files.GENERATOR)

    @property
    def dataset_name(self) -> str:
        """Which dataset the block learned."""
        return self.job.dataset.name

    def real(self, count: int) -> np.ndarray:
        """(E, m, d) float64 held-out real points; m = count, or all that a finite dataset has."""
        card = self.job.dataset.card()
        size = min(count, card.test_size or count)
        draw = self.job.dataset.test_sample
        return np.stack([draw(self.job.arrays, stream, size) for stream in self.streams("eval-real")])

    def generated(self, count: int) -> np.ndarray:
        """(E, k, d) float64 generated points; k = count, or the size of a finite dataset's training split."""
        card = self.job.dataset.card()
        size = min(count, card.train_size or count)
        if self.job.recipe.is_control:
            return self._control_sample(size)
        return self._generator_sample(size)

    def training_sample(self) -> np.ndarray:
        """(E, n, d) float64."""
        return self.job.sample()

    def population(self) -> Population:
        """The members as they stood after the last step, generator averaged, critic ready to train on."""
        import torch

        from wgpipe.train.draws import Members
        from wgpipe.train.population import Population

        sample = torch.from_numpy(self.training_sample().astype(np.float32))
        members = Members(self.job.dataset.name, tuple((self.job.n, seed) for seed in self.job.seeds))
        population = Population(self.job.recipe, members, sample.unbind(), self.job.latent, torch.device("cpu"))
        critic = load_file(self.folder / files.CRITIC)
        with torch.no_grad():
            for side, stored in ((population.generator, self.generator), (population.critic, critic)):
                for name, value in side.params.items():
                    value.copy_(torch.from_numpy(stored[name]))
        return population

    def _control_sample(self, count: int) -> np.ndarray:
        method: Control = self.job.recipe.method.build("method")
        points = []
        for member, stream in enumerate(self.streams("eval-generated")):
            state = {name: value[member] for name, value in self.generator.items()}
            points.append(method.draw(state, self.job.dataset, self.job.arrays, stream, count))
        return np.stack(points)

    def _generator_sample(self, count: int) -> np.ndarray:
        import torch

        from wgpipe.train.draws import prior_sample

        recipe = self.job.recipe
        assert recipe.generator is not None
        net = recipe.generator.build("net")
        params = {name: torch.from_numpy(value) for name, value in self.generator.items()}
        streams = self.streams("eval-generated")
        noise = np.stack([prior_sample(recipe.prior, stream, (count, self.job.latent)) for stream in streams])
        with torch.no_grad():
            points: np.ndarray = net.apply(params, torch.from_numpy(noise)).double().numpy()
        return points

    def streams(self, purpose: str) -> list[np.random.Generator]:
        """One generator a member."""
        return [run_stream(self.job.dataset.name, self.job.n, seed, purpose) for seed in self.job.seeds]

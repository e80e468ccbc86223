"""A trained block as metrics see it: real, generated and training points of every member."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from safetensors.numpy import load_file

from wgpipe.data.pairs import PairDataset
from wgpipe.data.pixels import to_bytes
from wgpipe.methods import Adversarial, Control, Method, TransportMap
from wgpipe.rng import run_stream
from wgpipe.train import files
from wgpipe.train.job import Job

if TYPE_CHECKING:
    from wgpipe.extractors.reference import FeatureFiles
    from wgpipe.train.critic import Critic
    from wgpipe.train.population import Population

AT_ONCE = 500  # images that are generated together: all of them would take gigabytes


class TrainedBlock:
    """What was trained, with the streams that evaluation draws from: (dataset, n, seed), shared by all methods.

    `features`: where the features of the dataset's real images lie. `kept` is for metrics that share what is dear.
    """

    def __init__(self, job: Job, folder: Path, features: FeatureFiles | None = None) -> None:
        self.job = job
        self.folder = folder
        self.features = features
        self.kept: dict[tuple[str | int, ...], Any] = {}
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
        """(E, k, d) float64 generated points; k = count, or the size of a finite dataset's training split.

        Of a learned map: where it takes fresh points of the source, or of the generator that it was trained on. Of a
        critic between two laws: NaN.
        """
        card, recipe = self.job.dataset.card(), self.job.recipe
        size = min(count, card.train_size or count)
        if recipe.trains_generator:
            return self._generator_sample(size)
        method = self.method
        if isinstance(method, Control):
            return self._control_sample(method, size)
        points = self.transported(self._generator_sample(size) if recipe.on else self.source(size))
        return points if points is not None else np.full((len(self.job.seeds), size, card.dimension), np.nan)

    def generated_images(self, count: int) -> np.ndarray:
        """(E, k, channels, height, width) uint8: `generated`, cut to [-1, 1] and rounded; NaN is black."""
        images: np.ndarray = self._images(count)[0]
        return images

    def finite(self, count: int) -> np.ndarray:
        """(E,) bool: which members generated finite numbers only."""
        finite: np.ndarray = self._images(count)[1]
        return finite

    def _images(self, count: int) -> tuple[np.ndarray, np.ndarray]:
        shape = self.job.dataset.card().shape
        assert shape is not None
        if ("images", count) not in self.kept:
            points = self.generated(count)
            images = np.stack([to_bytes(member, shape) for member in points])
            self.kept["images", count] = (images, np.isfinite(points).all(axis=(1, 2)))
        kept: tuple[np.ndarray, np.ndarray] = self.kept["images", count]
        return kept

    def along(self, times: np.ndarray) -> np.ndarray | None:
        """(m,) times in [0, 1] -> (E, m, d) float64 points of the curves that generators with one latent dimension are.

        The prior is uniform on [-1, 1], so that time 0 is -1, and time 1 is 1. None for all other blocks.
        """
        recipe = self.job.recipe
        if not recipe.trains_generator or self.job.latent != 1 or recipe.prior != "uniform":
            return None
        import torch

        assert recipe.generator is not None
        params = {name: torch.from_numpy(value).double() for name, value in self.generator.items()}
        latents = torch.from_numpy(2 * times - 1).expand(len(self.job.seeds), -1).unsqueeze(-1)
        with torch.no_grad():
            points: np.ndarray = recipe.generator.build("net").apply(params, latents).numpy()
        return points

    def source(self, count: int) -> np.ndarray:
        """(E, count, d) float64 fresh points of the law that a pair of laws starts from."""
        assert isinstance(self.job.dataset, PairDataset)
        draw = self.job.dataset.draw_source
        return np.stack([draw(self.job.arrays, stream, count) for stream in self.streams("eval-source")])

    def transported(self, points: np.ndarray) -> np.ndarray | None:
        """(E, m, d) float64 points of the source -> where the learned map takes them; None without a map."""
        return self._mapped("transport", points)

    def inverse(self, points: np.ndarray) -> np.ndarray | None:
        """(E, m, d) float64 points of the target -> where the learned inverse map takes them; None without one."""
        return self._mapped("inverse", points)

    @property
    def method(self) -> Method:
        """What was trained or fitted."""
        method: Method = self.job.recipe.method.build("method")
        return method

    def critic(self) -> Critic | None:
        """The critics after the last step, or None where there are none."""
        if self.job.recipe.critic is None:
            return None
        import torch

        from wgpipe.train.critic import Critic

        stored = load_file(self.folder / files.CRITIC)
        params = {name: torch.from_numpy(value) for name, value in stored.items()}
        return Critic(self.job.recipe.critic.build("net"), params)

    def training_sample(self) -> np.ndarray:
        """(E, n, d) float64."""
        return self.job.sample()

    def population(self) -> Population:
        """The members as they stood after the last step, generator averaged, critic ready to train on."""
        import torch

        from wgpipe.train.draws import Members
        from wgpipe.train.population import Population

        samples = [torch.from_numpy(rows) for rows in self.job.rows()]
        members = Members(self.job.dataset.name, tuple((self.job.n, seed) for seed in self.job.seeds))
        population = Population(self.job.recipe, members, samples, self.job.latent, torch.device("cpu"))
        critic = load_file(self.folder / files.CRITIC)
        for side, stored in ((population.generator, self.generator), (population.critic, critic)):
            if side is not None:
                side.load({name: torch.from_numpy(value) for name, value in stored.items()})
        return population

    def _mapped(self, verb: Literal["transport", "inverse"], points: np.ndarray) -> np.ndarray | None:
        method = self.method
        if isinstance(method, TransportMap):
            fitted = [getattr(method, verb)(self._state(member), at) for member, at in enumerate(points)]
            return None if fitted[0] is None else np.stack(fitted)
        critic = self.critic()
        if critic is None or not isinstance(method, Adversarial):
            return None
        import torch

        mapped: torch.Tensor | None = getattr(method, verb)(critic.double(), torch.from_numpy(points))
        return None if mapped is None else mapped.detach().numpy()

    def _state(self, member: int) -> dict[str, np.ndarray]:
        return {name: value[member] for name, value in self.generator.items()}

    def _control_sample(self, method: Control, count: int) -> np.ndarray:
        streams, job = self.streams("eval-generated"), self.job
        draws = [
            method.draw(self._state(i), job.dataset, job.arrays, stream, count) for i, stream in enumerate(streams)
        ]
        return np.stack(draws)

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
            parts = torch.from_numpy(noise).split(AT_ONCE if net.one_batch_at_a_time else max(count, 1), dim=1)
            points: np.ndarray = torch.cat([net.apply(params, part) for part in parts], dim=1).double().numpy()
        return points

    def streams(self, purpose: str) -> list[np.random.Generator]:
        """One generator a member."""
        return [run_stream(self.job.dataset.name, self.job.n, seed, purpose) for seed in self.job.seeds]

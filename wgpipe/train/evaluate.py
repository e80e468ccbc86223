"""A trained block as metrics see it: real, generated and training points of every member."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from wgpipe.data.pairs import PairDataset
from wgpipe.data.pixels import to_bytes
from wgpipe.methods import Adversarial, Control, Method, TransportMap
from wgpipe.rng import run_stream
from wgpipe.stored import read_arrays
from wgpipe.train import files
from wgpipe.train.job import Job

if TYPE_CHECKING:
    import torch

    from wgpipe.extractors.reference import FeatureFiles
    from wgpipe.train.critic import Critic
    from wgpipe.train.population import Population

AT_ONCE = 500  # images that are generated together: all of them would take gigabytes
ALL = slice(None)
Place = tuple[slice, slice]  # of a part of a sample: members and rows


class TrainedBlock:
    """What was trained, with the streams that evaluation draws from: (dataset, n, seed), shared by all methods.

    `features`: where the features of the dataset's real images lie. `kept` is for metrics that share what is dear.
    """

    def __init__(self, job: Job, folder: Path, features: FeatureFiles | None = None) -> None:
        self.job = job
        self.folder = folder
        self.features = features
        self.kept: dict[tuple[str | int, ...], Any] = {}
        self.generator = read_arrays(folder / files.GENERATOR)

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
        size = self._size(count)
        points = np.empty((len(self.job.seeds), size, self.job.dataset.card().dimension))
        for place, part in self._parts(size):
            points[place] = part
        return points

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
            size = self._size(count)
            images = np.empty((len(self.job.seeds), size, *shape), dtype=np.uint8)
            finite = np.ones(len(self.job.seeds), dtype=bool)
            with self.features.reserved() if self.features else nullcontext() as device:
                for place, part in self._parts(size, device):
                    images[place] = to_bytes(part, shape)
                    finite[place[0]] &= np.isfinite(part).all(axis=(1, 2))
            self.kept["images", count] = (images, finite)
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

        stored = read_arrays(self.folder / files.CRITIC)
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
        critic = read_arrays(self.folder / files.CRITIC)
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

    def _size(self, count: int) -> int:
        """Of a generated sample: no more than a finite dataset has to train on."""
        return min(count, self.job.dataset.card().train_size or count)

    def _parts(self, size: int, device: torch.device | None = None) -> Iterator[tuple[Place, np.ndarray]]:
        """`generated` piece by piece, float64, each with its place; networks compute on a device, or on the CPU."""
        recipe, method = self.job.recipe, self.method
        if recipe.trains_generator:
            yield from self._generated_parts(size, device)
        elif isinstance(method, Control):
            for member, stream in enumerate(self.streams("eval-generated")):
                points = method.draw(self._state(member), self.job.dataset, self.job.arrays, stream, size)
                yield (slice(member, member + 1), ALL), points[np.newaxis]
        else:
            sample = self._generator_sample(size) if recipe.on else self.source(size)
            mapped = self.transported(sample)
            yield (ALL, ALL), np.full(sample.shape, np.nan) if mapped is None else mapped

    def _generator_sample(self, size: int) -> np.ndarray:
        return np.concatenate([part for _, part in self._generated_parts(size)], axis=1)

    def _generated_parts(self, size: int, device: torch.device | None = None) -> Iterator[tuple[Place, np.ndarray]]:
        import torch

        from wgpipe.train.draws import prior_sample

        recipe = self.job.recipe
        assert recipe.generator is not None
        net = recipe.generator.build("net")
        params = {name: torch.from_numpy(value).to(device) for name, value in self.generator.items()}
        streams = self.streams("eval-generated")
        noise = np.stack([prior_sample(recipe.prior, stream, (size, self.job.latent)) for stream in streams])
        at_once = AT_ONCE if net.one_batch_at_a_time else max(size, 1)
        for start in range(0, size, at_once):
            rows = slice(start, start + at_once)
            with torch.no_grad():
                points = net.apply(params, torch.from_numpy(noise[:, rows]).to(device))
            yield (ALL, rows), points.cpu().double().numpy()

    def streams(self, purpose: str) -> list[np.random.Generator]:
        """One generator a member."""
        return [run_stream(self.job.dataset.name, self.job.n, seed, purpose) for seed in self.job.seeds]

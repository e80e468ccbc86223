"""Blocks whose members generate given points, as the metrics of `coulomb` see them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace

import numpy as np

from wgpipe.data import Dataset, dataset
from wgpipe.methods import Method
from wgpipe.methods.oracle import Oracle
from wgpipe.rng import run_stream, sample_stream

Made = Callable[[int, int], np.ndarray]  # member, count -> points


@dataclass
class Points:
    """What `TrainedBlock` offers; `made` gives the generated points, fresh data unless told otherwise."""

    data: Dataset
    n: int
    made: Made | None = None
    method: Method = field(default_factory=Oracle)
    seeds: tuple[int, ...] = (0, 1)

    @classmethod
    def of(
        cls, name: str, n: int, made: Made | None = None, method: Method | None = None, seeds: tuple[int, ...] = (0, 1)
    ) -> Points:
        return cls(dataset(name), n, made, method or Oracle(), seeds)

    @property
    def job(self) -> SimpleNamespace:
        return SimpleNamespace(dataset=self.data, arrays=self.data.prepare({}), seeds=self.seeds, n=self.n)

    @property
    def dataset_name(self) -> str:
        return self.data.name

    def streams(self, purpose: str) -> list[np.random.Generator]:
        return [run_stream(self.data.name, self.n, seed, purpose) for seed in self.seeds]

    def training_sample(self) -> np.ndarray:
        arrays = self.data.prepare({})
        return np.stack(
            [self.data.training_sample(arrays, sample_stream(self.data.name, s), self.n) for s in self.seeds]
        )

    def real(self, count: int) -> np.ndarray:
        return self._fresh("eval-real", count)

    def generated(self, count: int) -> np.ndarray:
        if self.made is None:
            return self._fresh("eval-generated", count)
        return np.stack([self.made(member, count) for member in range(len(self.seeds))])

    def _fresh(self, purpose: str, count: int) -> np.ndarray:
        arrays = self.data.prepare({})
        return np.stack([self.data.draw(arrays, stream, count) for stream in self.streams(purpose)])

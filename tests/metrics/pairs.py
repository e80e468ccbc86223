"""Trained blocks as the metrics of pairs see them, with critics and maps that are known."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import ClassVar, Literal

import numpy as np
import torch

from wgpipe.data import Arrays, Card, Dataset, dataset
from wgpipe.data.pairs import Coupling, PairDataset
from wgpipe.methods import Method
from wgpipe.methods.wgan import Wgan
from wgpipe.nets import Net, Params
from wgpipe.rng import run_stream
from wgpipe.train.critic import Critic

Map = Callable[[np.ndarray], np.ndarray]


class Stretched(PairDataset):
    """X ~ N(0, I), Y = 2X + 1: E|X - Y|² = 2d, Var X = d, Var Y = 4d."""

    cost: ClassVar[Literal[1, 2]] = 2
    dimension: int = 2

    def card(self) -> Card:
        d = self.dimension
        return Card(self.name, "stretched", d, d, d, None, None, None, "test", "MIT")

    def draw(self, arrays: Arrays, stream: np.random.Generator, count: int) -> np.ndarray:
        return 2 * self.draw_source(arrays, stream, count) + 1

    def draw_source(self, arrays: Arrays, stream: np.random.Generator, count: int) -> np.ndarray:
        return stream.standard_normal((count, self.dimension))

    def coupled(self, arrays: Arrays, stream: np.random.Generator, count: int) -> Coupling:
        source = self.draw_source(arrays, stream, count)
        return Coupling(source, 2 * source + 1)

    def distance(self, arrays: Arrays) -> float:
        return float(self.dimension)


class Funnels(Net):
    """`scale` times the true potential of funnels, f(y) = -min_k |y - a_k| + b_k; parameters carry a member axis."""

    def apply(self, params: Params, x: torch.Tensor) -> torch.Tensor:
        distances = (x[:, :, None] - params["centres"][:, None]).square().sum(dim=-1).sqrt()
        return -params["scale"] * (distances + params["offsets"][:, None]).amin(dim=-1, keepdim=True)


def potential_of_funnels(arrays: Mapping[str, np.ndarray], scales: list[float]) -> Critic:
    """A member each for these multiples of the potential."""
    params = {
        "centres": torch.from_numpy(np.stack([arrays["centres"]] * len(scales))),
        "offsets": torch.from_numpy(np.stack([arrays["offsets"]] * len(scales))),
        "scale": torch.tensor(scales, dtype=torch.float64).view(-1, 1, 1),
    }
    return Critic(Funnels(), params)


@dataclass
class Block:
    """What `TrainedBlock` offers."""

    pair: Dataset
    arrays: Mapping[str, np.ndarray]
    learned: Critic | None = None
    forward: Map | None = None
    backward: Map | None = None
    seeds: tuple[int, ...] = (0, 1)
    method: Method = field(default_factory=Wgan)

    @property
    def job(self) -> SimpleNamespace:
        return SimpleNamespace(dataset=self.pair, arrays=self.arrays, seeds=self.seeds)

    def streams(self, purpose: str) -> list[np.random.Generator]:
        return [run_stream(self.pair.name, 64, seed, purpose) for seed in self.seeds]

    def real(self, count: int) -> np.ndarray:
        return np.stack([self.pair.test_sample(self.arrays, draw, count) for draw in self.streams("eval-real")])

    def source(self, count: int) -> np.ndarray:
        assert isinstance(self.pair, PairDataset)
        return np.stack([self.pair.draw_source(self.arrays, draw, count) for draw in self.streams("eval-source")])

    def critic(self) -> Critic | None:
        return self.learned

    def transported(self, points: np.ndarray) -> np.ndarray | None:
        return self.forward(points) if self.forward else None

    def inverse(self, points: np.ndarray) -> np.ndarray | None:
        return self.backward(points) if self.backward else None


@functools.cache
def prepared(name: str) -> tuple[PairDataset, dict[str, np.ndarray]]:
    """A pair that needs no download, and its arrays."""
    pair = dataset(name)
    assert isinstance(pair, PairDataset)
    return pair, pair.prepare({})


def stretched(dimension: int = 2) -> PairDataset:
    return Stretched(name=f"stretched-{dimension}", dimension=dimension)


def plain_set() -> Dataset:
    return dataset("surface-2in3")

"""Pairs of laws whose optimal transport is known: what a critic or a map is scored against."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from wgpipe.data import Arrays, Dataset


@dataclass(frozen=True)
class Coupling:
    """Optimally coupled points, (m, d) float64 each: a source point is carried to the target point in its row.

    `direction` is the gradient of the Kantorovich potential f at the target point, where f maximises E f(target) -
    E f(source) over 1-Lipschitz functions: the unit vector from source to target, known even where both coincide.
    """

    source: np.ndarray
    target: np.ndarray
    direction: np.ndarray | None = None


class PairDataset(Dataset):
    """A source and a target. As a dataset it is the target: `draw` and all samples give target points.

    Sources are drawn independently of targets, except in `coupled`.
    """

    cost: ClassVar[Literal[1, 2]]  # 1: |x - y|; 2: |x - y|²/2, the convention of Taghvaei & Jalali 2019

    def draw_source(self, arrays: Arrays, stream: np.random.Generator, count: int) -> np.ndarray:
        """(count, d) float64 fresh draws of the source; prefix-stable."""
        raise NotImplementedError

    def coupled(self, arrays: Arrays, stream: np.random.Generator, count: int) -> Coupling:
        """`count` optimally coupled pairs."""
        raise NotImplementedError

    def transport(self, arrays: Arrays, source: np.ndarray) -> np.ndarray | None:
        """(m, d) -> (m, d): the optimal map from source to target; None where only `coupled` knows it."""
        return None

    def distance(self, arrays: Arrays) -> float:
        """The optimal cost: W1, or half the squared W2; what `prepare` stored as `distance`."""
        return float(arrays["distance"])

    def source_sample(self, arrays: Arrays, stream: np.random.Generator, n: int) -> np.ndarray:
        """(n, d) float64: the first n source points of a stream."""
        return self.draw_source(arrays, stream, n)


class MappedPair(PairDataset):
    """A pair whose optimal map is known everywhere, and whose target is the image of its source."""

    def sample_source(self, arrays: Arrays, stream: np.random.Generator, count: int) -> np.ndarray:
        """(count, d) float64 draws of the source; prefix-stable."""
        raise NotImplementedError

    def image(self, arrays: Arrays, source: np.ndarray) -> np.ndarray:
        """(m, d) -> (m, d): the optimal map."""
        raise NotImplementedError

    def draw(self, arrays: Arrays, stream: np.random.Generator, count: int) -> np.ndarray:
        """(count, d) float64 images of fresh source points."""
        return self.image(arrays, self.sample_source(arrays, stream.spawn(2)[0], count))

    def draw_source(self, arrays: Arrays, stream: np.random.Generator, count: int) -> np.ndarray:
        """(count, d) float64, independent of `draw` even on an equal stream."""
        return self.sample_source(arrays, stream.spawn(2)[1], count)

    def coupled(self, arrays: Arrays, stream: np.random.Generator, count: int) -> Coupling:
        """Source points and their images."""
        source = self.draw_source(arrays, stream, count)
        return Coupling(source=source, target=self.image(arrays, source))

    def transport(self, arrays: Arrays, source: np.ndarray) -> np.ndarray | None:
        """(m, d) -> (m, d): the optimal map."""
        return self.image(arrays, source)

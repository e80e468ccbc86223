"""Blocks that learned a potential which is known, on pairs of Gaussians."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace

import numpy as np
import torch

from tests.metrics.pairs import Block, prepared
from wgpipe.methods import Method, TransportMap
from wgpipe.methods.w2_icnn import W2Icnn
from wgpipe.nets import Net
from wgpipe.nets.quadratic import Quadratic
from wgpipe.train.critic import Critic

N = 256
STRONG = 0.01


@dataclass
class Learned(Block):
    """A block with training samples of both laws."""

    method: Method = field(default_factory=W2Icnn)

    @property
    def job(self) -> SimpleNamespace:
        return SimpleNamespace(
            dataset=self.pair, arrays=self.arrays, seeds=self.seeds, source_sample=lambda: self.source(N)
        )

    def training_sample(self) -> np.ndarray:
        return self.real(N)

    def transported(self, points: np.ndarray) -> np.ndarray | None:
        if isinstance(self.method, TransportMap):
            return np.stack(
                [
                    self.method.transport(self.method.fit(source, target), each)
                    for source, target, each in zip(self.source(N), self.real(N), points, strict=True)
                ]
            )
        if self.learned is None:
            return None
        assert isinstance(self.method, W2Icnn)
        return self.method.transport(self.learned, torch.from_numpy(points)).detach().numpy()


def gaussians(method: Method | None = None, learned: Critic | None = None) -> Learned:
    """Two members on the pair of Gaussians in the plane."""
    pair, arrays = prepared("gaussian_pair-2")
    return Learned(pair, arrays, learned, method=method or W2Icnn())


def quadratic(matrix: np.ndarray, slope: np.ndarray, net: Net | None = None) -> Critic:
    """Two members with f(x) = ½ x'Ax + b'x, A above `STRONG`."""
    root = np.linalg.cholesky(matrix - STRONG * np.eye(len(matrix)))
    params = {"root": root, "slope": slope[:, None]}
    return Critic(net or Quadratic(strong_convexity=STRONG), stacked(params))


def stacked(params: dict[str, np.ndarray]) -> dict[str, torch.Tensor]:
    return {name: torch.from_numpy(np.stack([value, value])) for name, value in params.items()}


def best(arrays: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """A and b of the best potential of the target: its gradient undoes the optimal map y -> m' + M(y - m)."""
    matrix = np.linalg.inv(arrays["map"])
    return (matrix + matrix.T) / 2, arrays["source_mean"] - matrix @ arrays["target_mean"]

"""What mixtures of Gaussians share: equal weights, equal spherical covariances, in the plane."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from pydantic import PositiveFloat

from wgpipe.data import Arrays, Card, Dataset


class Mixture(Dataset):
    """k Gaussians N(m_i, σ² I) with the weight 1/k each."""

    sigma: PositiveFloat

    def modes(self) -> np.ndarray:
        """(k, 2) centres m_i."""
        raise NotImplementedError

    def title(self) -> str:
        """One line: how many modes, where, how wide, whose scaling."""
        raise NotImplementedError

    def card(self) -> Card:
        """Facts; the support is the whole plane."""
        return Card(
            name=self.name,
            title=self.title(),
            dimension=2,
            intrinsic=2,
            latent=2,
            train_size=None,
            test_size=None,
            radius=None,
            source=f"exact sampler, wgpipe/data/{self.registered_name}.py",
            licence="MIT",
            cites=self.cites,
        )

    def prepare(self, files: Mapping[str, Path]) -> dict[str, np.ndarray]:
        """`modes` (k, 2)."""
        return {"modes": self.modes()}

    def draw(self, arrays: Arrays, stream: np.random.Generator, count: int) -> np.ndarray:
        """(count, 2) float64."""
        components, noise = stream.spawn(2)
        centres = arrays["modes"][components.integers(len(arrays["modes"]), size=count)]
        return np.asarray(centres + self.sigma * noise.standard_normal((count, 2)))

"""A Gaussian mixture and its image under the gradient of input-convex networks, both drawn by our seeds."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

import numpy as np

from wgpipe import rng
from wgpipe.data import Arrays
from wgpipe.data.convex_network import random_network
from wgpipe.data.convex_pair import COMPONENTS, ConvexPair, draw_mixture, normalised
from wgpipe.registry import register

NETWORKS = 2
INPUTS = 1024


@register("icnn_pair", cites=("korotin2021",))
class IcnnPair(ConvexPair):
    """Source and potential of the form of Korotin et al. 2021 in any dimension, with random weights."""

    accepted: ClassVar[str] = "icnn_pair-<D>"

    def title(self) -> str:
        """One line: whose potentials."""
        return f"3 Gaussians in R^{self.dimension}, moved by the gradient of random input-convex networks"

    def mixture(self) -> dict[str, np.ndarray]:
        """In each coordinate the centres are a random order of -1, 0, 1, before scaling."""
        stream = rng.stream("dataset", self.name, "mixture")
        centres = np.stack([stream.permutation(COMPONENTS) - 1.0 for _ in range(self.dimension)], axis=1)
        return normalised(centres, stream.standard_normal((COMPONENTS, self.dimension, self.dimension)))

    def networks(self, files: Mapping[str, Path], mixture: Arrays) -> dict[str, np.ndarray]:
        """Two random networks."""
        stream = rng.stream("dataset", self.name, "networks")
        inputs = draw_mixture(mixture, stream, INPUTS)
        members = [random_network(stream, inputs) for _ in range(NETWORKS)]
        return {name: np.stack([member[name] for member in members]) for name in members[0]}

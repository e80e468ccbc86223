"""The published pairs Mix3toMix10, whose potentials are trained input-convex networks."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Self

import numpy as np

from wgpipe.data import Arrays, Source
from wgpipe.data.convex_network import LAYERS
from wgpipe.data.convex_pair import COMPONENTS, ConvexPair, normalised
from wgpipe.errors import UserError
from wgpipe.registry import register

COMMIT = "647a1acc85f88e207733d087cbe87987cc0dea06"
FOLDER = f"https://raw.githubusercontent.com/iamalexkorotin/Wasserstein2Benchmark/{COMMIT}/benchmarks/Mix3toMix10"
CHECKSUMS = {
    2: (
        "12fbf72953af1371002cb4a0b67757bd63b335e923fc5f7d4076fbeb81ee72b5",
        "28d161bf7b352d678fb77f512b51266574da06455d3eabf9173695813efc1716",
    ),
    4: (
        "edbe9ff24297c685d070811930f2d17b63f0fd299cba0f792617798211e1bbc2",
        "ec2a061e00be682b5212cfd9801d6d874768bd8b7ba3c2a80e2dc48d5a473425",
    ),
    8: (
        "0ace0d609d39eac0cbbb0f1e26ca1cd2329a8c48da7122f3118389755ca5be16",
        "f2ef690cf8f9c3c9aed9c15471a64c8dc9da68f5d565b1c091d8f2e7caec5cb5",
    ),
}


@register("mix3tomix10", cites=("korotin2021",))
class Mix3ToMix10(ConvexPair):
    """Source and potential of the benchmark of Korotin et al. 2021."""

    accepted: ClassVar[str] = ", ".join(f"mix3tomix10-{dimension}" for dimension in CHECKSUMS)

    @classmethod
    def from_name(cls, name: str) -> Self:
        """`mix3tomix10-8` -> D = 8; `UserError` for a D whose files have no known checksum."""
        data = super().from_name(name)
        if data.dimension not in CHECKSUMS:
            raise UserError(f"dataset '{name}' has no known checksum; accepted: {cls.accepted}.")
        return data

    def title(self) -> str:
        """One line: whose potentials."""
        return f"Mix3toMix10 of the Wasserstein-2 benchmark in R^{self.dimension}"

    def origin(self) -> str:
        """Whose weights, at which commit."""
        return f"iamalexkorotin/Wasserstein2Benchmark, commit {COMMIT[:10]}"

    def sources(self) -> tuple[Source, ...]:
        """The weights of two networks."""
        files = [f"{self.dimension}_v{version}.pt" for version in (1, 2)]
        return tuple(
            Source(file=file, urls=(f"{FOLDER}/{file}",), sha256=sha256)
            for file, sha256 in zip(files, CHECKSUMS[self.dimension], strict=True)
        )

    def mixture(self) -> dict[str, np.ndarray]:
        """The one that numpy's legacy stream gives after seed 0."""
        legacy = np.random.RandomState(0)
        orders = [legacy.choice(COMPONENTS, COMPONENTS, replace=False) for _ in range(self.dimension)]
        factors = legacy.normal(size=(COMPONENTS, self.dimension, self.dimension)).astype(np.float32)
        return normalised(np.stack(orders, axis=1) - 1.0, factors.astype(np.float64))

    def networks(self, files: Mapping[str, Path], mixture: Arrays) -> dict[str, np.ndarray]:
        """The published weights."""
        members = [_read(files[source.file]) for source in self.sources()]
        return {name: np.stack([member[name] for member in members]) for name in members[0]}


def _read(file: Path) -> dict[str, np.ndarray]:
    """A published state dict in the names and shapes of `convex_network`, float64."""
    import torch

    state = {key: value.double().numpy() for key, value in torch.load(file, weights_only=True).items()}
    network = {}
    for layer in range(LAYERS):
        network[f"quadratic_{layer}"] = state[f"quadratic_layers.{layer}.quadratic_decomposed"][:, 0, :]
        network[f"linear_{layer}"] = state[f"quadratic_layers.{layer}.weight"].T
        network[f"offset_{layer}"] = state[f"quadratic_layers.{layer}.bias"]
    for layer in range(1, LAYERS):
        network[f"mixing_{layer}"] = state[f"convex_layers.{layer - 1}.weight"].T
    return {**network, "final": state["final_layer.weight"][0]}

"""What a two-layer network makes of normal noise: the targets of Li & Dou 2020, which a generator can match exactly."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import ClassVar, Literal, Self

import numpy as np
from pydantic import PositiveInt

from wgpipe import rng
from wgpipe.data import Arrays, Card, Dataset
from wgpipe.data.blockwise import blockwise
from wgpipe.data.planted import DoesNotFitError
from wgpipe.errors import UserError
from wgpipe.registry import register

NAME = re.compile(
    r"two_layer-(?P<activation>relu|cubic)(?P<units>[1-9]\d*)-(?P<latent>[1-9]\d*)in(?P<dimension>[1-9]\d*)", re.ASCII
)
ACTIVATIONS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "relu": lambda u: np.maximum(u, 0.0),
    "cubic": lambda u: u**3,
}
NODES = 200  # of the quadrature for moments of hidden units, per axis


@register("two_layer", cites=("li2020",))
class TwoLayer(Dataset):
    """x = A σ(B z + b) with z ~ N(0, I_r), k hidden units, σ(u) = max(u, 0) or u³.

    Rows of B are uniform on the unit sphere and b on [-1, 1], so that no law is symmetric and moments of odd degree
    are not 0. A has normal entries, scaled so that E|x - E x|² = 1. The support is not compact; cubic tails are those
    of |z|³, heavy but with all moments.
    """

    accepted: ClassVar[str] = (
        "two_layer-<relu or cubic><k>-<r>in<d> with r <= k and r <= d, such as two_layer-relu8-2in4"
    )

    activation: Literal["relu", "cubic"]
    units: PositiveInt
    latent: PositiveInt
    dimension: PositiveInt

    @classmethod
    def from_name(cls, name: str) -> Self:
        """`two_layer-relu8-2in4` -> σ = relu, k = 8, r = 2, d = 4.

        `UserError` if malformed, `DoesNotFitError` if r > k or r > d, for then d* is not r.
        """
        match = NAME.fullmatch(name)
        if match is None:
            raise UserError(f"dataset '{name}' is unknown; accepted: {cls.accepted}.")
        units, latent, dimension = (int(match[key]) for key in ("units", "latent", "dimension"))
        if latent > min(units, dimension):
            raise DoesNotFitError(f"dataset '{name}' does not exist: r = {latent} needs r <= k = {units} and r <= d.")
        return cls(name=name, activation=match["activation"], units=units, latent=latent, dimension=dimension)

    def card(self) -> Card:
        """Facts; `intrinsic` is r, the dimension of the noise."""
        return Card(
            name=self.name,
            title=f"two-layer {self.activation} network of {self.units} units from N(0, I_{self.latent}) to "
            f"R^{self.dimension}, total variance 1",
            dimension=self.dimension,
            intrinsic=self.latent,
            latent=self.latent,
            train_size=None,
            test_size=None,
            radius=None,
            source="exact sampler, wgpipe/data/two_layer.py",
            licence="MIT",
            cites=self.cites,
        )

    def prepare(self, files: Mapping[str, Path]) -> dict[str, np.ndarray]:
        """`inner` B (k, r), `offsets` b (k,), `outer` A (d, k), functions of the name."""
        stream = rng.stream("dataset", self.name)
        inner = stream.standard_normal((self.units, self.latent))
        inner /= np.linalg.norm(inner, axis=1, keepdims=True)
        offsets = stream.uniform(-1, 1, size=self.units)
        outer = stream.standard_normal((self.dimension, self.units))
        variance = np.einsum(
            "dk,kl,dl->", outer, hidden_covariance(inner, offsets, ACTIVATIONS[self.activation]), outer
        )
        return {"inner": inner, "offsets": offsets, "outer": outer / np.sqrt(variance)}

    def draw(self, arrays: Arrays, stream: np.random.Generator, count: int) -> np.ndarray:
        """(count, d) float64."""
        return blockwise(
            lambda z: ACTIVATIONS[self.activation](z @ arrays["inner"].T + arrays["offsets"]) @ arrays["outer"].T,
            stream.standard_normal((count, self.latent)),
        )


def hidden_covariance(
    inner: np.ndarray, offsets: np.ndarray, activation: Callable[[np.ndarray], np.ndarray]
) -> np.ndarray:
    """(k, r) unit rows, (k,) -> (k, k) covariance of σ(B z + b), by Gauss-Hermite quadrature for each pair of units.

    A pair (u, v) of unit normals with correlation ρ is (s, ρ s + sqrt(1 - ρ²) t), of independent s and t.
    """
    nodes, weights = np.polynomial.hermite_e.hermegauss(NODES)
    weights = weights / weights.sum()
    single = activation(nodes + offsets[:, None])
    means = single @ weights
    correlations = (inner @ inner.T).clip(-1, 1)
    covariance = np.empty(correlations.shape)
    for i, j in np.ndindex(covariance.shape):
        rho = correlations[i, j]
        other = activation(rho * nodes[:, None] + np.sqrt(1 - rho**2) * nodes + offsets[j])
        covariance[i, j] = (weights * single[i]) @ (other @ weights) - means[i] * means[j]
    return (covariance + covariance.T) / 2

"""Gradients of input-convex networks, and the maps that they make, against autograd and published scores."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn.functional import celu

from wgpipe import rng
from wgpipe.data import Arrays, dataset
from wgpipe.data.blockwise import blockwise
from wgpipe.data.convex_network import gradient, hidden_widths
from wgpipe.data.convex_pair import ConvexPair, draw_mixture
from wgpipe.data.icnn_pair import IcnnPair
from wgpipe.data.mix3tomix10 import Mix3ToMix10
from wgpipe.errors import UserError
from wgpipe.fetch import fetch
from wgpipe.theory.gaussian import bures_map


def scores(source: np.ndarray, target: np.ndarray) -> tuple[float, float]:
    """L2-UVP in percent of the linear map and of the identity."""
    turn = bures_map(np.cov(source.T), np.cov(target.T))
    linear = target.mean(axis=0) + (source - source.mean(axis=0)) @ turn
    variance = target.var(axis=0).sum()
    errors = [100 * np.sum((guess - target) ** 2, axis=1).mean() / variance for guess in (linear, source)]
    return errors[0], errors[1]


def published_network(state: dict[str, torch.Tensor], x: torch.Tensor) -> torch.Tensor:
    """The value of a network as its state dict names its weights, (m, D) -> (m,)."""

    def layer(index: int) -> torch.Tensor:
        factors, weight, bias = (
            state[f"quadratic_layers.{index}.{part}"].double() for part in ("quadratic_decomposed", "weight", "bias")
        )
        return torch.einsum("md,drh->mrh", x, factors).square().sum(dim=1) + x @ weight.T + bias

    hidden = layer(0)
    for index in (1, 2):
        hidden = celu(hidden @ state[f"convex_layers.{index - 1}.weight"].double().T + layer(index))
    return (hidden @ state["final_layer.weight"].double().T)[:, 0] + 0.005 * x.square().sum(dim=1)


def own_network(arrays: Arrays, x: torch.Tensor) -> torch.Tensor:
    """The sum of a stack of networks, (m, D) -> (m,)."""
    total = torch.zeros(len(x), dtype=torch.float64)
    for index in range(len(arrays["final"])):
        weights = {name: torch.from_numpy(np.array(array[index])) for name, array in arrays.items()}
        quadratics = [
            (x @ weights[f"quadratic_{layer}"]) ** 2 + x @ weights[f"linear_{layer}"] + weights[f"offset_{layer}"]
            for layer in range(3)
        ]
        hidden = celu(quadratics[1] + quadratics[0] @ weights["mixing_1"])
        hidden = celu(quadratics[2] + hidden @ weights["mixing_2"])
        total = total + hidden @ weights["final"] + 0.005 * x.square().sum(dim=1)
    return total


def autograd(value: torch.Tensor, x: torch.Tensor) -> np.ndarray:
    (found,) = torch.autograd.grad(value.sum(), x)
    return found.numpy()


@pytest.mark.parametrize("dimension", [1, 2, 8, 40])
def test_the_gradient_of_own_networks_is_that_of_autograd(dimension: int) -> None:
    data = IcnnPair.from_name(f"icnn_pair-{dimension}")
    mixture = data.mixture()
    networks = data.networks({}, mixture)
    points = draw_mixture(mixture, rng.stream("points"), 300)
    x = torch.from_numpy(points).requires_grad_()
    np.testing.assert_allclose(gradient(networks, points), autograd(own_network(networks, x), x), rtol=1e-9)
    assert networks["final"].shape == (2, hidden_widths(dimension)[2])
    assert all((networks[name] >= 0).all() for name in ("mixing_1", "mixing_2", "final"))


@pytest.mark.parametrize("dimension", [2, 4, 8, 16])
def test_own_maps_are_as_far_from_linear_as_the_published_ones(dimension: int) -> None:
    data = IcnnPair.from_name(f"icnn_pair-{dimension}")
    mixture = data.mixture()
    networks = data.networks({}, mixture)
    source = draw_mixture(mixture, rng.stream("linear"), 4096)
    target = blockwise(lambda points: gradient(networks, points), source)
    assert 10 < scores(source, target)[0] < 30


def test_own_pairs_have_mean_0_and_mean_variance_1() -> None:
    data = IcnnPair.from_name("icnn_pair-5")
    arrays = data.prepare({})
    for draw in (data.draw_source, data.draw):
        points = draw(arrays, rng.stream("moments"), 20_000)
        np.testing.assert_allclose(points.mean(axis=0), 0, atol=0.05)
        np.testing.assert_allclose(points.var(axis=0).mean(), 1, rtol=0.03)


@pytest.mark.parametrize("name", ["icnn_pair", "icnn_pair-0", "icnn_pair-2in4"])
def test_malformed_names_are_refused(name: str) -> None:
    with pytest.raises(UserError, match=r"accepted: icnn_pair-<D>\."):
        dataset(name)


@pytest.fixture(scope="module", params=[2, 4, 8])
def pair(
    request: pytest.FixtureRequest, mirror: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[ConvexPair, dict[str, Path], Arrays]:
    folder = tmp_path_factory.mktemp("weights")
    data = Mix3ToMix10.from_name(f"mix3tomix10-{request.param}")
    files = {source.file: fetch(source, folder, mirror, progress=False) for source in data.sources()}
    return data, files, data.prepare(files)


def test_the_gradient_is_that_of_the_published_weights(pair: tuple[ConvexPair, dict[str, Path], Arrays]) -> None:
    data, files, arrays = pair
    points = data.draw_source(arrays, rng.stream("points"), 300)
    x = torch.from_numpy(points).requires_grad_()
    states = [torch.load(file, weights_only=True) for file in files.values()]
    value = sum((published_network(state, x) for state in states), start=torch.zeros(300, dtype=torch.float64))
    np.testing.assert_allclose(gradient(arrays, points), autograd(value, x), rtol=1e-9)


def test_scores_of_the_linear_map_and_of_the_identity_are_the_published_ones(
    pair: tuple[ConvexPair, dict[str, Path], Arrays],
) -> None:
    data, _, arrays = pair
    coupling = data.coupled(arrays, rng.stream("scores"), 2**15)
    linear, identity = scores(coupling.source, coupling.target)
    assert abs(linear - {2: 14.0, 4: 14.8, 8: 27.3}[data.dimension]) <= 0.4
    assert abs(identity - {2: 32.8, 4: 42.3, 8: 59.1}[data.dimension]) <= 0.5
    np.testing.assert_allclose(2 * data.distance(arrays), {2: 0.651, 4: 1.694, 8: 4.720}[data.dimension], rtol=0.01)


def test_the_source_has_the_moments_of_its_components(pair: tuple[ConvexPair, dict[str, Path], Arrays]) -> None:
    data, _, arrays = pair
    points = data.draw_source(arrays, rng.stream("source"), 50_000)
    spread = [0.16 * m @ m.T + np.outer(c, c) for c, m in zip(arrays["centres"], arrays["factors"], strict=True)]
    covariance = np.mean(spread, axis=0)
    np.testing.assert_allclose(np.trace(covariance), data.dimension, rtol=1e-12)
    np.testing.assert_allclose(np.cov(points.T), covariance, atol=0.04)
    np.testing.assert_allclose(points.mean(axis=0), 0, atol=0.03)


def test_dimensions_without_a_checksum_are_refused() -> None:
    with pytest.raises(UserError, match="no known checksum; accepted: mix3tomix10-2, mix3tomix10-4, mix3tomix10-8"):
        dataset("mix3tomix10-16")

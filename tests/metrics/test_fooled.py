"""Samples with equal mean and covariance, and what polynomial critics see of them."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from wgpipe.methods.polynomial import Polynomial
from wgpipe.metrics.fooled import Fooled, polynomial_suprema, with_moments_of
from wgpipe.metrics.transport import exact_cost
from wgpipe.rng import stream


def cloud(key: str, count: int = 200, dimension: int = 3) -> np.ndarray:
    return stream("fooled", key).standard_normal((count, dimension))


class Block:
    """One member whose real points are skewed."""

    def __init__(self, is_control: bool = True) -> None:
        self.job = SimpleNamespace(recipe=SimpleNamespace(is_control=is_control))

    def real(self, count: int) -> np.ndarray:
        return cloud("real", count)[None] ** 2 @ np.array([[1.0, 0.4, 0.0], [0.0, 0.7, 0.0], [0.2, 0.0, 1.0]])

    def generated(self, count: int) -> np.ndarray:
        return cloud("generated", count)[None] @ np.array([[2.0, 0.0, 0.0], [1.0, 0.3, 0.0], [0.0, 0.0, 1.0]]) + 5


def test_the_moved_sample_has_the_mean_and_the_covariance() -> None:
    block = Block()
    real, generated = block.real(200)[0], block.generated(150)[0]
    moved = with_moments_of(real, generated)
    np.testing.assert_allclose(moved.mean(axis=0), real.mean(axis=0), atol=1e-12)
    np.testing.assert_allclose(np.cov(moved.T, bias=True), np.cov(real.T, bias=True), rtol=1e-9, atol=1e-10)


def test_it_works_on_the_line() -> None:
    moved = with_moments_of(cloud("line", 50, 1), 4 * cloud("other", 50, 1) + 1)
    assert moved.mean() == pytest.approx(cloud("line", 50, 1).mean())
    assert moved.std() == pytest.approx(cloud("line", 50, 1).std())


def test_suprema_are_those_of_the_method_polynomial() -> None:
    x, y = cloud("x", 30), 1.3 * cloud("y", 40) + 0.2
    for degree in (1, 2, 3, 4):
        value = Polynomial(degree=degree).generator_objective(
            None, torch.from_numpy(y)[None], torch.from_numpy(x)[None]
        )
        assert polynomial_suprema(x, y)[degree - 1] == pytest.approx(float(value), rel=1e-10)


def test_degrees_one_and_two_see_nothing_and_the_others_and_w1_do() -> None:
    block = Block()
    found = {name: (values[0], protocol) for name, (values, protocol) in Fooled(sample=128).measure(block).items()}
    assert max(found["fooled_degree1"][0], found["fooled_degree2"][0]) < 1e-10
    assert 1 < found["fooled_degree3"][0] <= found["fooled_degree4"][0]
    x, y = block.real(128)[0], block.generated(128)[0]
    assert found["fooled_w1"][0] == pytest.approx(exact_cost(x, with_moments_of(x, y), 1))
    assert {protocol for _, protocol in found.values()} == {"fooled[real=128,generated=128]"}


def test_only_controls_are_measured() -> None:
    assert Fooled().measure(Block(is_control=False)) == {}

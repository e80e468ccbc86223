"""A generative moment matching network minimises the MMD of points to data, and needs no critic."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from scipy.spatial.distance import cdist

from tests.methods.short_training import energy_to, generated, modes, population, shares, trained
from tests.methods.stacks import MEMBERS, assert_members_stay_apart, critic_of, points
from wgpipe.methods.gmmn import Gmmn


def mmd_squared(x: np.ndarray, y: np.ndarray, bandwidths: tuple[float, ...]) -> float:
    def mean(a: np.ndarray, b: np.ndarray) -> float:
        return float(sum(np.exp(-(cdist(a, b) ** 2) / (2 * width)).mean() for width in bandwidths))

    return mean(x, x) + mean(y, y) - 2 * mean(x, y)


@pytest.mark.parametrize("bandwidths", [(2.0, 5.0, 10.0, 20.0, 40.0, 80.0), (0.3,)])
def test_the_objective_is_the_root_of_mmd_squared_or_mmd_squared(bandwidths: tuple[float, ...]) -> None:
    real, fake = points(0), points(1, 2.0)
    expected = [mmd_squared(real[e].numpy(), fake[e].numpy(), bandwidths) for e in range(MEMBERS)]
    for method, values in (
        (Gmmn(bandwidths=bandwidths), np.sqrt(expected)),
        (Gmmn(bandwidths=bandwidths, root=False), expected),
    ):
        found = method.generator_objective(critic_of(method), fake, real)
        np.testing.assert_allclose(found, values, rtol=1e-10)


def test_the_papers_bandwidths_are_the_defaults() -> None:
    assert Gmmn() == Gmmn(bandwidths=(2, 5, 10, 20, 40, 80), root=True)


@pytest.mark.parametrize("root", [True, False])
def test_a_sample_that_is_further_away_ranks_behind(root: bool) -> None:
    method, real = Gmmn(root=root), points(0)
    losses = [method.generator_objective(critic_of(method), points(1) + shift, real) for shift in (0, 0.5, 1, 2, 4)]
    assert (torch.stack(losses).diff(dim=0) > 0).all()


def test_there_is_no_critic() -> None:
    assert not Gmmn.has_critic


@pytest.mark.parametrize("root", [True, False])
def test_members_stay_apart(root: bool) -> None:
    assert_members_stay_apart(Gmmn(root=root))


@pytest.mark.parametrize("bandwidths", [(), (0.0,), (1.0, -1.0)])
def test_meaningless_bandwidths_are_refused(bandwidths: tuple[float, ...]) -> None:
    with pytest.raises(ValidationError):
        Gmmn(bandwidths=bandwidths)


def test_it_learns_a_ring_of_four_modes() -> None:
    """With bandwidths from the square of the modes' width to that of their distance."""
    training = {"steps": 300, "batch": 64, "average": 0.98, "generator_rate": 5e-3}
    learned = population("ring-4", {"name": "gmmn", "bandwidths": [0.01, 0.1, 1]}, critic=None, training=training)
    start = energy_to("ring-4", generated(learned))
    end = generated(trained(learned))
    assert energy_to("ring-4", end) < 0.2 * start
    assert (shares(end, modes("ring-4"), 0.25) > 0.1).all()

"""BEGAN's critic is an autoencoder, held in balance with the generator by a weight that follows both losses."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from tests.methods.short_training import energy_to, generated, population, trained
from tests.methods.stacks import MEMBERS, assert_members_stay_apart, critic_of, points, through
from wgpipe.methods.began import Began
from wgpipe.train.critic import Critic

CODES = 2


def lost(critic: Critic, batch: torch.Tensor, eta: int = 1) -> np.ndarray:
    """(E,) the autoencoder's loss."""
    found = []
    for e, member in enumerate(batch.numpy()):
        restored = through(critic.params, "decoder", e, through(critic.params, "encoder", e, member))
        found.append(np.mean(np.abs(member - restored) ** eta))
    return np.asarray(found)


@pytest.mark.parametrize("eta", [1, 2])
def test_the_generator_minimises_what_the_autoencoder_loses_of_its_points(eta: int) -> None:
    method = Began.model_validate({"codes": CODES, "eta": eta})
    critic, fake = critic_of(method), points(1, 2.0)
    found = method.generator_objective(critic, fake, points(0))
    np.testing.assert_allclose(found, lost(critic, fake, eta), rtol=1e-12)


def test_two_updates_of_the_weight_by_hand() -> None:
    method = Began(codes=CODES, gamma=0.9, lambda_k=0.2)
    critic, weight = critic_of(method), np.zeros(MEMBERS)
    for seed in (0, 10):
        real, fake = points(seed, 3.0), points(seed + 1)
        l_real, l_fake = lost(critic, real), lost(critic, fake)
        loss = method.critic_objective(critic, real, fake)
        np.testing.assert_allclose(loss, l_real - weight * l_fake, rtol=1e-12)
        weight = np.clip(weight + 0.2 * (0.9 * l_real - l_fake), 0, 1)
        assert ((weight > 0) & (weight < 1)).all()
        np.testing.assert_allclose(critic.state("k"), weight, rtol=1e-12)
        np.testing.assert_allclose(critic.state("convergence"), l_real + np.abs(0.9 * l_real - l_fake), rtol=1e-12)


@pytest.mark.parametrize(("real_scale", "fake_scale", "end"), [(1.0, 20.0, 0.0), (20.0, 1.0, 1.0)])
def test_the_weight_stays_between_0_and_1(real_scale: float, fake_scale: float, end: float) -> None:
    method = Began(codes=CODES, lambda_k=1)
    critic = critic_of(method)
    method.critic_objective(critic, points(0, real_scale), points(1, fake_scale))
    assert critic.state("k").tolist() == [end] * MEMBERS


def test_the_gradient_is_that_of_the_weight_before_its_update() -> None:
    method = Began(codes=CODES, lambda_k=0.5)
    critic, real, fake = critic_of(method), points(0, 3.0), points(1)
    critic.state("k").fill_(0.25)
    for value in critic.params.values():
        value.requires_grad_(value.ndim > 2)
    loss = method.critic_objective(critic, real, fake)
    assert not (critic.state("k") == 0.25).any()
    weight = critic.params["encoder.weight0"]
    (found,) = torch.autograd.grad(loss.sum(), weight)
    l_real, l_fake = (method.generator_objective(critic, batch, real) for batch in (real, fake))
    (expected,) = torch.autograd.grad((l_real - 0.25 * l_fake).sum(), weight)
    torch.testing.assert_close(found, expected)


def test_the_papers_values_are_the_defaults() -> None:
    method = Began()
    assert (method.gamma, method.lambda_k, method.eta) == (0.5, 0.001, 1)
    assert method.state()["k"] == 0
    assert method.parts(784) == {"encoder": (784, 64), "decoder": (64, 784)}


def test_members_stay_apart() -> None:
    assert_members_stay_apart(Began(codes=CODES, lambda_k=0.1))


@pytest.mark.parametrize("settings", [{"gamma": 0}, {"gamma": 1.5}, {"eta": 3}, {"codes": 0}, {"lambda_k": -1}])
def test_meaningless_settings_are_refused(settings: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        Began.model_validate(settings)


def test_it_learns_where_a_surface_is() -> None:
    """With as many codes as the surface has dimensions: it covers the middle of it."""
    training = {"steps": 400, "batch": 64, "average": 0.98, "generator_rate": 1e-3, "critic_rate": 2e-3}
    learned = population("surface-2in8", {"name": "began", "codes": 2}, training=training)
    start = energy_to("surface-2in8", generated(learned))
    assert energy_to("surface-2in8", generated(trained(learned))) < 0.2 * start
    assert learned.critic is not None
    assert 0 < learned.critic.params["state.method.convergence"].item() < 0.1

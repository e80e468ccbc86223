"""Losses are the papers' formulas, for each member on its own."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from wgpipe.methods.vanilla import Vanilla
from wgpipe.methods.wgan import Wgan
from wgpipe.train.critic import Critic


def logits(critic: Critic, x: torch.Tensor, member: int) -> np.ndarray:
    h = x[member].numpy()
    for layer in range(3):
        h = h @ critic.params[f"weight{layer}"][member].numpy() + critic.params[f"bias{layer}"][member].numpy()
        h = np.maximum(h, 0) if layer < 2 else h
    return np.asarray(h[:, 0])


def probability(logit: np.ndarray) -> np.ndarray:
    return np.asarray(1 / (1 + np.exp(-logit)))


def test_a_wgan_critic_maximises_the_difference_of_means(
    critic: Critic, real: torch.Tensor, fake: torch.Tensor
) -> None:
    losses = Wgan().critic_loss(critic, real, fake)
    expected = [logits(critic, fake, e).mean() - logits(critic, real, e).mean() for e in range(3)]
    np.testing.assert_allclose(losses, expected, rtol=1e-12)


def test_a_wgan_generator_maximises_the_mean_of_the_critic(critic: Critic, fake: torch.Tensor) -> None:
    expected = [-logits(critic, fake, e).mean() for e in range(3)]
    np.testing.assert_allclose(Wgan().generator_loss(critic, fake), expected, rtol=1e-12)


@pytest.mark.parametrize("method", [Vanilla(), Vanilla(loss="minimax")])
def test_a_vanilla_critic_maximises_the_log_likelihood(
    method: Vanilla, critic: Critic, real: torch.Tensor, fake: torch.Tensor
) -> None:
    def likelihood(member: int) -> float:
        d_real, d_fake = (probability(logits(critic, x, member)) for x in (real, fake))
        return float(np.log(d_real).mean() + np.log(1 - d_fake).mean())

    losses = method.critic_loss(critic, real, fake)
    np.testing.assert_allclose(losses, [-likelihood(e) for e in range(3)], rtol=1e-12)


def test_a_non_saturating_generator_maximises_the_log_of_d(critic: Critic, fake: torch.Tensor) -> None:
    expected = [-np.log(probability(logits(critic, fake, e))).mean() for e in range(3)]
    np.testing.assert_allclose(Vanilla().generator_loss(critic, fake), expected, rtol=1e-12)


def test_a_minimax_generator_minimises_the_critics_objective(critic: Critic, fake: torch.Tensor) -> None:
    expected = [np.log(1 - probability(logits(critic, fake, e))).mean() for e in range(3)]
    np.testing.assert_allclose(Vanilla(loss="minimax").generator_loss(critic, fake), expected, rtol=1e-12)


def test_non_saturating_is_the_default() -> None:
    assert Vanilla() == Vanilla(loss="non-saturating")


def test_a_vanilla_loss_stays_finite_where_the_critic_is_certain(critic: Critic, fake: torch.Tensor) -> None:
    sure = Critic(critic.net, {name: value * 1e4 for name, value in critic.params.items()})
    assert Vanilla().critic_loss(sure, fake, fake).isfinite().all()
    assert Vanilla().generator_loss(sure, fake).isfinite().all()

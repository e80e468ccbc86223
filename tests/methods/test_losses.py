"""Losses are the papers' formulas, for each member on its own."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from wgpipe import registry
from wgpipe.methods import Adversarial
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
    losses = Wgan().critic_objective(critic, real, fake)
    expected = [logits(critic, fake, e).mean() - logits(critic, real, e).mean() for e in range(3)]
    np.testing.assert_allclose(losses, expected, rtol=1e-12)


def test_a_wgan_generator_maximises_the_mean_of_the_critic(critic: Critic, fake: torch.Tensor) -> None:
    expected = [-logits(critic, fake, e).mean() for e in range(3)]
    np.testing.assert_allclose(Wgan().generator_objective(critic, fake, fake), expected, rtol=1e-12)


@pytest.mark.parametrize("method", [Vanilla(), Vanilla(loss="minimax")])
def test_a_vanilla_critic_maximises_the_log_likelihood(
    method: Vanilla, critic: Critic, real: torch.Tensor, fake: torch.Tensor
) -> None:
    def likelihood(member: int) -> float:
        d_real, d_fake = (probability(logits(critic, x, member)) for x in (real, fake))
        return float(np.log(d_real).mean() + np.log(1 - d_fake).mean())

    losses = method.critic_objective(critic, real, fake)
    np.testing.assert_allclose(losses, [-likelihood(e) for e in range(3)], rtol=1e-12)


def test_a_non_saturating_generator_maximises_the_log_of_d(critic: Critic, fake: torch.Tensor) -> None:
    expected = [-np.log(probability(logits(critic, fake, e))).mean() for e in range(3)]
    np.testing.assert_allclose(Vanilla().generator_objective(critic, fake, fake), expected, rtol=1e-12)


def test_a_minimax_generator_minimises_the_critics_objective(critic: Critic, fake: torch.Tensor) -> None:
    expected = [np.log(1 - probability(logits(critic, fake, e))).mean() for e in range(3)]
    np.testing.assert_allclose(Vanilla(loss="minimax").generator_objective(critic, fake, fake), expected, rtol=1e-12)


def test_non_saturating_is_the_default() -> None:
    assert Vanilla() == Vanilla(loss="non-saturating")


def test_a_vanilla_loss_stays_finite_where_the_critic_is_certain(critic: Critic, fake: torch.Tensor) -> None:
    sure = Critic(critic.net, {name: value * 1e4 for name, value in critic.params.items()})
    assert Vanilla().critic_objective(sure, fake, fake).isfinite().all()
    assert Vanilla().generator_objective(sure, fake, fake).isfinite().all()


class Hinge(Adversarial):
    """A method of the user's own, whose derivatives are not written down."""

    def critic_loss(self, f_real: torch.Tensor, f_fake: torch.Tensor) -> torch.Tensor:
        return ((1 - f_real).clamp_min(0) + (1 + f_fake).clamp_min(0)).mean(dim=1)

    def generator_loss(self, f_fake: torch.Tensor) -> torch.Tensor:
        return -f_fake.mean(dim=1)


class OfPoints(Adversarial):
    """A loss that needs more than the critic's values."""

    def critic_objective(self, critic: Critic, real: torch.Tensor, fake: torch.Tensor) -> torch.Tensor:
        return critic(fake - real).mean(dim=1)


REGISTERED = [registry.load("method", name)() for name in registry.files("method")]
OF_VALUES = [each for each in REGISTERED if isinstance(each, Adversarial) and each.of_values_alone()]
METHODS = [*OF_VALUES, Vanilla(loss="minimax"), Hinge()]


@pytest.mark.parametrize("method", METHODS, ids=repr)
def test_derivatives_of_losses_are_those_of_automatic_differentiation(method: Adversarial) -> None:
    generator = np.random.default_rng(14)
    f_real, f_fake = (torch.from_numpy(generator.standard_normal((3, 7)) * 3).requires_grad_() for _ in range(2))
    of_critic = torch.autograd.grad(method.critic_loss(f_real, f_fake).sum(), (f_real, f_fake))
    (of_generator,) = torch.autograd.grad(method.generator_loss(f_fake).sum(), f_fake)
    with torch.no_grad():
        torch.testing.assert_close(method.critic_derivatives(f_real, f_fake), of_critic)
        torch.testing.assert_close(method.generator_derivative(f_fake), of_generator)


def test_a_method_with_an_objective_of_its_own_is_not_one_of_values_alone() -> None:
    assert {"wgan", "vanilla"} <= {method.registered_name for method in OF_VALUES}
    assert not OfPoints().of_values_alone()

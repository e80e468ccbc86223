"""The Coulomb GAN's critic regresses on the potential of its batch, and its generator goes downhill in the critic."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from tests.methods.short_training import energy_to, generated, modes, population, shares, trained
from tests.methods.stacks import BATCH, MEMBERS, assert_members_stay_apart, critic_of, points, through
from wgpipe.methods.coulomb import Coulomb


def potential(at: np.ndarray, real: np.ndarray, fake: np.ndarray, dimension: float, epsilon: float) -> np.ndarray:
    """(k, d), (B, d), (B, d) -> (k,), charge by charge."""
    found = np.zeros(len(at))
    for charges, sign in ((fake, 1), (real, -1)):
        for charge in charges:
            distance = np.sqrt(np.sum((at - charge) ** 2, axis=1) + epsilon**2)
            found += sign / len(charges) / distance ** (dimension - 2)
    return found


@pytest.mark.parametrize(("dimension", "epsilon"), [(3.0, 1.0), (4.0, 0.3)])
def test_the_potential_is_the_sum_over_charges(dimension: float, epsilon: float) -> None:
    real, fake = points(0), points(1, 2.0)
    at_real, at_fake = Coulomb(dimension=dimension, epsilon=epsilon).potential(real, fake)
    for e in range(MEMBERS):
        x, y = real[e].numpy(), fake[e].numpy()
        np.testing.assert_allclose(at_real[e], potential(x, x, y, dimension, epsilon), rtol=1e-10, atol=1e-13)
        np.testing.assert_allclose(at_fake[e], potential(y, x, y, dimension, epsilon), rtol=1e-10, atol=1e-13)


def test_a_pair_of_opposite_charges_pulls_each_down_by_what_the_other_does_not_see() -> None:
    real, fake = torch.zeros(1, 1, 3), torch.tensor([[[3.0**0.5, 0, 0]]])
    at_real, at_fake = Coulomb().potential(real, fake)
    torch.testing.assert_close([at_real.item(), at_fake.item()], [1 / 2 - 1, 1 - 1 / 2])


@pytest.mark.parametrize("epsilon", [1.0, 0.5])
def test_self_terms_shift_the_potential_at_own_points_by_k_of_0_over_the_batch(epsilon: float) -> None:
    """The mean over B points is the mean over the other B - 1, times 1 - 1/B, plus k(0) / B."""
    real, fake = points(0), points(1, 2.0)
    own = {kept: Coulomb(epsilon=epsilon, self_terms=kept) for kept in (True, False)}
    far = torch.full_like(real, 1e12)  # charges too far away to be felt
    for at, sign in ((0, -1), (1, 1)):
        batches = {0: (real, far), 1: (far, fake)}[at]
        with_self, without = (own[kept].potential(*batches)[at] for kept in (True, False))
        torch.testing.assert_close(with_self, (1 - 1 / BATCH) * without + sign / (epsilon * BATCH))


def test_the_critic_is_a_regression_on_the_potential_at_both_batches() -> None:
    method, real, fake = Coulomb(epsilon=0.5), points(0), points(1, 2.0)
    critic = critic_of(method)
    for e, loss in enumerate(method.critic_objective(critic, real, fake)):
        x, y = real[e].numpy(), fake[e].numpy()
        misses = [through(critic.params, "", e, at)[:, 0] - potential(at, x, y, 3, 0.5) for at in (x, y)]
        assert loss.item() == pytest.approx(sum(np.mean(miss**2) for miss in misses), rel=1e-10)


def test_the_generator_minimises_the_critics_mean_and_sees_no_potential() -> None:
    method, fake = Coulomb(), points(1).requires_grad_()
    critic = critic_of(method)
    loss = method.generator_objective(critic, fake, points(0))
    expected = [through(critic.params, "", e, fake[e].detach().numpy()).mean() for e in range(MEMBERS)]
    np.testing.assert_allclose(loss.detach(), expected, rtol=1e-12)
    assert not any(at.requires_grad for at in method.potential(points(0), fake))


@pytest.mark.parametrize("kept", [True, False])
def test_members_stay_apart(kept: bool) -> None:
    assert_members_stay_apart(Coulomb(self_terms=kept))


@pytest.mark.parametrize("settings", [{"dimension": 2}, {"epsilon": 0}, {"penalty": 1}])
def test_meaningless_settings_are_refused(settings: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        Coulomb(**settings)


def test_it_learns_a_ring_of_four_modes() -> None:
    """With the kernel's ε between the modes' width and their distance."""
    rates = {"generator_rate": 3e-3, "critic_rate": 5e-3, "critic_steps": 2}
    training = {"steps": 300, "batch": 64, "average": 0.98, **rates}
    learned = population("ring-4", {"name": "coulomb", "epsilon": 0.3}, training=training)
    start = energy_to("ring-4", generated(learned))
    end = generated(trained(learned))
    assert energy_to("ring-4", end) < 0.2 * start
    assert (shares(end, modes("ring-4"), 0.25) > 0.05).all()

"""The MMD GAN's critic is an autoencoder whose codes tell real from generated points as well as an MMD can."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from scipy.spatial.distance import cdist

from tests.methods.short_training import energy_to, generated, modes, population, shares, trained
from tests.methods.stacks import MEMBERS, assert_members_stay_apart, critic_of, points, through
from wgpipe.methods.mmd_gan import MmdGan
from wgpipe.train.critic import Critic

CODES = 4


def terms(critic: Critic, real: torch.Tensor, fake: torch.Tensor, e: int) -> tuple[float, float, float]:
    """MMD² of the codes, how far their means are in the wrong order, and what the autoencoder loses of both."""
    x, y = real[e].numpy(), fake[e].numpy()
    f_x, f_y = (through(critic.params, "encoder", e, at) for at in (x, y))
    lost = sum(np.mean((through(critic.params, "decoder", e, f) - at) ** 2) for f, at in ((f_x, x), (f_y, y)))

    def mean(a: np.ndarray, b: np.ndarray) -> float:
        return float(sum(np.exp(-(cdist(a, b) ** 2) / (2 * sigma**2)).mean() for sigma in (1, 2, 4, 8, 16)))

    wrong = np.mean([max(0.0, f_y[:, c].mean() - f_x[:, c].mean()) for c in range(CODES)])
    return mean(f_x, f_x) + mean(f_y, f_y) - 2 * mean(f_x, f_y), float(wrong), float(lost)


@pytest.mark.parametrize("root", [True, False])
def test_the_objectives_are_those_of_the_authors_code(root: bool) -> None:
    method, real, fake = MmdGan(codes=CODES, root=root), points(0), points(1, 2.0) + 1
    critic = critic_of(method)
    losses = method.critic_objective(critic, real, fake), method.generator_objective(critic, fake, real)
    found = [terms(critic, real, fake, e) for e in range(MEMBERS)]
    assert min(wrong for _, wrong, _ in found) > 0
    for e, (squared, wrong, lost) in enumerate(found):
        distance = (squared**0.5 if root else squared) - 16 * wrong
        assert losses[0][e].item() == pytest.approx(8 * lost - distance, rel=1e-10)
        assert losses[1][e].item() == pytest.approx(distance, rel=1e-10)


def test_means_in_the_right_order_cost_nothing() -> None:
    critic, real, fake = critic_of(MmdGan(codes=CODES)), points(0), points(1, 2.0)
    with torch.no_grad():
        critic.params["encoder.weight2"].zero_()  # all codes are equal
    for weight in (0, 16):
        loss = MmdGan(codes=CODES, rank=weight, root=False).generator_objective(critic, fake, real)
        torch.testing.assert_close(loss, torch.zeros_like(loss))


def test_the_critic_encodes_and_decodes() -> None:
    assert MmdGan(codes=5).parts(7) == {"encoder": (7, 5), "decoder": (5, 7)}


@pytest.mark.parametrize("root", [True, False])
def test_members_stay_apart(root: bool) -> None:
    assert_members_stay_apart(MmdGan(codes=CODES, root=root))


@pytest.mark.parametrize("settings", [{"codes": 0}, {"sigmas": ()}, {"sigmas": (0,)}, {"rank": -1}])
def test_meaningless_settings_are_refused(settings: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        MmdGan.model_validate(settings)


def test_it_learns_a_surface() -> None:
    """With the paper's weights, kernel and clipping."""
    training = {"steps": 150, "batch": 64, "average": 0.97, "critic_steps": 2, "critic_rate": 1e-3}
    clip = {"name": "clip", "bound": 0.01}
    method = {"name": "mmd-gan", "codes": 8}
    learned = population("surface-2in8", method, constraint=clip, training={**training, "generator_rate": 1e-3})
    start = energy_to("surface-2in8", generated(learned))
    assert energy_to("surface-2in8", generated(trained(learned))) < 0.1 * start


def test_it_learns_a_ring_of_eight_modes() -> None:
    """With kernels as wide as modes and their distances are, and without the rank term.

    In the plane that term drives the generator to infinity, where real codes are always below generated ones.
    """
    method = {"name": "mmd-gan", "codes": 4, "sigmas": (0.1, 0.2, 0.5, 1.0, 2.0), "rank": 0}
    clip = {"name": "clip", "bound": 0.5, "part": "encoder"}
    training = {"steps": 400, "batch": 64, "average": 0.98, "generator_rate": 5e-3, "critic_rate": 2e-3}
    learned = population("ring-8", method, constraint=clip, training=training)
    start = energy_to("ring-8", generated(learned))
    end = generated(trained(learned))
    assert energy_to("ring-8", end) < 0.05 * start
    assert (shares(end, modes("ring-8"), 0.3) > 0.05).all()

"""Critics trained alone, as Wasserstein critics, between two samples that stay as they are."""

from __future__ import annotations

import numpy as np
import torch

from wgpipe.methods.wgan import Wgan
from wgpipe.nets import Net, Params
from wgpipe.train.critic import Critic

RATE = 0.01


def trained(net: Net, real: torch.Tensor, fake: torch.Tensor, steps: int) -> Critic:
    """(E, B, d), (E, B, d): each member after Adam, whose rate falls to 0 over the second half."""
    each = [net.init(np.random.default_rng(seed), real.shape[-1], 1) for seed in range(len(real))]
    params: Params = {name: torch.from_numpy(np.stack([one[name] for one in each])).to(real) for name in each[0]}
    for value in params.values():
        value.requires_grad_()
    critic = Critic(net, params)
    adam = torch.optim.Adam(params.values(), lr=RATE, betas=(0.0, 0.9))
    for step in range(steps):
        adam.param_groups[0]["lr"] = RATE * min(1.0, 2 * (1 - step / steps))
        adam.zero_grad()
        Wgan().critic_objective(critic, real, fake).sum().backward()
        adam.step()
        with torch.no_grad():
            net.project(params)
    return critic.detached()


def value(critic: Critic, real: torch.Tensor, fake: torch.Tensor) -> np.ndarray:
    """(E,) E f(real) - E f(fake)."""
    return np.asarray(-Wgan().critic_objective(critic, real, fake).numpy())

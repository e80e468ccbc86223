"""Losses and their gradients by automatic differentiation: for every method and every network."""

from __future__ import annotations

import torch

from wgpipe.methods import Adversarial
from wgpipe.methods.constraints import Constraint
from wgpipe.nets import Net
from wgpipe.train.adam import side_by_side
from wgpipe.train.critic import Critic
from wgpipe.train.sides import Side

NO_CRITIC = Critic(Net(), {})


class Autograd:
    """The path that needs nothing of a net but its `apply`. Points are (E, B, d)."""

    name = "autograd"

    def __init__(
        self, method: Adversarial, constraint: Constraint, generator: Side | None, critic: Side | None
    ) -> None:
        self.method, self.constraint = method, constraint
        self.generator, self.critic = generator, critic

    def generate(self, noise: torch.Tensor) -> torch.Tensor:
        """(E, B, k) latent points -> (E, B, d)."""
        assert self.generator is not None
        return self.generator.net.apply(self.generator.params, noise)

    @torch.enable_grad()
    def critic_step(self, real: torch.Tensor, fake: torch.Tensor, mix: torch.Tensor) -> torch.Tensor:
        """(E, P) gradient, in the critic's packed parameters, of what the critic minimises."""
        assert self.critic is not None
        critic = Critic(self.critic.net, self.critic.params)
        loss = self.method.critic_objective(critic, real, fake)
        if self.constraint.bounds_slope:
            loss = loss + self.constraint.penalty(critic.slope(fake.lerp(real, mix)))
        self.last_critic_loss = loss.detach()
        return _gradient(loss, self.critic)

    def critic_loss(self) -> torch.Tensor:
        """(E,) what the critic minimised in the last step."""
        return self.last_critic_loss

    @torch.enable_grad()
    def generator_step(self, noise: torch.Tensor, real: torch.Tensor) -> torch.Tensor:
        """(E, P) gradient, in the generator's packed parameters, of what the generator minimises."""
        assert self.generator is not None
        critic = Critic(self.critic.net, self.critic.params) if self.critic is not None else NO_CRITIC
        loss = self.method.generator_objective(critic, self.generate(noise), real)
        self.last_generator_loss = loss.detach()
        return _gradient(loss, self.generator)

    def generator_loss(self) -> torch.Tensor:
        """(E,) what the generator minimised in the last step."""
        return self.last_generator_loss


def _gradient(loss: torch.Tensor, side: Side) -> torch.Tensor:
    return side_by_side(torch.autograd.grad(loss.sum(), list(side.trained().values())))

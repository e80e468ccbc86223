"""Losses and their gradients by passes written out: for perceptrons, and losses of the critic's values alone."""

from __future__ import annotations

import warnings

import numpy as np
import torch

from wgpipe.methods import Adversarial
from wgpipe.methods.constraints import Constraint
from wgpipe.nets.passes import Layers, Perceptron, ScalarPerceptron
from wgpipe.recipe import Training
from wgpipe.train.adam import views
from wgpipe.train.autograd import Autograd
from wgpipe.train.sides import Side

CHECKED = 32  # points
STEEP = 3  # times the weights that a critic starts with, so that one-sided penalties take part
TINY = 1e-30  # stands for a slope of 0, where the gradient is 0 too


class Analytic:
    """The fast path, equal to `Autograd` to rounding. Points are (E, B, d), and (E, d, B) in memory."""

    name = "analytic"

    def __init__(
        self,
        method: Adversarial,
        constraint: Constraint,
        generator: Side | None,
        critic: Side,
        batch: int,
        critic_steps: int,
    ) -> None:
        self.method, self.constraint, self.batch = method, constraint, batch
        self.critic_gradient = torch.zeros_like(critic.packed)
        layers, into, leak = _passes(critic, self.critic_gradient)
        slopes = batch if constraint.bounds_slope else 0
        self.critic = ScalarPerceptron(layers, into, leak, 2 * batch + slopes, slopes)
        if generator is not None:
            self.judge = ScalarPerceptron(layers, into, leak, batch, 0)
            self.generator_gradient = torch.zeros_like(generator.packed)
            passes = _passes(generator, self.generator_gradient)
            self.sampler = Perceptron(*passes, critic_steps * batch)
            self.generator = Perceptron(*passes, batch)
        points = self.critic.x.mT
        self.real, self.fake, self.mixed = points[:, :batch], points[:, batch : 2 * batch], points[:, 2 * batch :]

    @classmethod
    def applies(cls, method: Adversarial, constraint: Constraint, generator: Side | None, critic: Side) -> bool:
        """Whether both sides say that they are perceptrons, and the losses that values decide them; and it is true."""
        nets = [side.net for side in (generator, critic) if side is not None]
        declared = method.of_values_alone() and all(net.perceptron_leak() is not None for net in nets)
        if declared and not _equals_autograd(method, constraint, generator, critic):
            warnings.warn("written-out gradients differ from automatic differentiation, which is used", stacklevel=2)
            return False
        return declared

    def generate(self, noise: torch.Tensor) -> torch.Tensor:
        """(E, C B, k) latent points of C critic steps -> (E, C B, d); overwritten by the next call."""
        self.sampler.x.copy_(noise.mT)
        return self.sampler.forward().mT

    def critic_step(self, real: torch.Tensor, fake: torch.Tensor, mix: torch.Tensor) -> torch.Tensor:
        """(E, P) gradient, in the critic's packed parameters, of what the critic minimises."""
        self.real.copy_(real)
        self.fake.copy_(fake)
        if self.constraint.bounds_slope:
            torch.lerp(fake, real, mix, out=self.mixed)
        self.f_real, self.f_fake = self.critic.forward()[:, 0].split(self.batch, dim=1)
        derivatives = torch.cat(self.method.critic_derivatives(self.f_real, self.f_fake), dim=1)[:, None]
        self.critic.backward(derivatives)
        self.critic.gradients(derivatives, self._through_penalty() if self.constraint.bounds_slope else None)
        return self.critic_gradient

    def _through_penalty(self) -> torch.Tensor:
        """(E, d, B) derivatives of the penalty in the critic's gradients."""
        gradient = self.critic.slope_gradient()
        self.slope = gradient.square().sum(dim=1).sqrt_()
        return gradient.mul_((self.constraint.penalty_derivative(self.slope) / self.slope.clamp_min(TINY))[:, None])

    def critic_loss(self) -> torch.Tensor:
        """(E,) what the critic minimised in the last step."""
        loss = self.method.critic_loss(self.f_real, self.f_fake)
        return loss + self.constraint.penalty(self.slope) if self.constraint.bounds_slope else loss

    def generator_step(self, noise: torch.Tensor, real: torch.Tensor) -> torch.Tensor:
        """(E, P) gradient, in the generator's packed parameters, of what the generator minimises."""
        self.generator.x.copy_(noise.mT)
        self.judge.x.copy_(self.generator.forward())
        self.f_generated = self.judge.forward()[:, 0]
        self.judge.backward(self.method.generator_derivative(self.f_generated)[:, None])
        fake_gradient = self.judge.valued_gradient()
        self.generator.backward(fake_gradient)
        self.generator.gradients(fake_gradient)
        return self.generator_gradient

    def generator_loss(self) -> torch.Tensor:
        """(E,) what the generator minimised in the last step."""
        return self.method.generator_loss(self.f_generated)


def _passes(side: Side, gradient: torch.Tensor) -> tuple[Layers, Layers, float]:
    """A side's layers, those that take their derivatives, and the leak of its activations."""
    leak = side.net.perceptron_leak()
    assert leak is not None
    return Layers.of(side.trained()), Layers.of(views(gradient, side.trained())), leak


def _equals_autograd(method: Adversarial, constraint: Constraint, generator: Side | None, critic: Side) -> bool:
    """Whether both paths give the same gradients for one member, in double precision, on points of no meaning.

    They do not where a subclass changes a loss or a network and inherits what follows from its parent's.
    """
    stream, double = np.random.default_rng(0), torch.zeros((), dtype=torch.float64)

    def copy(side: Side) -> Side:
        return Side(side.net, side.parts, {}, [stream], double, Training())

    critic, generator = copy(critic), copy(generator) if generator is not None else None
    critic.packed.mul_(STEEP)
    real, fake = (torch.from_numpy(stream.standard_normal((1, CHECKED, critic.inputs))) for _ in range(2))
    mix = torch.from_numpy(stream.random((1, CHECKED, 1)))
    fast = Analytic(method, constraint, generator, critic, CHECKED, 1)
    plain = Autograd(method, constraint, generator, critic)
    with torch.no_grad():
        pairs = [(fast.critic_step(real, fake, mix), plain.critic_step(real, fake, mix))]
        if generator is not None:
            noise = torch.from_numpy(stream.standard_normal((1, CHECKED, generator.inputs)))
            pairs.append((fast.generate(noise), plain.generate(noise)))
            pairs.append((fast.generator_step(noise, real), plain.generator_step(noise, real)))
    return all(torch.allclose(found, expected, rtol=1e-6, atol=1e-10) for found, expected in pairs)

"""Adversarial training of a stack of members."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import torch

from wgpipe.nets import Net, Params
from wgpipe.recipe import Recipe
from wgpipe.rng import run_stream
from wgpipe.train.critic import Critic
from wgpipe.train.draws import CHUNK, Members


class Population:
    """E members of one recipe on samples (E, n, d), trained together and never mixed.

    A member whose parameters or losses stop being finite goes back to where it stood at the last whole chunk and is
    frozen there; the others go on as if it had never been.
    """

    def __init__(
        self, recipe: Recipe, members: Members, sample: torch.Tensor, latent: int, device: torch.device
    ) -> None:
        assert recipe.generator is not None and recipe.critic is not None
        self.recipe, self.members, self.latent, self.device = recipe, members, latent, device
        self.method = recipe.method.build("method")
        self.constraint = recipe.constraint.build("constraint")
        self.generator_net: Net = recipe.generator.build("net")
        self.critic_net: Net = recipe.critic.build("net")
        self.sample = sample.to(device)
        dimension = sample.shape[-1]
        self.generator = self._init("init-generator", self.generator_net, latent, dimension)
        self.critic = self._init("init-critic", self.critic_net, dimension, 1)
        self.average = {name: value.detach().clone() for name, value in self.generator.items()}
        self.generator_adam = self._adam(self.generator, recipe.training.generator_rate)
        self.critic_adam = self._adam(self.critic, recipe.training.critic_rate)
        self.step = 0
        self.diverged_at = torch.full((len(members.seeds),), -1, dtype=torch.int64)

    def train_chunk(self) -> dict[str, np.ndarray]:
        """CHUNK generator updates (fewer at the end); mean losses over them, (E,) each."""
        training = self.recipe.training
        before = self.state()
        draws = self.members.draw(self.recipe, self.latent, self.step // CHUNK, self.device)
        count = min(CHUNK, training.steps - self.step)
        rows = torch.arange(len(self.members.seeds), device=self.device)[:, None]
        critic_losses, generator_losses = [], []
        for i in range(count):
            self._set_rates(self.step + i)
            for j in range(training.critic_steps):
                real = self.sample[rows, draws.indices[i, j]]
                critic_losses.append(self._critic_update(real, draws.critic_noise[i, j], draws.mixes[i, j]))
            generator_losses.append(self._generator_update(draws.generator_noise[i]))
        self.step += count
        losses = {"critic_loss": torch.stack(critic_losses), "generator_loss": torch.stack(generator_losses)}
        self._freeze_diverged(before, losses.values())
        return {name: loss.mean(dim=0).double().cpu().numpy() for name, loss in losses.items()}

    def measured_generator(self) -> Params:
        """Parameters to store: the running average, or the last ones."""
        return self.average if self.recipe.training.average else self.generator

    def state(self) -> dict[str, torch.Tensor]:
        """Copies of everything that training changes, by name."""
        groups = {"generator": self.generator, "critic": self.critic, "average": self.average}
        flat = {f"{group}.{name}": value for group, params in groups.items() for name, value in params.items()}
        for group, adam, params in self._optimisers():
            for name, value in params.items():
                flat |= {f"{group}_adam.{name}.{key}": moment for key, moment in adam.state[value].items()}
        flat["step"], flat["diverged_at"] = torch.tensor(self.step), self.diverged_at
        return {name: value.detach().clone() for name, value in flat.items()}

    def load_state(self, state: dict[str, torch.Tensor]) -> None:
        """Go back to a `state()`."""
        groups = {"generator": self.generator, "critic": self.critic, "average": self.average}
        with torch.no_grad():
            for group, params in groups.items():
                for name, value in params.items():
                    value.copy_(state[f"{group}.{name}"])
        for group, adam, params in self._optimisers():
            for name, value in params.items():
                prefix = f"{group}_adam.{name}."
                adam.state[value] = {k.removeprefix(prefix): v for k, v in state.items() if k.startswith(prefix)}
        self.step = int(state["step"])
        self.diverged_at = state["diverged_at"].clone()

    def _critic_update(self, real: torch.Tensor, noise: torch.Tensor, mix: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            fake = self.generator_net.apply(self.generator, noise)
        loss = self.critic_objective(real, fake, mix)
        self._update(self.critic_adam, self.critic, loss)
        with torch.no_grad():
            self.constraint.project(_trained(self.critic))
            self.critic_net.project(self.critic)
        return loss.detach()

    def critic_objective(self, real: torch.Tensor, fake: torch.Tensor, mix: torch.Tensor) -> torch.Tensor:
        """(E,) what the critic minimises: the method's loss and the constraint's penalty."""
        critic = Critic(self.critic_net, self.critic)
        loss: torch.Tensor = self.method.critic_loss(critic, real, fake)
        return loss + self.constraint.penalty(critic, real, fake, mix)

    def _generator_update(self, noise: torch.Tensor) -> torch.Tensor:
        fake = self.generator_net.apply(self.generator, noise)
        loss: torch.Tensor = self.method.generator_loss(Critic(self.critic_net, self.critic), fake)
        self._update(self.generator_adam, self.generator, loss)
        with torch.no_grad():
            self.generator_net.project(self.generator)
            for name, value in self.generator.items():
                self.average[name].lerp_(value, 1 - self.recipe.training.average)
        return loss.detach()

    def _update(self, adam: torch.optim.Adam, params: Params, loss: torch.Tensor) -> None:
        trained = list(_trained(params).values())
        frozen = (self.diverged_at >= 0).to(self.device)
        any_frozen = bool((self.diverged_at >= 0).any())
        for value, gradient in zip(trained, torch.autograd.grad(loss.sum(), trained), strict=True):
            if any_frozen:
                gradient[frozen] = 0
            value.grad = gradient
        adam.step()

    def _freeze_diverged(self, before: dict[str, torch.Tensor], losses: Iterable[torch.Tensor]) -> None:
        """Members that are no longer finite: back to `before`, with their optimisers at rest."""
        finite = torch.stack([loss.isfinite().all(dim=0) for loss in losses]).all(dim=0).cpu()
        for value in (*self.generator.values(), *self.critic.values()):
            finite &= value.detach().flatten(1).isfinite().all(dim=1).cpu()
        fresh = ~finite & (self.diverged_at < 0)
        if not fresh.any():
            return
        self.diverged_at[fresh] = self.step
        state = self.state()
        for name, value in state.items():
            if value.ndim >= 2:
                value[fresh.to(value.device)] = 0 if "_adam." in name else before[name][fresh.to(value.device)]
        self.load_state(state)

    def _set_rates(self, step: int) -> None:
        training = self.recipe.training
        factor = 1.0 if training.decay == "none" else min(1.0, 2 * (1 - step / training.steps))
        for adam, rate in ((self.generator_adam, training.generator_rate), (self.critic_adam, training.critic_rate)):
            adam.param_groups[0]["lr"] = rate * factor

    def _init(self, purpose: str, net: Net, inputs: int, outputs: int) -> Params:
        members = self.members
        each = [
            net.init(run_stream(members.dataset, members.n, seed, purpose), inputs, outputs) for seed in members.seeds
        ]
        stacked = {name: torch.from_numpy(np.stack([one[name] for one in each])).to(self.device) for name in each[0]}
        for value in _trained(stacked).values():
            value.requires_grad_()
        return stacked

    def _adam(self, params: Params, rate: float) -> torch.optim.Adam:
        return torch.optim.Adam(_trained(params).values(), lr=rate, betas=self.recipe.training.betas, fused=True)

    def _optimisers(self) -> list[tuple[str, torch.optim.Adam, dict[str, Any]]]:
        return [
            ("generator", self.generator_adam, _trained(self.generator)),
            ("critic", self.critic_adam, _trained(self.critic)),
        ]


def _trained(params: Params) -> Params:
    return {name: value for name, value in params.items() if not name.startswith("state.")}

"""Adversarial training of a stack of members."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import torch

from wgpipe.nets import Net, Params
from wgpipe.recipe import Recipe
from wgpipe.rng import run_stream
from wgpipe.train.adam import Adam, pack
from wgpipe.train.critic import Critic
from wgpipe.train.draws import CHUNK, Members


class Population:
    """E members of one recipe on samples (E, n, d), trained together and never mixed, in the precision `dtype`.

    A member whose state or losses stop being finite goes back to where it stood at the last whole chunk, and stays
    there; the others go on as if it had never been. `diverged_at` is the step at which that was noticed, or -1.
    """

    def __init__(
        self,
        recipe: Recipe,
        members: Members,
        sample: torch.Tensor,
        latent: int,
        device: torch.device,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        assert recipe.generator is not None and recipe.critic is not None
        self.recipe, self.members, self.latent = recipe, members, latent
        self.device, self.dtype = device, dtype
        self.method = recipe.method.build("method")
        self.constraint = recipe.constraint.build("constraint")
        self.generator_net: Net = recipe.generator.build("net")
        self.critic_net: Net = recipe.critic.build("net")
        self.sample = sample.to(device, dtype)
        dimension = sample.shape[-1]
        self.generator = self._init("init-generator", self.generator_net, latent, dimension)
        self.critic = self._init("init-critic", self.critic_net, dimension, 1)
        self.average = {name: value.detach().clone() for name, value in self.generator.items()}
        self.generator_adam = Adam(pack(_trained(self.generator)), recipe.training.betas)
        self.critic_adam = Adam(pack(_trained(self.critic)), recipe.training.betas)
        self.packed_average = pack(_trained(self.average))
        self.step = 0
        self.diverged_at = torch.full((len(members.seeds),), -1, dtype=torch.int64)

    def train_chunk(self) -> dict[str, np.ndarray]:
        """CHUNK generator updates (fewer at the end); mean losses over them, (E,) each, NaN for diverged members."""
        training = self.recipe.training
        before = self.state()
        draws = self.members.draw(self.recipe, self.latent, self.step // CHUNK, self.device, self.dtype)
        count = min(CHUNK, training.steps - self.step)
        rows = torch.arange(len(self.members.seeds), device=self.device)[:, None]
        critic_losses, generator_losses = [], []
        for i in range(count):
            step = self.step + i
            for j in range(training.critic_steps):
                real = self.sample[rows, draws.indices[i, j]]
                fake = self.generate(draws.critic_noise[i, j])
                critic_losses.append(self.update_critic(real, fake, draws.mixes[i, j], self._decay(step)))
            generator_losses.append(self._update_generator(draws.generator_noise[i], step))
        self.step += count
        losses = {"critic_loss": torch.stack(critic_losses), "generator_loss": torch.stack(generator_losses)}
        self._freeze_diverged(before, losses.values())
        means = {name: loss.mean(dim=0).double().cpu() for name, loss in losses.items()}
        return {name: mean.masked_fill(self.diverged_at >= 0, torch.nan).numpy() for name, mean in means.items()}

    def measured_generator(self) -> Params:
        """Parameters to store: the running average, or the last ones."""
        return self.average if self.recipe.training.average else self.generator

    def state(self) -> dict[str, torch.Tensor]:
        """Copies of everything that training changes, by name."""
        contiguous = torch.contiguous_format
        return {name: value.detach().clone(memory_format=contiguous) for name, value in self._everything().items()}

    @torch.no_grad()
    def load_state(self, state: dict[str, torch.Tensor]) -> None:
        """Go back to a `state()`."""
        for name, value in self._everything().items():
            value.copy_(state[name])
        self.step = int(state["step"])

    def _everything(self) -> dict[str, torch.Tensor]:
        groups = {
            "generator": self.generator,
            "critic": self.critic,
            "average": self.average,
            "generator_adam": self.generator_adam.state(),
            "critic_adam": self.critic_adam.state(),
        }
        flat = {f"{group}.{name}": value for group, values in groups.items() for name, value in values.items()}
        return {**flat, "step": torch.tensor(self.step), "diverged_at": self.diverged_at}

    @torch.no_grad()
    def generate(self, noise: torch.Tensor) -> torch.Tensor:
        """(E, B, k) latent points -> (E, B, d) generated points of the generator as it stands."""
        return self.generator_net.apply(self.generator, noise)

    def update_critic(
        self, real: torch.Tensor, fake: torch.Tensor, mix: torch.Tensor, decay: float = 1.0
    ) -> torch.Tensor:
        """One critic update on (E, B, d) real and generated points; (E,) the losses before it."""
        loss = self.critic_objective(real, fake, mix)
        gradients = torch.autograd.grad(loss.sum(), list(_trained(self.critic).values()))
        self.critic_adam.step(gradients, decay * self.recipe.training.critic_rate)
        with torch.no_grad():
            self.constraint.project(_trained(self.critic))
            self.critic_net.project(self.critic)
        return loss.detach()

    def critic_objective(self, real: torch.Tensor, fake: torch.Tensor, mix: torch.Tensor) -> torch.Tensor:
        """(E,) what the critic minimises: the method's loss and the constraint's penalty."""
        critic = Critic(self.critic_net, self.critic)
        loss: torch.Tensor = self.method.critic_loss(critic, real, fake)
        penalty: torch.Tensor | float = self.constraint.penalty(critic, real, fake, mix)
        return loss + penalty

    def _update_generator(self, noise: torch.Tensor, step: int) -> torch.Tensor:
        fake = self.generator_net.apply(self.generator, noise)
        loss: torch.Tensor = self.method.generator_loss(Critic(self.critic_net, self.critic), fake)
        gradients = torch.autograd.grad(loss.sum(), list(_trained(self.generator).values()))
        self.generator_adam.step(gradients, self._decay(step) * self.recipe.training.generator_rate)
        with torch.no_grad():
            self.generator_net.project(self.generator)
            weight = max(1 - self.recipe.training.average, 1 / (step + 1))  # at first a plain mean, without the start
            self.packed_average.lerp_(self.generator_adam.packed, weight)
            self.generator_net.project(self.average)
        return loss.detach()

    @torch.no_grad()
    def _freeze_diverged(self, before: dict[str, torch.Tensor], losses: Iterable[torch.Tensor]) -> None:
        """Members that are not finite, now or at the end of an earlier chunk, go back to `before`."""
        stacked = {name: value for name, value in self._everything().items() if value.ndim >= 2}
        finite = torch.stack([loss.isfinite().all(dim=0) for loss in losses]).all(dim=0)
        for value in stacked.values():
            finite &= value.flatten(1).isfinite().all(dim=1)
        self.diverged_at[~finite.cpu() & (self.diverged_at < 0)] = self.step
        frozen = (self.diverged_at >= 0).to(self.device)
        if frozen.any():
            for name, value in stacked.items():
                value[frozen] = before[name][frozen]

    def _decay(self, step: int) -> float:
        """Factor of both learning rates."""
        training = self.recipe.training
        return 1.0 if training.decay == "none" else min(1.0, 2 * (1 - step / training.steps))

    def _init(self, purpose: str, net: Net, inputs: int, outputs: int) -> Params:
        members = self.members
        each = [
            net.init(run_stream(members.dataset, members.n, seed, purpose), inputs, outputs) for seed in members.seeds
        ]
        arrays = {name: np.stack([one[name] for one in each]) for name in each[0]}
        stacked = {name: torch.from_numpy(array).to(self.device, self.dtype) for name, array in arrays.items()}
        for value in _trained(stacked).values():
            value.requires_grad_()
        return stacked


def _trained(params: Params) -> Params:
    return {name: value for name, value in params.items() if not name.startswith("state.")}

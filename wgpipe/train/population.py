"""Adversarial training of a stack of members."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import torch

from wgpipe.nets import Net, Params
from wgpipe.recipe import Recipe
from wgpipe.train.adam import pack
from wgpipe.train.analytic import Analytic
from wgpipe.train.autograd import Autograd
from wgpipe.train.draws import CHUNK, Members
from wgpipe.train.interrupt import Interrupted, StopRequest
from wgpipe.train.sides import Side, trained

Steps = Analytic | Autograd


class Population:
    """E members of one recipe on samples (n_e, d), trained together and never mixed, in the precision `dtype`.

    A member whose state or losses stop being finite goes back to where it stood at the last whole chunk, and stays
    there; the others go on as if it had never been. `diverged_at` is the step at which that was noticed, or -1.
    `path` is `auto`, the fastest that the recipe allows, or `autograd`.
    """

    def __init__(
        self,
        recipe: Recipe,
        members: Members,
        samples: Sequence[torch.Tensor],
        latent: int,
        device: torch.device,
        dtype: torch.dtype = torch.float32,
        path: str = "auto",
    ) -> None:
        assert recipe.generator is not None and recipe.critic is not None
        self.recipe, self.members, self.latent, self.path = recipe, members, latent, path
        self.method = recipe.method.build("method")
        self.constraint = recipe.constraint.build("constraint")
        self.sample = torch.cat(list(samples)).to(device, dtype)
        sizes = [len(sample) for sample in samples]
        self.first_rows = torch.tensor([0, *np.cumsum(sizes[:-1])], device=device)[:, None]
        dimension = self.sample.shape[1]
        self.generator = self._side("init-generator", recipe.generator.build("net"), latent, dimension)
        self.critic = self._side("init-critic", recipe.critic.build("net"), dimension, 1)
        self.average = {name: value.detach().clone() for name, value in self.generator.params.items()}
        self.packed_average = pack(trained(self.average))
        self.generator_adam = self.generator.optimiser(recipe.training.betas)
        self.critic_adam = self.critic.optimiser(recipe.training.betas)
        self.steps_of_batch: dict[int, Steps] = {}
        self.step = 0
        self.diverged_at = torch.full((len(members.runs),), -1, dtype=torch.int64)

    def steps(self, batch: int) -> Steps:
        """What computes losses and gradients for batches of this size."""
        if batch not in self.steps_of_batch:
            parts = self.method, self.constraint, self.generator, self.critic
            fast = self.path == "auto" and Analytic.applies(*parts)
            steps = Analytic(*parts, batch, self.recipe.training.critic_steps) if fast else Autograd(*parts)
            self.steps_of_batch[batch] = steps
        return self.steps_of_batch[batch]

    @torch.no_grad()
    def train_chunk(self, stop: StopRequest | None = None) -> dict[str, np.ndarray]:
        """CHUNK generator updates (fewer at the end); mean losses over them, (E,) each, NaN for diverged members.

        The critic's are those before its last update for each of the generator. When a stop is requested, everything
        goes back to where it stood before the chunk, and `Interrupted` is raised.
        """
        training, steps = self.recipe.training, self.steps(self.recipe.training.batch)
        before = self.state()
        draws = self.members.draw(self.recipe, self.latent, self.step // CHUNK, self.sample.device, self.sample.dtype)
        rows = draws.indices + self.first_rows
        count = min(CHUNK, training.steps - self.step)
        critic_losses, generator_losses = [], []
        for i in range(count):
            if stop:
                self.load_state(before)
                raise Interrupted
            step = self.step + i
            fakes = steps.generate(draws.critic_noise[i].flatten(2).mT).split(training.batch, dim=1)
            reals = self.sample.index_select(0, rows[i].flatten()).unflatten(0, rows[i].shape)
            for real, fake, mix in zip(reals, fakes, draws.mixes[i], strict=True):
                self.update_critic(real, fake, mix, self._decay(step))
            self._update_generator(draws.generator_noise[i].mT, step)
            critic_losses.append(steps.critic_loss())
            generator_losses.append(steps.generator_loss())
        self.step += count
        losses = {"critic_loss": torch.stack(critic_losses, 1), "generator_loss": torch.stack(generator_losses, 1)}
        self._freeze_diverged(before, losses.values())
        means = {name: loss.mean(dim=1).double().cpu() for name, loss in losses.items()}
        return {name: mean.masked_fill(self.diverged_at >= 0, torch.nan).numpy() for name, mean in means.items()}

    def measured_generator(self) -> Params:
        """Parameters to store: the running average, or the last ones."""
        return self.average if self.recipe.training.average else self.generator.params

    def state(self) -> dict[str, torch.Tensor]:
        """Copies of everything that training changes, by name, a row a member."""
        contiguous = torch.contiguous_format
        values = {name: value.detach().clone(memory_format=contiguous) for name, value in self._everything().items()}
        return {**values, "step": torch.full_like(self.diverged_at, self.step)}

    @torch.no_grad()
    def load_state(self, state: dict[str, torch.Tensor]) -> None:
        """Go back to a `state()`."""
        for name, value in self._everything().items():
            value.copy_(state[name])
        self.step = int(state["step"][0])
        self.generator_adam.steps.fill_(self.step)
        self.critic_adam.steps.fill_(self.step * self.recipe.training.critic_steps)

    def _everything(self) -> dict[str, torch.Tensor]:
        groups = {
            "generator": self.generator.params,
            "critic": self.critic.params,
            "average": self.average,
            "generator_adam": self.generator_adam.moments(),
            "critic_adam": self.critic_adam.moments(),
        }
        flat = {f"{group}.{name}": value for group, values in groups.items() for name, value in values.items()}
        return {**flat, "diverged_at": self.diverged_at}

    @torch.no_grad()
    def update_critic(self, real: torch.Tensor, fake: torch.Tensor, mix: torch.Tensor, decay: float = 1.0) -> None:
        """One critic update on (E, B, d) real and generated points."""
        gradient = self.steps(real.shape[1]).critic_step(real, fake, mix)
        self.critic_adam.step(gradient, decay * self.recipe.training.critic_rate)
        self.constraint.project(self.critic.trained())
        self.critic.net.project(self.critic.params)

    def _update_generator(self, noise: torch.Tensor, step: int) -> None:
        gradient = self.steps(noise.shape[1]).generator_step(noise)
        self.generator_adam.step(gradient, self._decay(step) * self.recipe.training.generator_rate)
        self.generator.net.project(self.generator.params)
        weight = max(1 - self.recipe.training.average, 1 / (step + 1))  # at first a plain mean, without the start
        self.packed_average.lerp_(self.generator.packed, weight)
        self.generator.net.project(self.average)

    @torch.no_grad()
    def _freeze_diverged(self, before: dict[str, torch.Tensor], losses: Iterable[torch.Tensor]) -> None:
        """Members that are not finite, now or at the end of an earlier chunk, go back to `before`."""
        stacked = {name: value for name, value in self._everything().items() if value.ndim >= 2}
        finite = torch.stack([loss.isfinite().all(dim=1) for loss in losses]).all(dim=0)
        for value in stacked.values():
            finite &= value.flatten(1).isfinite().all(dim=1)
        self.diverged_at[~finite.cpu() & (self.diverged_at < 0)] = self.step
        frozen = (self.diverged_at >= 0).to(self.sample.device)
        if frozen.any():
            for name, value in stacked.items():
                value[frozen] = before[name][frozen]

    def _decay(self, step: int) -> float:
        """Factor of both learning rates."""
        training = self.recipe.training
        return 1.0 if training.decay == "none" else min(1.0, 2 * (1 - step / training.steps))

    def _side(self, purpose: str, net: Net, inputs: int, outputs: int) -> Side:
        return Side(net, inputs, outputs, self.members.streams(purpose), self.sample)

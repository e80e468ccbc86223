"""Adversarial training of a stack of members."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import torch

from wgpipe.methods import Adversarial
from wgpipe.methods.constraints import Constraint
from wgpipe.nets import Params
from wgpipe.recipe import Piece, Recipe
from wgpipe.train.adam import pack
from wgpipe.train.analytic import Analytic
from wgpipe.train.autograd import Autograd
from wgpipe.train.draws import CHUNK, Draws, Members, prior_sample
from wgpipe.train.interrupt import Interrupted, StopRequest
from wgpipe.train.sides import Side, Sizes, trained

Steps = Analytic | Autograd
LOSSES = ("critic", "generator")
SETTLING = 50  # batches of fresh latent points on which statistics of a trained generator are taken


class Population:
    """E members of one recipe on samples (n_e, d), trained together and never mixed, in the precision `dtype`.

    Without a generator the critic compares the samples with `sources`, a sample (n_e, d) each of another law; with the
    parameters of a `frozen` one, with the points that this generates.
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
        sources: Sequence[torch.Tensor] = (),
        frozen: Params | None = None,
    ) -> None:
        self.recipe, self.members, self.latent, self.path = recipe, members, latent, path
        self.method: Adversarial = recipe.method.build("method")
        self.constraint: Constraint = recipe.constraint.build("constraint")
        self.place = torch.empty(0, device=device, dtype=dtype)
        self.sample = self._kept(samples)
        self.sources = self._kept(sources) if sources else None
        sizes = [len(sample) for sample in samples]
        self.first_rows = torch.tensor([0, *np.cumsum(sizes[:-1])], device=device)[:, None]
        dimension = self.sample.shape[1]
        self.generator = self._side("init-generator", recipe.generator, {"": (latent, dimension)}, {})
        self.critic = self._side("init-critic", recipe.critic, self.method.parts(dimension), self.method.state())
        self.sides = {"generator": self.generator if recipe.trains_generator else None, "critic": self.critic}
        if self.generator is not None:
            self.generator.load(frozen or {})
            self.average = {name: value.detach().clone() for name, value in self.generator.params.items()}
            self.packed_average = pack(trained(self.average))
        self.steps_of_batch: dict[int, Steps] = {}
        self.step = 0
        self.diverged_at = torch.full((len(members.runs),), -1, dtype=torch.int64)

    def steps(self, batch: int) -> Steps:
        """What computes losses and gradients for batches of this size."""
        if batch not in self.steps_of_batch:
            self.steps_of_batch[batch] = self._new_steps(batch)
        return self.steps_of_batch[batch]

    def _new_steps(self, batch: int) -> Steps:
        method, constraint, generator, critic = self.method, self.constraint, self.generator, self.critic
        if self.path == "auto" and critic is not None and Analytic.applies(method, constraint, generator, critic):
            return Analytic(method, constraint, generator, critic, batch, self.recipe.training.critic_steps)
        return Autograd(method, constraint, generator, critic)

    @torch.no_grad()
    def train_chunk(self, stop: StopRequest | None = None) -> dict[str, np.ndarray]:
        """CHUNK steps (fewer at the end); mean losses over them, (E,) each, NaN for diverged members.

        The critic's are those before its last update in each step; a side that is not there has losses of NaN. When a
        stop is requested, everything goes back to where it stood before the chunk, and `Interrupted` is raised.
        """
        training, steps = self.recipe.training, self.steps(self.recipe.training.batch)
        before = self.state()
        draws = self.members.draw(self.recipe, self.latent, self.step // CHUNK, self.place.device, self.place.dtype)
        count = min(CHUNK, training.steps - self.step)
        losses: dict[str, list[torch.Tensor]] = {f"{name}_loss": [] for name in LOSSES if self.sides[name] is not None}
        for i in range(count):
            if stop:
                self.load_state(before)
                raise Interrupted
            step = self.step + i
            reals = self._rows(self.sample, draws.indices[i])
            if self.critic is not None:
                for real, fake, mix in zip(reals, self._fakes(draws, i), draws.mixes[i], strict=True):
                    self.update_critic(real, fake, mix, self._decay(step))
                losses["critic_loss"].append(steps.critic_loss())
            if self.sides["generator"] is not None:
                self._update_generator(self.sides["generator"], draws.generator_noise[i].mT, reals[-1], step)
                losses["generator_loss"].append(steps.generator_loss())
        self.step += count
        stacked = {name: torch.stack(values, 1) for name, values in losses.items()}
        self._freeze_diverged(before, stacked.values())
        means = {name: loss.mean(dim=1).double().cpu() for name, loss in stacked.items()}
        shown = {name: mean.masked_fill(self.diverged_at >= 0, torch.nan).numpy() for name, mean in means.items()}
        return {f"{name}_loss": shown.get(f"{name}_loss", np.full(len(self.members.runs), np.nan)) for name in LOSSES}

    @torch.no_grad()
    def measured_generator(self) -> Params:
        """Parameters to store: the running average, or the last ones, settled; none without a generator."""
        if self.generator is None:
            return {}
        if not self.recipe.trains_generator:
            return self.generator.params
        params = self.average if self.recipe.training.average else self.generator.params
        return self.generator.net.settled(params, self._settling_batches())

    def measured_critic(self) -> Params:
        """Parameters to store: the last ones; none without a critic."""
        return self.critic.params if self.critic is not None else {}

    def _settling_batches(self) -> Iterator[torch.Tensor]:
        streams, shape = self.members.streams("settle-generator"), (self.recipe.training.batch, self.latent)
        for _ in range(SETTLING):
            noise = np.stack([prior_sample(self.recipe.prior, stream, shape) for stream in streams])
            yield torch.from_numpy(noise).to(self.place)

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
        for name, side in self._present():
            side.optimiser.steps.fill_(self.step * (self.recipe.training.critic_steps if name == "critic" else 1))

    def _present(self) -> list[tuple[str, Side]]:
        return [(name, side) for name, side in self.sides.items() if side is not None]

    def _everything(self) -> dict[str, torch.Tensor]:
        groups = {name: side.params for name, side in self._present()}
        groups |= {"average": self.average} if self.sides["generator"] is not None else {}
        groups |= {f"{name}_optimiser": side.optimiser.moments() for name, side in self._present()}
        flat = {f"{group}.{name}": value for group, values in groups.items() for name, value in values.items()}
        return {**flat, "diverged_at": self.diverged_at}

    def _kept(self, samples: Sequence[torch.Tensor]) -> torch.Tensor:
        """All rows one after another; bytes, which stand for [-1, 1], stay bytes."""
        rows = torch.cat(list(samples)).to(self.place.device)
        return rows if rows.dtype == torch.uint8 else rows.to(self.place)

    def _rows(self, points: torch.Tensor, indices: torch.Tensor) -> torch.Tensor:
        """(C, E, B, d) of the points of all members, by (C, E, B) numbers of rows within each member's own."""
        rows = indices + self.first_rows
        chosen: torch.Tensor = points.index_select(0, rows.flatten()).unflatten(0, rows.shape)
        return chosen.to(self.place).div_(127.5).sub_(1) if chosen.dtype == torch.uint8 else chosen

    def _fakes(self, draws: Draws, i: int) -> Iterable[torch.Tensor]:
        """What the critic updates of a step compare with real points, (E, B, d) each."""
        if self.sources is not None:
            return self._rows(self.sources, draws.sources[i]).unbind()
        steps, noise = self.steps(self.recipe.training.batch), draws.critic_noise[i]
        if self.generator is not None and self.generator.net.one_batch_at_a_time:
            return (steps.generate(one.mT) for one in noise.unbind(2))
        return torch.split(steps.generate(noise.flatten(2).mT), self.recipe.training.batch, dim=1)

    @torch.no_grad()
    def update_critic(self, real: torch.Tensor, fake: torch.Tensor, mix: torch.Tensor, decay: float = 1.0) -> None:
        """One critic update on (E, B, d) real and generated points."""
        assert self.critic is not None
        gradient = self.steps(real.shape[1]).critic_step(real, fake, mix)
        self.critic.optimiser.step(gradient, decay * self.recipe.training.critic_rate)
        self.constraint.project(self.critic.trained())
        self.critic.project(self.critic.params)

    def _update_generator(self, generator: Side, noise: torch.Tensor, real: torch.Tensor, step: int) -> None:
        gradient = self.steps(noise.shape[1]).generator_step(noise, real)
        generator.optimiser.step(gradient, self._decay(step) * self.recipe.training.generator_rate)
        generator.project(generator.params)
        weight = max(1 - self.recipe.training.average, 1 / (step + 1))  # at first a plain mean, without the start
        self.packed_average.lerp_(generator.packed, weight)
        generator.project(self.average)

    @torch.no_grad()
    def _freeze_diverged(self, before: dict[str, torch.Tensor], losses: Iterable[torch.Tensor]) -> None:
        """Members that are not finite, now or at the end of an earlier chunk, go back to `before`."""
        stacked = {name: value for name, value in self._everything().items() if value.ndim >= 2}
        finite = torch.stack([loss.isfinite().all(dim=1) for loss in losses]).all(dim=0)
        for value in stacked.values():
            finite &= value.flatten(1).isfinite().all(dim=1)
        self.diverged_at[~finite.cpu() & (self.diverged_at < 0)] = self.step
        frozen = (self.diverged_at >= 0).to(self.place.device)
        if frozen.any():
            for name, value in stacked.items():
                value[frozen] = before[name][frozen]

    def _decay(self, step: int) -> float:
        """Factor of both learning rates."""
        training = self.recipe.training
        return 1.0 if training.decay == "none" else min(1.0, 2 * (1 - step / training.steps))

    def _side(self, purpose: str, piece: Piece | None, parts: Sizes, state: dict[str, float]) -> Side | None:
        if piece is None:
            return None
        streams = self.members.streams(purpose)
        return Side(piece.build("net"), parts, state, streams, self.place, self.recipe.training)

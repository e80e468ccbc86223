"""How well a critic that nothing binds tells the training sample from the generator, once it is trained to its end."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np
import torch
from pydantic import Field, PositiveInt

from wgpipe.metrics import Metric
from wgpipe.recipe import Piece
from wgpipe.registry import register
from wgpipe.theory import vanilla
from wgpipe.train.draws import Members, prior_sample
from wgpipe.train.population import Population

if TYPE_CHECKING:
    from wgpipe.train.evaluate import TrainedBlock

CHUNK = 100  # updates for which generated points are drawn together


@register("separation", cites=("goodfellow2014",))
class Separation(Metric):
    """V(P_n, Q) / (2 log 2), P_n the training sample and Q the law of the trained generator, for an unbound critic.

    The supremum over all continuous logits is 1: P_n has n points, which Q does not hit. The generator stays as it is,
    and its critic is trained on with the recipe's own rate, which falls to 0 over the second half; or a new perceptron
    is, where `hidden` says so, for a sample that is too large for the critic. At each update the generated points are
    fresh, since on a fixed set of them it would learn to tell two finite samples apart. Then V is taken on the whole
    sample and on `generated` fresh points. No critic has more than the supremum, so a value near 1 shows that V
    saturates, and one that stays below says only that this critic did not get there in these steps. Measured for
    vanilla recipes without a constraint.
    """

    needs_critic: ClassVar[bool] = True

    hidden: tuple[PositiveInt, ...] | None = Field(
        None, description="hidden layers of a new critic; null: the trained one goes on"
    )
    steps: PositiveInt = Field(4000, description="updates")
    batch: PositiveInt = Field(64, description="points of each of both laws in an update")
    generated: PositiveInt = Field(8192, description="fresh generated points that V is taken on")

    def measure(self, block: TrainedBlock) -> dict[str, tuple[np.ndarray, str]]:  # type: ignore[override]
        """`separation`: (E,); nothing for other recipes."""
        recipe = block.job.recipe
        if recipe.method.name != "vanilla" or recipe.constraint.name != "none" or recipe.critic is None:
            return {}
        if recipe.critic.build("net").lipschitz_bound() is not None:
            return {}
        sample = torch.from_numpy(block.training_sample().astype(np.float32))
        population = self._trained(block, sample)
        assert population.critic is not None
        fresh = self._generated(block, population, block.streams("eval-separation-test"), self.generated)
        net, params = population.critic.net, population.critic.params
        with torch.no_grad():
            real, fake = (net.apply(params, points).squeeze(-1).double().numpy() for points in (sample, fresh))
        critic = "x".join(map(str, self.hidden)) if self.hidden else "own"
        settings = f"critic={critic},steps={self.steps},batch={self.batch}"
        protocol = f"separation[n={sample.shape[1]},generated={self.generated},{settings}]"
        return {"separation": (vanilla.value(real, fake) / vanilla.SATURATION, protocol)}

    def _trained(self, block: TrainedBlock, sample: torch.Tensor) -> Population:
        job, population = block.job, self._population(block, sample)
        streams, rows = block.streams("eval-separation"), np.arange(len(job.seeds))[:, None]
        mix = sample.new_zeros(len(job.seeds), self.batch, 1)  # there is no penalty that would use it
        for step in range(self.steps):
            if step % CHUNK == 0:
                fakes = self._generated(block, population, streams, CHUNK * self.batch).split(self.batch, dim=1)
            chosen = np.stack([stream.integers(job.n, size=self.batch) for stream in streams])
            decay = min(1.0, 2 * (1 - step / self.steps))
            population.update_critic(sample[rows, chosen], fakes[step % CHUNK], mix, decay)
        return population

    def _population(self, block: TrainedBlock, sample: torch.Tensor) -> Population:
        if self.hidden is None:
            return block.population()
        job = block.job
        critic = Piece.model_validate({"name": "mlp", "hidden": list(self.hidden)})
        members = Members(job.dataset.name, tuple((job.n, seed) for seed in job.seeds))
        frozen = {name: torch.from_numpy(value) for name, value in block.generator.items()}
        recipe, device = job.recipe.model_copy(update={"critic": critic}), torch.device("cpu")
        return Population(recipe, members, sample.unbind(), job.latent, device, frozen=frozen)

    def _generated(
        self, block: TrainedBlock, population: Population, streams: list[np.random.Generator], count: int
    ) -> torch.Tensor:
        """(E, count, d)."""
        generator, job = population.generator, block.job
        assert generator is not None
        noise = np.stack([prior_sample(job.recipe.prior, stream, (count, job.latent)) for stream in streams])
        with torch.no_grad():
            return generator.net.apply(generator.params, torch.from_numpy(noise))

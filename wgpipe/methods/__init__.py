"""What a method is. Written once for a stack of members, with no loop over them: losses have shape (E,)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    import torch

    from wgpipe.data import Arrays, Dataset
    from wgpipe.train.critic import Critic


class Method(BaseModel):
    """A way to learn a distribution; its fields are its hyperparameters, with the paper's values as defaults."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
    kind: ClassVar[str] = "method"
    registered_name: ClassVar[str]
    cites: ClassVar[tuple[str, ...]] = ()


class Adversarial(Method):
    """A generator against a critic, whose values f at real and generated points decide both losses.

    A recipe adds a constraint on the critic. A method whose losses need more than these values overrides the two
    objectives instead of the two losses. Where a recipe has no generator, the critic learns to compare two given laws,
    source ("fake") and target ("real"); where it has no critic, the generator's objective uses `real` alone.
    """

    has_critic: ClassVar[bool] = True

    def parts(self, dimension: int) -> dict[str, tuple[int, int]]:
        """Networks of the critic: name -> (inputs, outputs). All are the recipe's critic net; see `Critic.part`."""
        return {"": (dimension, 1)}

    def state(self) -> dict[str, float]:
        """Numbers that every member carries along, with their first values; objectives change them: `Critic.state`."""
        return {}

    def critic_loss(self, f_real: torch.Tensor, f_fake: torch.Tensor) -> torch.Tensor:
        """(E, B), (E, B) -> (E,), to be minimised by the critic."""
        raise NotImplementedError

    def generator_loss(self, f_fake: torch.Tensor) -> torch.Tensor:
        """(E, B) -> (E,), to be minimised by the generator."""
        raise NotImplementedError

    def critic_objective(self, critic: Critic, real: torch.Tensor, fake: torch.Tensor) -> torch.Tensor:
        """(E, B, d), (E, B, d) -> (E,): the critic's loss."""
        return self.critic_loss(*critic.both(real, fake))

    def generator_objective(self, critic: Critic, fake: torch.Tensor, real: torch.Tensor) -> torch.Tensor:
        """(E, B, d), (E, B, d) -> (E,): the generator's loss; `real` is the critic's last batch."""
        return self.generator_loss(critic(fake))

    def transport(self, critic: Critic, points: torch.Tensor) -> torch.Tensor | None:
        """(E, B, d) points of the source -> (E, B, d) where the learned map takes them; None without a map."""
        return None

    def inverse(self, critic: Critic, points: torch.Tensor) -> torch.Tensor | None:
        """(E, B, d) points of the target -> (E, B, d) where the learned inverse map takes them; None without one."""
        return None

    def of_values_alone(self) -> bool:
        """Whether the losses are those of one critic's values, whose derivatives are then all that is needed."""
        own, plain = type(self), Adversarial
        return (own.critic_objective, own.generator_objective, own.parts, own.state) == (
            plain.critic_objective,
            plain.generator_objective,
            plain.parts,
            plain.state,
        )

    def critic_derivatives(self, f_real: torch.Tensor, f_fake: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Of `critic_loss` in both arguments, (E, B) each. Methods that know them save the differentiation."""
        real, fake = derivatives(self.critic_loss, f_real, f_fake)
        return real, fake

    def generator_derivative(self, f_fake: torch.Tensor) -> torch.Tensor:
        """Of `generator_loss`, (E, B); likewise."""
        return derivatives(self.generator_loss, f_fake)[0]


def derivatives(loss: Callable[..., torch.Tensor], *values: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """Of a loss (E,) in each of the values (E, B) that it depends on, by automatic differentiation."""
    import torch

    with torch.enable_grad():
        leaves = [value.detach().requires_grad_() for value in values]
        return torch.autograd.grad(loss(*leaves).sum(), leaves)


class Control(Method):
    """A reference whose quality is known without training."""

    def fit(self, sample: np.ndarray) -> dict[str, np.ndarray]:
        """(n, d) -> what `draw` needs, to be stored."""
        raise NotImplementedError

    def fit_drawn(self, dataset: Dataset, arrays: Arrays, stream: np.random.Generator, n: int) -> dict[str, np.ndarray]:
        """`fit` to the n training points of a stream; overridden where the points themselves are not needed."""
        return self.fit(dataset.training_sample(arrays, stream, n))

    def needs_points(self, dataset: Dataset) -> bool:
        """Whether `fit_drawn` holds a training sample of this dataset in memory."""
        return True

    def draw(
        self,
        state: Mapping[str, np.ndarray],
        dataset: Dataset,
        arrays: Arrays,
        stream: np.random.Generator,
        count: int,
    ) -> np.ndarray:
        """(count, d) float64 points of the fitted reference."""
        raise NotImplementedError


class TransportMap(Method):
    """A map from a source to a target, computed from a sample of each, without training."""

    def fit(self, source: np.ndarray, target: np.ndarray) -> dict[str, np.ndarray]:
        """(n, d), (n, d) -> what `transport` and `inverse` need, to be stored."""
        raise NotImplementedError

    def transport(self, state: Mapping[str, np.ndarray], points: np.ndarray) -> np.ndarray:
        """(m, d) points of the source -> (m, d) float64 where the map takes them."""
        raise NotImplementedError

    def inverse(self, state: Mapping[str, np.ndarray], points: np.ndarray) -> np.ndarray | None:
        """(m, d) points of the target -> (m, d) float64 where the inverse map takes them; None without one."""
        return None

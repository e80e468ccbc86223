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

    model_config = ConfigDict(extra="forbid", frozen=True)
    kind: ClassVar[str] = "method"
    registered_name: ClassVar[str]
    cites: ClassVar[tuple[str, ...]] = ()


class Adversarial(Method):
    """A generator against a critic, whose values f at real and generated points decide both losses.

    A recipe adds a constraint on the critic. A method whose losses need more than these values overrides the two
    objectives instead of the two losses.
    """

    def critic_loss(self, f_real: torch.Tensor, f_fake: torch.Tensor) -> torch.Tensor:
        """(E, B), (E, B) -> (E,), to be minimised by the critic."""
        raise NotImplementedError

    def generator_loss(self, f_fake: torch.Tensor) -> torch.Tensor:
        """(E, B) -> (E,), to be minimised by the generator."""
        raise NotImplementedError

    def critic_objective(self, critic: Critic, real: torch.Tensor, fake: torch.Tensor) -> torch.Tensor:
        """(E, B, d), (E, B, d) -> (E,): the critic's loss."""
        return self.critic_loss(*critic.both(real, fake))

    def generator_objective(self, critic: Critic, fake: torch.Tensor) -> torch.Tensor:
        """(E, B, d) -> (E,): the generator's loss."""
        return self.generator_loss(critic(fake))

    def of_values_alone(self) -> bool:
        """Whether the losses are those of the critic's values, whose derivatives are then all that is needed."""
        objectives = type(self).critic_objective, type(self).generator_objective
        return objectives == (Adversarial.critic_objective, Adversarial.generator_objective)

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

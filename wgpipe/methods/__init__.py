"""What a method is. Written once for a stack of members, with no loop over them: losses have shape (E,)."""

from __future__ import annotations

from collections.abc import Mapping
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
    """A generator against a critic. A recipe adds a constraint on the critic to either loss."""

    def critic_loss(self, critic: Critic, real: torch.Tensor, fake: torch.Tensor) -> torch.Tensor:
        """(E, B, d), (E, B, d) -> (E,), to be minimised by the critic."""
        raise NotImplementedError

    def generator_loss(self, critic: Critic, fake: torch.Tensor) -> torch.Tensor:
        """(E, B, d) -> (E,), to be minimised by the generator."""
        raise NotImplementedError


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

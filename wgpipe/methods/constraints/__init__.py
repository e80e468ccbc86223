"""What keeps a critic Lipschitz: a penalty in its loss, or a projection after its update."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    import torch

    from wgpipe.nets import Params
    from wgpipe.train.critic import Critic


class Constraint(BaseModel):
    """Added to any adversarial method's critic."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    kind: ClassVar[str] = "constraint"
    registered_name: ClassVar[str]
    cites: ClassVar[tuple[str, ...]] = ()

    def penalty(
        self, critic: Critic, real: torch.Tensor, fake: torch.Tensor, mix: torch.Tensor
    ) -> torch.Tensor | float:
        """(E, B, d), (E, B, d), (E, B, 1) uniform on [0, 1] -> (E,), added to the critic's loss."""
        return 0.0

    def project(self, params: Params) -> None:
        """Change the critic's parameters in place after an update."""

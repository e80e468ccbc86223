"""What keeps a critic Lipschitz: a penalty in its loss, or a projection after its update."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import BaseModel, ConfigDict

from wgpipe.methods import derivatives

if TYPE_CHECKING:
    import torch

    from wgpipe.nets import Params


class Constraint(BaseModel):
    """Added to any adversarial method's critic."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
    kind: ClassVar[str] = "constraint"
    registered_name: ClassVar[str]
    cites: ClassVar[tuple[str, ...]] = ()

    @property
    def bounds_slope(self) -> bool:
        """Whether there is a penalty."""
        return type(self).penalty is not Constraint.penalty

    def penalty(self, slope: torch.Tensor) -> torch.Tensor:
        """(E, B) slopes of the critic at points between real and generated ones -> (E,), added to the critic's loss."""
        raise NotImplementedError

    def penalty_derivative(self, slope: torch.Tensor) -> torch.Tensor:
        """Of `penalty`, (E, B) -> (E, B). Constraints that know it save the differentiation."""
        return derivatives(self.penalty, slope)[0]

    def project(self, params: Params) -> None:
        """Change the critic's parameters in place after an update."""

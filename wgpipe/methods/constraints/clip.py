"""Weight clipping."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field, PositiveFloat

from wgpipe.methods.constraints import Constraint
from wgpipe.registry import register

if TYPE_CHECKING:
    from wgpipe.nets import Params


@register("clip", cites=("arjovsky2017",))
class Clip(Constraint):
    """Parameters are clipped to [-bound, bound] after each update (Arjovsky et al. 2017, algorithm 1).

    The Lipschitz constant follows from the bound and the widths; it is measured, not set.
    """

    bound: PositiveFloat = Field(0.01, description="largest absolute value of a parameter")
    part: str = Field("", description="only parameters of this network of the critic; MMD-GAN clips its encoder")

    def project(self, params: Params) -> None:
        for name, value in params.items():
            if name.startswith(f"{self.part}." if self.part else ""):
                value.clamp_(-self.bound, self.bound)

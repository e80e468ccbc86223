"""Weight clipping."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import PositiveFloat

from wgpipe.methods.constraints import Constraint
from wgpipe.registry import register

if TYPE_CHECKING:
    from wgpipe.nets import Params


@register("clip", cites=("arjovsky2017",))
class Clip(Constraint):
    """Every parameter is clipped to [-bound, bound] after each update (Arjovsky et al. 2017, algorithm 1).

    The Lipschitz constant follows from the bound and the widths; it is measured, not set.
    """

    bound: PositiveFloat = 0.01

    def project(self, params: Params) -> None:
        for value in params.values():
            value.clamp_(-self.bound, self.bound)

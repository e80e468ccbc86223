"""No constraint, or one that the critic's architecture keeps by itself."""

from wgpipe.methods.constraints import Constraint
from wgpipe.registry import register


@register("none")
class Unconstrained(Constraint):
    """Leaves the critic as it is. With a groupsort or spectral critic: Lipschitz by construction."""

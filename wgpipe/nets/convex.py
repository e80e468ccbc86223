"""What strongly convex networks share."""

from __future__ import annotations

from pydantic import Field, NonNegativeFloat

from wgpipe.nets import Net, Params


class Convex(Net):
    """A convex f with f(x) - ½c|x|² convex too, c = `strong_convexity`."""

    strong_convexity: NonNegativeFloat = Field(0.01, le=1, description="c above")

    def clipped(self, params: Params) -> Params:
        """Name -> where a parameter sits on a bound that `project` holds it to; of those that have one."""
        return {}

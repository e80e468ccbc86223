"""Convex quadratic potentials."""

from __future__ import annotations

import numpy as np
import torch

from wgpipe.errors import UserError
from wgpipe.nets import Params, product
from wgpipe.nets.convex import Convex
from wgpipe.registry import register


@register("quadratic", cites=("taghvaei2019",))
class Quadratic(Convex):
    """f(x) = ½ x'Ax + b'x with A = cI + M M', the class Q of Taghvaei & Jalali 2019; at first A = I and b = 0.

    As an `icnn` without layers: what class Q reaches by the training that larger classes need.
    """

    def init(self, stream: np.random.Generator, inputs: int, outputs: int) -> dict[str, np.ndarray]:
        if outputs != 1:
            raise UserError(f"net 'quadratic' is a potential and has one output, where {outputs} are needed.")
        root = np.sqrt(1 - self.strong_convexity) * np.eye(inputs)
        return {"root": root.astype(np.float32), "slope": np.zeros((inputs, 1), np.float32)}

    def apply(self, params: Params, x: torch.Tensor) -> torch.Tensor:
        squares = product(x, params["root"]).square() + self.strong_convexity * x.square()
        return 0.5 * squares.sum(dim=-1, keepdim=True) + product(x, params["slope"])

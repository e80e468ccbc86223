"""Input-convex networks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
import torch
from pydantic import Field, NonNegativeInt, PositiveInt

from wgpipe.errors import UserError
from wgpipe.nets import affine, product
from wgpipe.nets.convex import Convex
from wgpipe.registry import register

if TYPE_CHECKING:
    from wgpipe.nets import Params

START = 0.1  # share of the network in the gradient of an untrained potential, about


@register("icnn", cites=("amos2017", "taghvaei2019", "korotin2021"))
class Icnn(Convex):
    """Convex f(x) = ½c|x|² + ½|Mx|² + a·x + W_L h_L, where h_{l+1} = σ_l(W_l h_l + A_l x + b_l) and W_l >= 0.

    The layers are those of Amos et al. 2017 (eq. 2). `relu2` is the choice of Taghvaei & Jalali 2019: σ = max(0, ·)²
    in the first layer, max(0, ·) after it. `celu` is smooth, and with `rank` R > 0 every layer also takes the squares
    Σ_r (S_lr x)², the first one without σ, as the networks of the W2 benchmark (Korotin et al. 2021) do. Weights W are
    clipped after each update. The quadratic form M makes the quadratic class Q a part of every such class; an untrained
    f is close to ½|x|², whose gradient is the identity.
    """

    hidden: tuple[PositiveInt, ...] = Field((64, 64, 32), min_length=1, description="widths of the hidden layers")
    activation: Literal["relu2", "celu"] = Field("relu2", description="relu2: squared in the first layer alone")
    rank: NonNegativeInt = Field(0, description="squares of linear forms in every unit")
    homotopy_steps: NonNegativeInt = Field(
        0, description="updates over which the layers' share grows from 0, class Q alone, to 1; 0: whole from the start"
    )

    def init(self, stream: np.random.Generator, inputs: int, outputs: int) -> dict[str, np.ndarray]:
        if outputs != 1:
            raise UserError(f"net 'icnn' is a potential and has one output, where {outputs} are needed; take 'mlp'.")
        params = {"quadratic": np.sqrt(1 - self.strong_convexity) * np.eye(inputs)}
        below = 0
        for layer, width in enumerate((*self.hidden, 1)):
            top = layer == len(self.hidden)
            spread = 0 if top else inputs**-0.5
            params[f"input{layer}"] = spread * stream.standard_normal((inputs, width))
            if below:
                params[f"hidden{layer}"] = stream.uniform(0, 2 / below, (below, width)) * (START if top else 1)
            if not top:
                params[f"bias{layer}"] = stream.standard_normal((1, width))
                if self.rank:
                    params[f"square{layer}"] = stream.standard_normal((inputs, self.rank * width)) * (
                        0.5 * spread / self.rank**0.5
                    )
            below = width
        if self.homotopy_steps:
            params["state.share"] = np.zeros((1, 1))
        return {name: value.astype(np.float32) for name, value in params.items()}

    def apply(self, params: Params, x: torch.Tensor) -> torch.Tensor:
        squares = product(x, params["quadratic"]).square() + self.strong_convexity * x.square()
        share = params["state.share"] if self.homotopy_steps else 1.0
        top = len(self.hidden)
        linear = product(x, params[f"input{top}"])
        network = product(self._layers(params, x), params[f"hidden{top}"])
        return 0.5 * squares.sum(dim=-1, keepdim=True) + linear + share * network

    def project(self, params: Params) -> None:
        for layer in range(1, len(self.hidden) + 1):
            params[f"hidden{layer}"].clamp_(min=0)
        if self.homotopy_steps:
            params["state.share"].add_(1 / self.homotopy_steps).clamp_(max=1)

    def clipped(self, params: Params) -> Params:
        """Weights W that are 0."""
        between = [f"hidden{layer}" for layer in range(1, len(self.hidden) + 1)]
        return {name: params[name] == 0 for name in between}

    def _layers(self, params: Params, x: torch.Tensor) -> torch.Tensor:
        """(E, B, d) -> (E, B, H) the last hidden layer."""
        h = self._first(self._of_input(params, 0, x))
        for layer in range(1, len(self.hidden)):
            h = affine(h, params[f"hidden{layer}"], self._of_input(params, layer, x))
            h = h.relu() if self.activation == "relu2" else celu(h)
        return h

    def _first(self, h: torch.Tensor) -> torch.Tensor:
        if self.activation == "relu2":
            return h.relu().square()
        return h if self.rank else celu(h)

    def _of_input(self, params: Params, layer: int, x: torch.Tensor) -> torch.Tensor:
        """(E, B, d) -> (E, B, H_l): A_l x + b_l, and the squares."""
        h = affine(x, params[f"input{layer}"], params[f"bias{layer}"])
        if not self.rank:
            return h
        forms = product(x, params[f"square{layer}"]).square()
        return h + (forms if self.rank == 1 else forms.unflatten(-1, (self.rank, -1)).sum(dim=-2))


def celu(h: torch.Tensor) -> torch.Tensor:
    """h where it is positive, e^h - 1 elsewhere. Torch's own takes expm1, eight times as slow as exp on CPU."""
    return h.relu() + (h.clamp_max(0).exp() - 1)

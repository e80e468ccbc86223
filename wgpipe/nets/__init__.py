"""What a network is: settings, and pure functions of stacked parameters.

A parameter of E members has a leading axis E, a batch is (E, B, d), and every layer is one batched product, so members
never mix. Names that begin with "state." are carried along but not trained. Importing this loads no torch: the
Snakefile asks networks for their size.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import TYPE_CHECKING, ClassVar, NamedTuple

import numpy as np
from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    import torch

Params = dict[str, "torch.Tensor"]


class Size(NamedTuple):
    """Of a network: its weights, and what one pass at one point multiplies and keeps for the way back."""

    weights: int
    multiplications: int
    values: int


class Net(BaseModel):
    """A family of networks R^inputs -> R^outputs; its fields are its settings."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
    kind: ClassVar[str] = "net"
    registered_name: ClassVar[str]
    cites: ClassVar[tuple[str, ...]] = ()
    one_batch_at_a_time: ClassVar[bool] = False  # for a pass takes much memory, or a batch decides its outputs

    def check(self, inputs: int, outputs: int) -> None:
        """That a network of these sizes can be made; `UserError` says why not."""

    def init(self, stream: np.random.Generator, inputs: int, outputs: int) -> dict[str, np.ndarray]:
        """Parameters of one member, float32."""
        raise NotImplementedError

    def apply(self, params: Params, x: torch.Tensor) -> torch.Tensor:
        """(E, B, inputs) -> (E, B, outputs)."""
        raise NotImplementedError

    def input_gradient(self, params: Params, x: torch.Tensor) -> torch.Tensor:
        """Gradient of the one output at each point, (E, B, d) -> (E, B, d), differentiable in the parameters."""
        import torch

        differentiable = torch.is_grad_enabled()
        with torch.enable_grad():
            x = x.detach().requires_grad_()
            total = self.apply(params, x).sum()
            (gradient,) = torch.autograd.grad(total, x, create_graph=differentiable)
        return gradient

    def project(self, params: Params) -> None:
        """Put parameters back where the architecture wants them, in place, after each update."""

    def normalises_batches(self) -> bool:
        """Whether the output at a point depends on the batch that it is in, until parameters are settled."""
        return False

    def settled(self, params: Params, batches: Iterable[torch.Tensor]) -> Params:
        """Parameters with which the output at a point depends on that point alone; batches are (E, B, inputs)."""
        return params

    def size(self, inputs: int, outputs: int) -> Size:
        """How large it is, found without torch; nets that do not know leave it to their setting `hidden`."""
        raise NotImplementedError

    def perceptron_leak(self) -> float | None:
        """Slope below zero of the (leaky) ReLU between plain dense layers `weight0`, `bias0`, …; None for other nets.

        Nets that have one train through the passes of `wgpipe.nets.passes`, which equal `apply` and its derivatives.
        """
        return None

    def lipschitz_bound(self) -> float | None:
        """The Lipschitz constant that holds by construction, or None."""
        return None


def dense_sizes(inputs: int, hidden: tuple[int, ...], outputs: int) -> list[tuple[int, int]]:
    """(fan-in, fan-out) of each layer of a multilayer perceptron."""
    widths = [inputs, *hidden, outputs]
    return list(itertools.pairwise(widths))


def dense(params: Params, layer: int, x: torch.Tensor) -> torch.Tensor:
    """x W + b for every member: (E, B, in) -> (E, B, out)."""
    return affine(x, params[f"weight{layer}"], params[f"bias{layer}"])


def affine(x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
    """x W + b: (E, B, in), (E, in, out), (E, 1, out) -> (E, B, out)."""
    if 1 in weight.shape[1:]:
        return product(x, weight) + bias
    return bias.baddbmm(x, weight)


def product(x: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """x W for every member: (E, B, in), (E, in, out) -> (E, B, out).

    A product with a vector is not left to BLAS, which is slower there, and rounds it by the number of members.
    """
    inputs, outputs = weight.shape[1:]
    if outputs == 1:
        return (x * weight.mT).sum(dim=-1, keepdim=True)
    return x * weight if inputs == 1 else x @ weight

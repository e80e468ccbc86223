"""Passes through stacks of multilayer perceptrons, written out: no graph, and no memory taken while training.

A batch is (E, width, R) here, R points in the last place: the thin products of the first and the last layer run at
full speed only this way. Every pass equals what automatic differentiation gives, to rounding.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from wgpipe.nets import Params

aten = torch.ops.aten


@dataclass(frozen=True)
class Layers:
    """Views of the weights (E, in, out) and the biases (E, out, 1) of a stack, the output layer last."""

    weights: list[torch.Tensor]
    biases: list[torch.Tensor]

    @classmethod
    def of(cls, params: Params) -> Layers:
        """Of `weight0`, `bias0`, … as `Mlp` names them."""
        count = sum(name.startswith("weight") for name in params)
        values = {name: value.detach() for name, value in params.items()}
        return cls([values[f"weight{i}"] for i in range(count)], [values[f"bias{i}"].mT for i in range(count)])


class Perceptron:
    """One stack of perceptrons with (leaky) ReLU on R points: buffers, forward pass, backward pass.

    Fill `x`, call `forward`, then `backward`, then `gradients`; each reads what the one before left in the buffers.
    `leak` is the slope of the activation below zero, and `into` takes the derivatives in the parameters. All views are
    made here, once, for making one takes as long as a small product.
    """

    def __init__(self, layers: Layers, into: Layers, leak: float, points: int) -> None:
        self.layers, self.into, self.leak = layers, into, leak
        first, last = layers.weights[0], layers.weights[-1]
        members = len(first)
        self.x = first.new_empty(members, first.shape[1], points)
        self.y = first.new_empty(members, last.shape[2], points)
        self.hidden = [first.new_empty(members, weight.shape[2], points) for weight in layers.weights[:-1]]
        self.deltas = [torch.empty_like(hidden) for hidden in self.hidden]
        self.sums = [torch.empty_like(weight, memory_format=torch.contiguous_format) for weight in layers.weights]
        self.between = layers.weights[1:-1]
        self.inputs = [self.x, *self.hidden]
        self.transposed = [weight.mT for weight in layers.weights]

    def forward(self) -> torch.Tensor:
        """(E, outputs, R)."""
        self._to_last_hidden()
        return torch.baddbmm(self.layers.biases[-1], self.transposed[-1], self.hidden[-1], out=self.y)

    def backward(self, dy: torch.Tensor) -> None:
        """Derivatives in the hidden layers, from (E, outputs, R) those in the outputs."""
        torch.bmm(self.layers.weights[-1], dy, out=self.deltas[-1])
        self._back(self.deltas[-1], -1)
        self._down()

    def gradients(self, dy: torch.Tensor) -> None:
        """Derivatives in the parameters."""
        for layer, delta in enumerate([*self.deltas, dy]):
            self.into.weights[layer].copy_(weighted_sum(self.inputs[layer], delta, self.sums[layer]))
            torch.sum(delta, -1, keepdim=True, out=self.into.biases[layer])

    def _to_last_hidden(self) -> None:
        for layer, hidden in enumerate(self.hidden):
            torch.baddbmm(self.layers.biases[layer], self.transposed[layer], self.inputs[layer], out=hidden)
            if self.leak:
                torch.nn.functional.leaky_relu_(hidden, self.leak)
            else:
                hidden.relu_()

    def _down(self) -> None:
        """Derivatives in all hidden layers below the last."""
        for layer in reversed(range(len(self.between))):
            torch.bmm(self.between[layer], self.deltas[layer + 1], out=self.deltas[layer])
            self._back(self.deltas[layer], layer)

    def _back(self, derivative: torch.Tensor, layer: int) -> None:
        """Derivatives behind a layer's activation, (E, width, R) or to be broadcast, to those before it: its deltas."""
        times_slopes(derivative, self.hidden[layer], self.leak, self.deltas[layer])


class ScalarPerceptron(Perceptron):
    """A perceptron with one output, some of whose points are there for the gradient of f alone: the last `slopes`.

    Two facts save a third of the work of two nested differentiations:

    1. The gradient in x of a piecewise linear f is its backward pass from 1, so both kinds of points share one pass.
       A function of that gradient reaches the parameters through a forward pass of its derivative, without biases,
       over the same active units.
    2. f is homogeneous in each unit of the last hidden layer, so that the output weights' derivatives follow from
       those of the weights below (Euler's identity).
    """

    def __init__(self, layers: Layers, into: Layers, leak: float, points: int, slopes: int) -> None:
        super().__init__(layers, into, leak, points)
        valued = points - slopes
        self.y = self.y.new_empty(len(self.y), 1, valued)
        seed = torch.ones_like(self.x[:, :1])
        self.seed, self.valued_seed = seed.expand_as(self.hidden[-1]), seed[..., :valued]
        self.scaled = torch.empty_like(self.sums[-2])  # weights of the last hidden layer times the output weights
        self.between = [*layers.weights[1:-2], self.scaled] if self.between else []
        self.bottom = layers.weights[0] if self.between else self.scaled
        self.valued_hidden = self.hidden[-1][..., :valued]
        self.valued_deltas = [delta[..., :valued] for delta in self.deltas]
        self.slope_delta = self.deltas[0][..., valued:]
        self.tangents = [values[..., valued:] for values in self.inputs[:-1]]

    def forward(self) -> torch.Tensor:
        """(E, 1, R - slopes): f at the points that are there for it."""
        self._to_last_hidden()
        return torch.baddbmm(self.layers.biases[-1], self.transposed[-1], self.valued_hidden, out=self.y)

    def backward(self, dy: torch.Tensor) -> None:
        """Derivatives in the hidden layers, from (E, 1, R - slopes) those in f; the output weights are left out."""
        self.valued_seed.copy_(dy)
        torch.mul(self.layers.weights[-2], self.transposed[-1], out=self.scaled)
        self._back(self.seed, -1)
        self._down()

    def valued_gradient(self) -> torch.Tensor:
        """(E, d, R - slopes): the derivatives in f carried on to the points that are there for it."""
        return torch.bmm(self.bottom, self.valued_deltas[0])

    def slope_gradient(self) -> torch.Tensor:
        """(E, d, slopes): the gradient of f at the other points."""
        return torch.bmm(self.bottom, self.slope_delta)

    def gradients(self, dy: torch.Tensor, dgradient: torch.Tensor | None = None) -> None:
        """Derivatives in the parameters, from `dy` and from (E, d, slopes) derivatives in the gradient of f."""
        if dgradient is not None:
            self._put_tangents(dgradient)
        weights, biases = self.into.weights, self.into.biases
        for layer, delta in enumerate(self.deltas):
            weighted_sum(self.inputs[layer], delta, self.sums[layer])
            torch.sum(self.valued_deltas[layer], -1, keepdim=True, out=biases[layer])
        for layer in range(len(self.between)):
            weights[layer].copy_(self.sums[layer])
        top = self.sums[-2]
        products = (top * self.layers.weights[-2]).sum(1).unsqueeze(-1)
        torch.addcmul(products, biases[-2], self.layers.biases[-2], out=weights[-1])
        torch.mul(top, self.transposed[-1], out=weights[-2])
        biases[-2].mul_(self.layers.weights[-1])
        torch.sum(dy, -1, keepdim=True, out=biases[-1])

    def _put_tangents(self, dgradient: torch.Tensor) -> None:
        """Put the forward pass of `dgradient` where the values at the points with slopes were."""
        self.tangents[0].copy_(dgradient)
        for layer, active in enumerate(self.tangents[1:]):
            times_slopes(torch.bmm(self.transposed[layer], self.tangents[layer]), active, self.leak, active)


def weighted_sum(x: torch.Tensor, delta: torch.Tensor, into: torch.Tensor) -> torch.Tensor:
    """Sum over points of x delta': (E, a, R), (E, b, R) -> (E, a, b).

    Where b = 1 the product is taken the other way round: BLAS rounds a column by the number of members.
    """
    if delta.shape[1] > 1:
        return torch.bmm(x, delta.mT, out=into)
    if x.shape[1] > 1:
        return into.copy_(torch.bmm(delta, x.mT).mT)
    return torch.sum(x * delta, -1, keepdim=True, out=into)


def times_slopes(derivative: torch.Tensor, active: torch.Tensor, leak: float, into: torch.Tensor) -> None:
    """Derivatives behind an activation, times its slopes where its values are `active`."""
    if leak:
        aten.leaky_relu_backward.grad_input(derivative, active, leak, True, grad_input=into)
    else:
        aten.threshold_backward.grad_input(derivative, active, 0.0, grad_input=into)

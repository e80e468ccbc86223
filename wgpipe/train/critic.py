"""A critic as methods and constraints see it: a function with its gradient."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

import torch

from wgpipe.nets import Net, Params

Value = TypeVar("Value")


@dataclass(frozen=True)
class Critic:
    """A network and the parameters of E members, or several networks of one kind, each a `part`."""

    net: Net
    params: Params

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        """(E, B, d) -> (E, B): values of a network with one output."""
        return self.net.apply(self.params, x).squeeze(-1)

    def vector(self, x: torch.Tensor) -> torch.Tensor:
        """(E, B, inputs) -> (E, B, outputs)."""
        return self.net.apply(self.params, x)

    def part(self, name: str) -> Critic:
        """One of the networks that a method's `parts` names."""
        return Critic(self.net, of_part(self.params, name))

    def state(self, name: str) -> torch.Tensor:
        """(E,) one of the numbers that a method's `state` names; changed in place, it stays changed."""
        return self.params[method_state(name)].view(-1)

    def detached(self) -> Critic:
        """The same networks, whose parameters are constants."""
        return Critic(self.net, {name: value.detach() for name, value in self.params.items()})

    def double(self) -> Critic:
        """The same networks in double precision."""
        return Critic(self.net, {name: value.double() for name, value in self.params.items()})

    def gradient(self, x: torch.Tensor) -> torch.Tensor:
        """grad f(x): (E, B, d) -> (E, B, d), differentiable in the parameters but not in x."""
        return self.net.input_gradient(self.params, x)

    def both(self, real: torch.Tensor, fake: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Values at real and generated points, (E, B) each, in one pass if the network allows it."""
        if self.net.one_batch_at_a_time:
            return self(real), self(fake)
        f_real, f_fake = self(torch.cat([real, fake], dim=1)).split([real.shape[1], fake.shape[1]], dim=1)
        return f_real, f_fake

    def slope(self, x: torch.Tensor) -> torch.Tensor:
        """|grad f(x)|: (E, B, d) -> (E, B), differentiable in the parameters."""
        slope: torch.Tensor = torch.linalg.vector_norm(self.gradient(x), dim=-1)
        return slope


def named_part(part: str, params: Mapping[str, Value]) -> dict[str, Value]:
    """Parameters of a network under the names that they have among those of several; a nameless part keeps them."""
    return {_name(part, name): value for name, value in params.items()}


def of_part(params: Mapping[str, Value], part: str) -> dict[str, Value]:
    """The reverse of `named_part`: one network's parameters, under their own names."""
    if not part:
        return dict(params)
    prefixes = {f"{part}.": "", f"state.{part}.": "state."}
    return {
        own + name.removeprefix(prefix): value
        for name, value in params.items()
        for prefix, own in prefixes.items()
        if name.startswith(prefix)
    }


def method_state(name: str) -> str:
    """Where a number that a method carries along stands among the parameters."""
    return f"state.method.{name}"


def _name(part: str, name: str) -> str:
    if not part:
        return name
    return f"state.{part}.{name.removeprefix('state.')}" if name.startswith("state.") else f"{part}.{name}"

"""A critic as methods and constraints see it: a function with its slope."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from wgpipe.nets import Net, Params


@dataclass(frozen=True)
class Critic:
    """A network with one output and the parameters of E members."""

    net: Net
    params: Params

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        """(E, B, d) -> (E, B)."""
        return self.net.apply(self.params, x).squeeze(-1)

    def both(self, real: torch.Tensor, fake: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Values at real and generated points, (E, B) each, in one pass."""
        f_real, f_fake = self(torch.cat([real, fake], dim=1)).split([real.shape[1], fake.shape[1]], dim=1)
        return f_real, f_fake

    def slope(self, x: torch.Tensor) -> torch.Tensor:
        """|grad f(x)|: (E, B, d) -> (E, B), differentiable in the parameters."""
        slope: torch.Tensor = torch.linalg.vector_norm(self.net.input_gradient(self.params, x), dim=-1)
        return slope

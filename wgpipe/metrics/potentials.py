"""Learned convex potentials in double precision: their dual values, and what the two laws weigh in their tangents."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from wgpipe.methods.conjugate import Argmax, argmax
from wgpipe.methods.w2_icnn import MAP_TOLERANCE, W2Icnn
from wgpipe.nets.convex import Convex
from wgpipe.train.critic import Critic
from wgpipe.train.sides import trained

if TYPE_CHECKING:
    from wgpipe.train.evaluate import TrainedBlock


@dataclass(frozen=True)
class Potential:
    """Convex functions f of E members, of the law of targets or, without `of_target`, of that of sources."""

    net: Convex
    critic: Critic
    of_target: bool
    inner_steps: int

    def value(self, source: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(E, m, d), (E, k, d) -> (E,), (E,): E ½|X|² + E ½|Y|² - E f(X) - E f*(Y), and how much less it may be."""
        x, y = self._sides(source, target)
        best = self._conjugate(y)
        with torch.no_grad():
            of_x, of_best = self.critic(x), self.critic(best.points)
        conjugate = (y * best.points).sum(dim=-1) - of_best
        value = (_half_square(x) - of_x).mean(dim=1) + (_half_square(y) - conjugate).mean(dim=1)
        gap = best.residual.square().mean(dim=1) / (2 * self.net.strong_convexity)
        return value.numpy(), gap.numpy()

    def tangent_residual(self, source: np.ndarray, target: np.ndarray, groups: int) -> np.ndarray:
        """(E, n, d), (E, n, d) -> (E,): |r| / |s| over the parameters θ that no bound holds.

        r = E ∂f/∂θ(X) - E ∂f/∂θ(x̂(Y)), and s² is the sum of the variances of both ∂f/∂θ, by the means of `groups`
        equal groups of points; what is left over of n does not count.
        """
        x, y = self._sides(source, target)
        at_x, at_best = (self._tangents(points, groups) for points in (x, self._conjugate(y).points))
        free = self._free()
        residual = (at_x - at_best).mean(dim=0).square()
        variance = (x.shape[1] // groups) * (at_x.var(dim=0) + at_best.var(dim=0))
        return np.asarray(((residual * free).sum(dim=1) / (variance * free).sum(dim=1)).sqrt().numpy())

    def _sides(self, source: np.ndarray, target: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
        """Points of the law that f is a function of, and of the other."""
        x, y = (target, source) if self.of_target else (source, target)
        return torch.from_numpy(x), torch.from_numpy(y)

    def _conjugate(self, y: torch.Tensor) -> Argmax:
        return argmax(self.critic, y, y, MAP_TOLERANCE, self.inner_steps)

    def _tangents(self, points: torch.Tensor, groups: int) -> torch.Tensor:
        """(E, n, d) -> (groups, E, P) means of ∂f/∂θ over groups of points."""
        size = points.shape[1] // groups
        params = {name: value.detach().clone().requires_grad_() for name, value in trained(self.critic.params).items()}
        potential = Critic(self.net, {**self.critic.params, **params})
        rows = []
        for group in points[:, : size * groups].split(size, dim=1):
            slopes = torch.autograd.grad(potential(group).mean(dim=1).sum(), list(params.values()))
            rows.append(torch.cat([slope.flatten(1) for slope in slopes], dim=1))
        return torch.stack(rows)

    def _free(self) -> torch.Tensor:
        """(E, P) whether a parameter may move both ways."""
        held = self.net.clipped(self.critic.params)
        return torch.cat(
            [
                (~held[name] if name in held else torch.ones_like(value, dtype=torch.bool)).flatten(1)
                for name, value in trained(self.critic.params).items()
            ],
            dim=1,
        )


def potential_of(block: TrainedBlock, inner_steps: int) -> Potential | None:
    """The potentials of a block that learned some by a search for their conjugates; None of any other."""
    method, critic = block.method, block.critic()
    if critic is None or not isinstance(method, W2Icnn) or not isinstance(critic.net, Convex):
        return None
    exact = critic.detached().double()
    return Potential(critic.net, exact, method.potential == "target", inner_steps)


def _half_square(x: torch.Tensor) -> torch.Tensor:
    return 0.5 * x.square().sum(dim=-1)

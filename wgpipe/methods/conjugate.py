"""Convex potentials: their gradients as maps, and the points where their conjugates are attained."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from wgpipe.nets import product

if TYPE_CHECKING:
    from wgpipe.train.critic import Critic

DESCENT = 1e-4  # share of the linear decrease that a step must reach (Armijo)
MEMORY = 10  # steps that the curvature is estimated from
SLACK = 16  # roundings by which a value may rise
SHORTEST = 2.0**-12  # share of a step at which a point gives up: it sits on a kink, where no gradient vanishes


@dataclass(frozen=True)
class Argmax:
    """(E, B, d) points x that nearly maximise <y, x> - f(x), and (E, B) what is left of |y - ∇f(x)|."""

    points: torch.Tensor
    residual: torch.Tensor


def push(potential: Critic, x: torch.Tensor) -> torch.Tensor:
    """(E, B, d) -> (E, B, d): ∇f(x), differentiable in the parameters and, unlike `Critic.gradient`, in x."""
    differentiable = torch.is_grad_enabled()
    with torch.enable_grad():
        x = x if x.requires_grad else x.detach().requires_grad_()
        (gradient,) = torch.autograd.grad(potential(x).sum(), x, create_graph=differentiable)
    return gradient


def best_of(potential: Critic, y: torch.Tensor, candidates: torch.Tensor) -> torch.Tensor:
    """(E, B, d), (E, C, d) -> (E, B, d): the candidate x with the largest <y, x> - f(x), for each y."""
    with torch.no_grad():
        best = (product(y, candidates.mT) - potential(candidates)[:, None, :]).argmax(dim=-1, keepdim=True)
        return candidates.gather(1, best.expand(-1, -1, candidates.shape[-1]))


@torch.no_grad()
def argmax(potential: Critic, y: torch.Tensor, start: torch.Tensor, tolerance: float, steps: int) -> Argmax:
    """Where the conjugate f*(y) = sup_x <y, x> - f(x) is attained: there ∇f*(y) = x. All (E, B, d).

    L-BFGS with backtracking, for each point on its own: it rests once |y - ∇f(x)| <= `tolerance`, or no step leads
    down, as on a kink of f, or f was evaluated `steps` times more. Parameters are constants.
    """
    potential, x, y = potential.detached(), start.detach(), y.detach()
    value, gradient = _objective(potential, x, y)
    length = torch.ones_like(value)
    direction = -gradient
    past: list[tuple[torch.Tensor, torch.Tensor, torch.Tensor]] = []
    for _ in range(steps):
        active = (_norm(gradient) > tolerance) & (length > SHORTEST)
        if not active.any():
            break
        new_x = x + length[..., None] * direction
        new_value, new_gradient = _objective(potential, new_x, y)
        promised = DESCENT * length * _dot(gradient, direction)
        slack = SLACK * torch.finfo(value.dtype).eps * (1 + value.abs())
        taken = active & (new_value - value <= promised + slack)
        step, change = _where(taken, new_x - x, 0.0), _where(taken, new_gradient - gradient, 0.0)
        past = [*past[1 - MEMORY :], (step, change, _dot(step, change))]
        x, gradient = _where(taken, new_x, x), _where(taken, new_gradient, gradient)
        value = torch.where(taken, new_value, value)
        direction = _where(taken, -_inverse_curvature(past, gradient), direction)
        length = torch.where(taken, 1.0, 0.5 * length)
    return Argmax(x, _norm(gradient))


def _objective(potential: Critic, x: torch.Tensor, y: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """(E, B) values f(x) - <x, y> and their gradients (E, B, d)."""
    with torch.enable_grad():
        x = x.requires_grad_()
        value = potential(x) - _dot(x, y)
        (gradient,) = torch.autograd.grad(value.sum(), x)
    x.requires_grad_(False)
    return value.detach(), gradient


def _inverse_curvature(past: list[tuple[torch.Tensor, torch.Tensor, torch.Tensor]], v: torch.Tensor) -> torch.Tensor:
    """(E, B, d) -> (E, B, d): the inverse Hessian, as past steps and changes of the gradient show it, times v.

    Nocedal & Wright, Numerical Optimization, algorithm 7.4. A point that did not step learns nothing.
    """
    weights = []
    for step, change, curvature in reversed(past):
        weight = _quotient(_dot(step, v), curvature)
        v = v - weight[..., None] * change
        weights.append(weight)
    scale = torch.ones_like(v[..., 0])
    for _, change, curvature in past:
        scale = torch.where(curvature > 0, _quotient(curvature, _dot(change, change)), scale)
    v = scale[..., None] * v
    for (step, change, curvature), weight in zip(past, reversed(weights), strict=True):
        v = v + (weight - _quotient(_dot(change, v), curvature))[..., None] * step
    return v


def _quotient(numerator: torch.Tensor, denominator: torch.Tensor) -> torch.Tensor:
    """0 where the denominator is not positive."""
    positive = denominator > 0
    return torch.where(positive, numerator / torch.where(positive, denominator, 1.0), 0.0)


def _where(taken: torch.Tensor, new: torch.Tensor, old: torch.Tensor | float) -> torch.Tensor:
    return torch.where(taken[..., None], new, old)


def _dot(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    return (a * b).sum(dim=-1)


def _norm(a: torch.Tensor) -> torch.Tensor:
    norm: torch.Tensor = torch.linalg.vector_norm(a, dim=-1)
    return norm

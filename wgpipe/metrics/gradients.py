"""Gradients and values of learned critics against those of the true Kantorovich potential."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch

from wgpipe.data.pairs import Coupling
from wgpipe.train.critic import Critic

EPSILON = 1e-15  # of the published cosine


def gap(critic: Critic, target: np.ndarray, source: np.ndarray) -> np.ndarray:
    """(E, m, d), (E, k, d) -> (E,) E f(target) - E f(source)."""
    exact = critic.double()
    with torch.no_grad():
        f_target, f_source = (exact(torch.from_numpy(points)).mean(dim=1).numpy() for points in (target, source))
    return np.asarray(f_target - f_source)


def learned_gradients(critic: Critic, points: np.ndarray) -> np.ndarray:
    """(E, m, d) -> (E, m, d) float64 gradients of the critic, in the precision of points and parameters."""
    with torch.no_grad():
        return critic.gradient(torch.from_numpy(points)).double().numpy()


def scores(critic: Critic, couplings: list[Coupling]) -> dict[str, np.ndarray]:
    """Of learned gradients at the target points of E couplings, against the directions of the pairs: (E,) each."""
    learned = learned_gradients(critic.double(), np.stack([each.target for each in couplings]))
    true = _directions(couplings)
    return {"gradient_cos": _cosine(learned, true), "gradient_l2": _squared_distance(learned, true)}


def published_scores(
    critic: Critic, couplings: list[Coupling], arrays: Mapping[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """The same against the gradient of -min_k |y - a_k| + b_k in float32, as published."""
    points = np.stack([each.target for each in couplings]).astype(np.float32)
    learned = learned_gradients(critic, points)
    computed = np.stack([_funnel_gradient(member, arrays["centres"], arrays["offsets"]) for member in points])
    return {
        "gradient_cos_published": _cosine(learned, computed),
        "gradient_l2_published": _squared_distance(learned, computed),
        "gradient_cos_ceiling": _cosine(_directions(couplings), computed),
    }


def _funnel_gradient(points: np.ndarray, centres: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """(m, d) float32 -> (m, d): the gradient of -min_k (|y - a_k| + b_k) as automatic differentiation has it."""
    y = torch.from_numpy(points).requires_grad_()
    distances = torch.cdist(y, torch.from_numpy(centres.astype(np.float32)))
    total = (distances + torch.from_numpy(offsets.astype(np.float32))).amin(dim=1).sum()
    (gradient,) = torch.autograd.grad(-total, y)
    return gradient.double().numpy()


def _directions(couplings: list[Coupling]) -> np.ndarray:
    """(E, m, d) gradients of the true potential."""
    known = [each.direction for each in couplings if each.direction is not None]
    return np.stack(known)


def _cosine(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(E, m, d), (E, m, d) -> (E,) mean cosine, 0 where one of the vectors is 0."""
    norms = np.linalg.norm(a, axis=-1) * np.linalg.norm(b, axis=-1)
    return np.asarray(((a * b).sum(axis=-1) / (norms + EPSILON)).mean(axis=1))


def _squared_distance(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(E, m, d), (E, m, d) -> (E,)."""
    return np.asarray(np.square(a - b).sum(axis=-1).mean(axis=1))

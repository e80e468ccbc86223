"""How well a critic knows the Kantorovich potential of a pair of laws whose optimal transport is known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import torch
from pydantic import PositiveInt

from wgpipe.data.pairs import Coupling, PairDataset
from wgpipe.methods import Adversarial
from wgpipe.metrics import Metric
from wgpipe.registry import register
from wgpipe.train.critic import Critic

if TYPE_CHECKING:
    from wgpipe.train.evaluate import TrainedBlock

EPSILON = 1e-15  # of the published cosine
FUNNELS = {"centres", "offsets"}  # a_k and b_k of a pair made of funnels


@register("potential", cites=("korotin2022",))
class Potential(Metric):
    """Gradient and value of a critic f against those of the potential f*, where the cost is |x - y|.

    f* maximises E f(target) - E f(source) over 1-Lipschitz functions. At the `pairs` target points y, its gradient is
    the unit vector e from the source point that belongs to y:

    - `gradient_cos`: E cos(grad f(y), e), `gradient_l2`: E |grad f(y) - e|², in float64;
    - `gradient_cos_published`, `gradient_l2_published`: the same against the gradient g of the true potential as the
      benchmark of Korotin et al. 2022 computes it, in float32 by way of `torch.cdist`. Near the centre of a funnel
      that distance is rounding error and g often 0, so that even e scores less than 1: `gradient_cos_ceiling`. For
      pairs made of funnels only;
    - `w1_estimate`: mean of f at `pairs` target points minus its mean at as many independent source points, `w1_true`
      and `w1_error`, their difference over the truth.

    Blocks without such a critic (a map, a control) have `w1_true` alone; pairs of another cost have nothing.
    """

    pairs: PositiveInt = 4096

    def measure(self, block: TrainedBlock) -> dict[str, tuple[np.ndarray, str]]:  # type: ignore[override]
        """Quantity -> ((E,) float64, protocol)."""
        pair = block.job.dataset
        if not isinstance(pair, PairDataset) or pair.cost != 1:
            return {}
        columns = {"w1_true": np.full(len(block.job.seeds), pair.distance(block.job.arrays))}
        critic = block.critic() if _learns_a_potential(block, pair) else None
        if critic is not None:
            draws = block.streams("eval-pairs")
            couplings = [pair.coupled(block.job.arrays, draw, self.pairs) for draw in draws]
            columns |= _gradient_scores(critic, couplings)
            if set(block.job.arrays) >= FUNNELS:
                columns |= _published_scores(critic, couplings, block.job.arrays)
            columns["w1_estimate"] = self._gap(block, critic)
            columns["w1_error"] = columns["w1_estimate"] / columns["w1_true"] - 1
        protocol = f"potential[pairs={self.pairs}]"
        return {name: (np.asarray(column, dtype=np.float64), protocol) for name, column in columns.items()}

    def _gap(self, block: TrainedBlock, critic: Critic) -> np.ndarray:
        """(E,) E f(target) - E f(source)."""
        exact = _in_double(critic)
        with torch.no_grad():
            target, source = (
                exact(torch.from_numpy(draw(self.pairs))).mean(dim=1).numpy() for draw in (block.real, block.source)
            )
        return np.asarray(target - source)


def _learns_a_potential(block: TrainedBlock, pair: PairDataset) -> bool:
    """Whether the critic is one function of a point, and not the means to a map."""
    method, dimension = block.method, pair.card().dimension
    if not isinstance(method, Adversarial) or method.parts(dimension) != {"": (dimension, 1)}:
        return False
    return type(method).transport is Adversarial.transport


def _in_double(critic: Critic) -> Critic:
    return Critic(critic.net, {name: value.double() for name, value in critic.params.items()})


def _gradient(critic: Critic, points: np.ndarray) -> np.ndarray:
    """(E, m, d) -> (E, m, d) float64 gradients of the critic, in the precision of points and parameters."""
    with torch.no_grad():
        return critic.gradient(torch.from_numpy(points)).double().numpy()


def _gradient_scores(critic: Critic, couplings: list[Coupling]) -> dict[str, np.ndarray]:
    """Against the directions of the pairs."""
    learned = _gradient(_in_double(critic), np.stack([each.target for each in couplings]))
    true = _directions(couplings)
    return {"gradient_cos": _cosine(learned, true), "gradient_l2": _squared_distance(learned, true)}


def _published_scores(
    critic: Critic, couplings: list[Coupling], arrays: Mapping[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """Against the gradient of -min_k |y - a_k| + b_k in float32, as published."""
    points = np.stack([each.target for each in couplings]).astype(np.float32)
    learned = _gradient(critic, points)
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

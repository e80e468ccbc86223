"""Work of a training in passes of a batch through a network, forward and backward: what a clock would say, without one.

Counted is the work on networks: products between all pairs of a batch, as regularised plans need them, are not.
"""

from __future__ import annotations

from typing import Any

from wgpipe.config import Study as Settings
from wgpipe.methods.seguy import Seguy
from wgpipe.methods.w2_icnn import W2Icnn
from wgpipe.methods.w2gn import W2gn
from wgpipe.recipe import Recipe
from wgpipe.settings import merge

PENALTY = 2  # a penalty on gradients differentiates twice


def recipe(config: Settings, name: str) -> Recipe:
    """A recipe with the settings of the study's full list, before those of a scale."""
    settings: dict[str, Any] = merge(config.defaults, config.recipes[name])
    return Recipe.model_validate(settings)


def generates(given: Recipe) -> bool:
    """Whether what it gives is compared with data: a generator of its own, or a map behind another's."""
    return given.generator is not None or given.on is not None


def passes(given: Recipe) -> int:
    """Of one step, at most: a search for conjugates may end before its `inner_steps`. 0 where nothing is trained."""
    if given.is_control:
        return 0
    method: object = given.method.build("method")
    penalised = given.constraint.build("constraint").bounds_slope
    search = method.inner_steps if isinstance(method, W2Icnn) else 0
    if isinstance(method, Seguy):
        critic = len(method.parts(1))
    elif isinstance(method, W2gn):
        critic = 2 + 2 * PENALTY
    else:
        critic = search + 2 + (PENALTY if penalised else 0)
    generates = given.generator is not None
    total = given.training.critic_steps * (critic + generates) if given.critic is not None else 0
    if not given.trains_generator:
        return total
    return total + 1 + (search + 1 if given.critic is not None else 0)

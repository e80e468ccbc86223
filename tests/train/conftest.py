from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from wgpipe.nets import Params
from wgpipe.recipe import Recipe
from wgpipe.train import draws, population
from wgpipe.train.draws import Members
from wgpipe.train.population import Population

POINTS = 64
SMALL = {"name": "mlp", "hidden": [8, 8]}


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture
def recipe() -> Callable[..., Recipe]:
    """`recipe(method, constraint, …)`: small networks on both sides, everything else by keyword."""

    def build(
        method: str | dict[str, Any] = "wgan",
        constraint: str | dict[str, Any] = "none",
        generator: dict[str, Any] | None = SMALL,
        critic: dict[str, Any] | None = SMALL,
        on: str | None = None,
        **training: Any,
    ) -> Recipe:
        return Recipe.model_validate(
            {
                "method": {"name": method} if isinstance(method, str) else method,
                "constraint": {"name": constraint} if isinstance(constraint, str) else constraint,
                "generator": generator,
                "critic": critic,
                "on": on,
                "training": {"batch": 32, **training},
            }
        )

    return build


@pytest.fixture
def sample() -> Callable[..., torch.Tensor]:
    """`sample(seeds, d)`: POINTS training points of each member, which depend on its seed alone."""

    def draw(seeds: tuple[int, ...], d: int = 3) -> torch.Tensor:
        points = [np.random.default_rng(seed).standard_normal((POINTS, d)) + 1 for seed in seeds]
        return torch.from_numpy(np.stack(points))

    return draw


@pytest.fixture
def populate(sample: Callable[..., torch.Tensor]) -> Callable[..., Population]:
    """`populate(recipe, seeds)`: an untrained population of these seeds, on all of their points or the first n."""

    def build(
        recipe: Recipe,
        seeds: tuple[int, ...],
        points: torch.Tensor | None = None,
        dtype: torch.dtype = torch.float32,
        path: str = "auto",
        latent: int = 2,
        n: tuple[int, ...] | None = None,
        sources: torch.Tensor | None = None,
        frozen: Params | None = None,
    ) -> Population:
        n = n or (POINTS,) * len(seeds)
        whole = sample(seeds) if points is None else points
        samples = [each[:size] for each, size in zip(whole, n, strict=True)]
        members = Members("toy", tuple(zip(n, seeds, strict=True)))
        return Population(
            recipe,
            members,
            samples,
            latent,
            torch.device("cpu"),
            dtype,
            path,
            [*sources] if sources is not None else [],
            frozen,
        )

    return build


@pytest.fixture
def chunk(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """`chunk(steps)`: cut streams and trainings into shorter chunks."""

    def shorten(steps: int) -> None:
        for module in (draws, population):
            monkeypatch.setattr(module, "CHUNK", steps)

    return shorten

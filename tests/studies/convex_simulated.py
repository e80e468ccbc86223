"""Runs of convex potentials whose scores follow known laws, on much of the quick scale's grid."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from tests.studies.truth_runs import COLUMNS
from wgpipe.theory.two_point import projection

SEEDS = 8
TRUE_COST = 2.5
NS = (64, 256, 1024, 4096)
GAUSSIANS = {"gaussian_pair-2": 2, "gaussian_pair-8": 8}
MIXTURE, GRID = "mix3tomix10-2", "grid-25-wgangp"
LENGTHS = (50, 200)
THRESHOLD = 7.0
W2_NULL = 0.2

Scores = dict[str, float]


@dataclass(frozen=True)
class Law:
    """What the simulated world is like. By default it agrees with every claim, but for the paper's power of the map."""

    slopes: dict[str, float] = field(default_factory=dict)  # of the map error, by recipe
    q_uvp: float = 0.05
    q_value: float = 2e-4
    excess: float = -0.02
    gap: float = 0.01
    residual: float = 0.02
    error_at_equal_work: float = 0.5
    distance: float = 1.0  # of the two points, over the formula
    value_slope: float = -0.5
    homotopy: float = 0.8  # steps with it over steps without
    steps: float = 100.0  # without
    composed: float = 0.3
    w2_icnn: float = 0.3
    w2_gan: float = 0.4
    noise: float = 0.1
    diverged: Callable[[str, int], bool] = lambda recipe, seed: False

    def slope(self, recipe: str) -> float:
        return self.slopes.get(recipe, {"icnn": -0.5, "q-closed": -0.5}.get(recipe, -0.05))

    def noisy(self, value: float, *key: object) -> float:
        stream = np.random.default_rng(zlib.crc32(repr(key).encode()))
        return float(value * np.exp(self.noise * stream.normal()))

    def closed(self, dataset: str, n: int, seed: int) -> Scores:
        error = self.noisy(0.5 * n**self.value_slope, "value", dataset, n, seed)
        uvp = 10 * self.noisy(n ** self.slope("q-closed"), "closed", dataset, n, seed) ** 2
        return {"uvp": uvp, "dual_sample": TRUE_COST * (1 + error), "moment_residual": 1e-15}

    def mapped(self, error: float, *key: object) -> Scores:
        return {"uvp": 100 * self.noisy(error, "map", *key) ** 2, "moment_residual": self.noisy(0.2, "moment", *key)}

    def trained(self, error: float, *key: object) -> Scores:
        cost = self.noisy(TRUE_COST, "cost", *key)
        return {
            **self.mapped(error, *key),
            "tangent_residual": self.noisy(self.residual, "tangent", *key),
            "dual_cost": cost,
            "dual_gap": self.gap * cost,
            "dual": cost * (1 + self.excess + self.gap),
            "dual_sample": self.noisy(TRUE_COST, "sample", *key),
        }

    def solved(self, dataset: str, n: int, seed: int) -> Scores:
        """Class Q by training, a little off the closed form at the same sample."""
        value = self.closed(dataset, n, seed)["dual_sample"] * (1 - self.noisy(self.q_value, "solved", seed))
        uvp = self.noisy(self.q_uvp, "solved uvp", seed)
        return {**self.trained(0.1, "q", n, seed), "uvp": uvp, "dual_sample": value}

    def of_length(self, length: int, growing: bool, seed: int) -> Scores:
        steps = self.steps * (self.homotopy if growing else 1.0)
        error = np.sqrt(THRESHOLD / 100 * steps / length)
        return {**self.trained(error, "length", length, growing, seed), **_field()}

    def generated(self, level: float, recipe: str, seed: int) -> Scores:
        return {"w2": self.noisy(level, "w2", recipe, seed), "spread": 1.0, "modes_captured": 24.0 + seed % 2}


def simulate(seeds: int = SEEDS, **changes: Any) -> pd.DataFrame:
    """The runs of a law that differs from the default in some fields."""
    law = Law(**changes)
    pair, last = "gaussian_pair-2", NS[-1]
    blocks: list[tuple[str, int, str, int, Callable[[int], Scores]]] = []
    for name, dimension in GAUSSIANS.items():
        for n in NS:
            blocks.append((name, dimension, "oracle", n, lambda seed: {"w2": W2_NULL}))
            blocks.append((name, dimension, "q-closed", n, lambda seed, a=name, n=n: law.closed(a, n, seed)))
    for n in NS:
        error = 3.0 * n ** law.slope("icnn")
        blocks.append((pair, 2, "icnn", n, lambda seed, e=error, n=n: law.trained(e, "icnn", n, seed)))
        for recipe in ("plan-l2", "plan-entropy"):
            error = 0.6 * n ** law.slope(recipe)
            blocks.append((pair, 2, recipe, n, lambda seed, e=error, r=recipe, n=n: law.mapped(e, r, n, seed)))
    by_work = law.error_at_equal_work
    blocks.append((pair, 2, "plan-l2_work", last, lambda seed: law.mapped(by_work, "work", seed)))
    for n in NS[-2:]:
        blocks.append((pair, 2, "q-trained", n, lambda seed, n=n: law.solved(pair, n, seed)))
    for growing, kind in ((True, "homotopy"), (False, "icnn")):
        for length in LENGTHS:
            recipe = f"{kind}_{length}"
            blocks.append((MIXTURE, 2, recipe, 16384, lambda seed, k=length, g=growing: law.of_length(k, g, seed)))
    for percent in (10, 40):
        scores = {"projection": projection(percent / 100) * law.distance, "projection_w1": percent / 50, "uvp": 40.0}
        blocks.append((f"two_point-{percent}", 2, "q-closed", 64, lambda seed, s=scores: s))
    levels = {"gan-wgan-gp": law.w2_gan, "gan-icnn": law.w2_icnn, "gan-q": 0.6, "compose-icnn": law.composed}
    blocks.append((GRID, 2, "oracle", 4096, lambda seed: {"w2": W2_NULL, "spread": 1.0, "modes_captured": 25.0}))
    for recipe, level in levels.items():
        blocks.append((GRID, 2, recipe, 4096, lambda seed, r=recipe, v=level: law.generated(v, r, seed)))
    rows = [row for block in blocks for row in _rows(law, seeds, *block)]
    return pd.DataFrame(rows, columns=COLUMNS).astype({"intrinsic": "float64"})


def _rows(
    law: Law, seeds: int, dataset: str, dimension: int, recipe: str, n: int, scores: Callable[[int], Scores]
) -> list[tuple[object, ...]]:
    rows: list[tuple[object, ...]] = []
    known = {"w2_true": TRUE_COST} if dataset != GRID else {}
    for seed in range(seeds):
        lost = law.diverged(recipe, seed)
        run = (dataset, dimension, dimension, recipe, n, seed, "diverged" if lost else "ok")
        for metric, value in {**known, **scores(seed)}.items():
            number = np.nan if lost and metric not in known else value
            null = {"w2": W2_NULL, "spread": 1.0, "modes_captured": 25.0}.get(metric, np.nan)
            rows.append((*run, metric, number, null, number - null, f"{metric.split(':')[0]}[pairs=64]"))
    return rows


def _field(points: int = 16) -> Scores:
    stream = np.random.default_rng(3)
    x = stream.uniform(-2, 2, (points, 2))
    vectors = {"field": x, "field_learned": 1.4 * x + 0.1 * stream.normal(size=x.shape), "field_true": 1.5 * x}
    return {
        f"{name}_{axis}:{place}": float(values[place, coordinate])
        for name, values in vectors.items()
        for coordinate, axis in enumerate("xy")
        for place in range(points)
    }

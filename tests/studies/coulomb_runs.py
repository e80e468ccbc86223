"""Runs of `coulomb` whose numbers are known by construction."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd

from tests.studies.truth_runs import COLUMNS

MIXTURES = {"grid-25": 25, "ring-8": 8, "grid-25-coulomb": 25}
TRAINED = ["coulomb", "gan", "wgan-gp_modes", "mmd-gan", "began"]
BALLS = {"ball-2in2": 2, "ball-3in3": 3, "ball-4in4": 4, "sphere-2in3": 3}
DIMENSIONS = (2.5, 3.0, 4.0, 5.0)
NULLS = {"plummer_mmd": 0.05, "birthday_support": 4000.0, "birthday_size": 74.0, "neighbour_ratio": 1.01}
FLOW = {"ball": "logistic_rate", "sphere": "decay_rate"}

Law = Callable[[str, str], float]  # dataset, recipe -> a metric's mean over seeds
Seeds = Sequence[int]


def coulomb_runs(
    laws: Mapping[str, Law] | None = None,
    seeds: Seeds = range(5),
    noise: float = 0.02,
    diverged: Callable[[str, int], bool] = lambda recipe, seed: False,
    laplacian: Callable[[float, int], float] = lambda d, m: d - m - 0.01,
    rates: Callable[[str], float] = lambda name: 0.97,
) -> pd.DataFrame:
    """All methods on the 25-grid and the ring, the toy on its own grid, flows on balls; `laws` replace usual ones."""
    every: dict[str, Law] = {
        "modes_captured": lambda data, recipe: MIXTURES[data] if recipe == "oracle" else MIXTURES[data] - 1.0,
        "modes_balanced": lambda data, recipe: MIXTURES[data] - (0.3 if recipe == "coulomb-toy" else 5.0),
        "high_quality": lambda data, recipe: 0.989 if recipe == "oracle" else 0.8,
        "mode_imbalance": lambda data, recipe: 0.04,
        "birthday_size": lambda data, recipe: 70.0,
        "birthday_support": lambda data, recipe: 3600.0,
        "neighbour_ratio": lambda data, recipe: 1.0,
        "plummer_mmd": lambda data, recipe: 0.05 if recipe in ("oracle", "flow") else 0.06,
        **(laws or {}),
    }
    of_critic: dict[str, Law] = {
        "field_error": lambda data, recipe: 0.002,
        "field_power": lambda data, recipe: 0.01,
        "field_ratio": lambda data, recipe: 0.2,
        "self_term": lambda data, recipe: 1.0,
        **{name: law for name, law in (laws or {}).items() if name in ("field_ratio", "self_term")},
    }
    cells = [(data, recipe, 4096) for data in ("grid-25", "ring-8") for recipe in [*TRAINED, "flow", "oracle"]]
    cells += [("grid-25-coulomb", recipe, 4096) for recipe in ("coulomb-toy", "oracle")]
    cells += [("grid-25", recipe, n) for recipe in ("gan_short", "gan_maxout", "gan_maxout_short") for n in (256, 4096)]
    cells += [("grid-25", "gan", 256)]
    rows = []
    for data, recipe, n in cells:
        run = (data, 2, 2.0, recipe, n)
        for metric, law in every.items():
            if metric not in ("field_ratio", "self_term"):
                rows += _rows(run, metric, law(data, recipe), seeds, noise, diverged)
        if recipe.startswith("coulomb"):
            for metric, law in of_critic.items():
                rows += _rows(run, metric, law(data, recipe), seeds, 0 if metric == "self_term" else noise, diverged)
            for step in (100, 800, 1500):
                rows += _rows(run, f"regression:{step}", 1 / step, seeds, noise, diverged)
            for place in range(20):
                rows += _rows(run, f"charge_critic:{place}", np.sin(place), seeds, noise, diverged)
                rows += _rows(run, f"charge_potential:{place}", np.sin(place), seeds, 0, diverged)
        if data == "grid-25" and n == 4096:
            for place in range(30):
                for axis, wave in (("x", np.sin), ("y", np.cos)):
                    rows += _rows(run, f"scatter_{axis}:{place}", 4 * wave(place), seeds, 0.05, diverged)
    for data, m in BALLS.items():
        run, family = (data, m, float(m), "flow-space", 2048), data.split("-")[0]
        if m == 3:
            rows += _rows(run, FLOW[family], rates(FLOW[family]), seeds, noise, diverged)
            for k in range(4):
                rows += _rows(run, f"flow_time:{k}", k / 2, seeds, 0, diverged)
                rows += _rows(run, f"flow_density:{k}", 1 / (1 + k / 2), seeds, noise, diverged)
        if family == "sphere":
            for epsilon in (0.2, 1.0):
                rows += _rows(run, f"first_rate:{epsilon:g}", 1 - epsilon / 2, seeds, noise, diverged)
        else:
            for d in DIMENSIONS:
                rows += _rows(run, f"laplacian:{d:g}", laplacian(d, m), seeds, 0, diverged)
                rows += _rows(run, f"stuck:{d:g}", 0.1 if d > m else 0.02, seeds, noise, diverged)
                rows += _rows(run, f"residual:{d:g}", 1e-8, seeds, 0, diverged)
    return pd.DataFrame(rows, columns=COLUMNS).astype({"intrinsic": "float64"})


def _rows(
    run: tuple[object, ...],
    metric: str,
    centre: float,
    seeds: Seeds,
    noise: float,
    diverged: Callable[[str, int], bool],
) -> list[tuple[object, ...]]:
    rows = []
    null = NULLS.get(metric, np.nan)
    for seed in seeds:
        lost = diverged(str(run[3]), seed)
        value = np.nan if lost else float(centre) * (1 + noise * np.cos(3 * seed + len(metric)))
        protocol = f"{metric.split(':')[0]}[points=1]"
        rows.append((*run, seed, "diverged" if lost else "ok", metric, value, null, value - null, protocol))
    return rows

"""W1 against the widths of generator and critic at each n: where wider networks stop to help."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from wgpipe.config import Study as Settings
from wgpipe.stats.comparisons import log_ratio
from wgpipe.stats.panels import panel
from wgpipe.stats.rates import RULE
from wgpipe.studies import arrange, style

KEYS = ["dataset", "method", "n"]
COLUMNS = [
    *KEYS,
    "generator_width",
    "critic_width",
    "recipe",
    "w1",
    "ci_low",
    "ci_high",
    "null",
    "seeds",
    "above_null",
    "best",
    "log_ratio",
    "log_ratio_low",
    "log_ratio_high",
    "plateau",
    "status",
    "note",
]


def size_table(config: Settings, runs: pd.DataFrame) -> pd.DataFrame:
    """One row for each dataset, method, n and pair of widths, of methods that ran with several.

    `w1` is the geometric mean over seeds, `best` the recipe where it is least at this n, `log_ratio` the mean
    log(W1 / W1 of the best), paired by seed. The `plateau` are the best and those whose interval reaches down to 0:
    they are not shown to be worse. `above_null`: the mean is at least twice the null, as rates ask for. A cell
    without a finished run has no numbers, and one that cannot be compared says so in `status`.
    """
    sizes = {name: _widths(config, name) for name in config.recipes if arrange.variation(config, name) in _SIZED}
    found = runs[(runs["metric"] == "w1") & runs["recipe"].isin([name for name, size in sizes.items() if size])]
    rows = []
    for dataset in arrange.datasets(found):
        own = found[found["dataset"] == dataset]
        groups: dict[str, list[str]] = {}
        for recipe in arrange.recipes(config, own):
            groups.setdefault(arrange.method(config, recipe), []).append(recipe)
        for method, recipes in groups.items():
            if len({sizes[recipe] for recipe in recipes}) > 1:
                for n in sorted(set(own[own["recipe"].isin(recipes)]["n"])):
                    cells = [_cell(own, dataset, recipe, n) for recipe in recipes]
                    rows += [
                        {"method": method, "generator_width": size[0], "critic_width": size[1], **cell}
                        for cell in _compared(own, [cell for cell in cells if cell is not None])
                        if (size := sizes[cell["recipe"]])
                    ]
    table = pd.DataFrame(rows, columns=COLUMNS)
    return table.sort_values(["generator_width", "critic_width"], kind="stable").sort_values(KEYS, kind="stable")


_SIZED = ("base", "width")


def _widths(config: Settings, recipe: str) -> tuple[int, int] | None:
    """Of the first hidden layer of generator and critic; None for a recipe that lacks one of them."""
    hidden = [arrange.hidden(config, recipe, side) for side in ("generator", "critic")]
    return (hidden[0][0], hidden[1][0]) if all(hidden) else None


def _cell(runs: pd.DataFrame, dataset: str, recipe: str, n: int) -> dict[str, Any] | None:
    """W1 of one recipe at one n; None where it did not run."""
    own = panel(runs[(runs["n"] == n).to_numpy()], dataset, recipe, "w1")
    if not len(own.ns):
        return None
    logs = own.logs[np.isfinite(own.logs)]
    low, high = style.t_interval(logs)
    return {
        "dataset": dataset,
        "recipe": recipe,
        "n": n,
        "w1": float(np.exp(logs.mean())) if len(logs) else np.nan,
        "ci_low": float(np.exp(low)),
        "ci_high": float(np.exp(high)),
        "null": float(own.null[0]),
        "seeds": len(logs),
        "above_null": not own.dropped(RULE),
    }


def _compared(runs: pd.DataFrame, cells: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The cells of one dataset, method and n, each beside the one of least W1."""
    known = [cell for cell in cells if np.isfinite(cell["w1"])]
    if not known:
        return [{**cell, "best": "", "plateau": None, "status": "missing", "note": "no run finished"} for cell in cells]
    best = min(known, key=lambda cell: cell["w1"])["recipe"]
    return [{**cell, "best": best, **_against(runs, cell, best)} for cell in cells]


def _against(runs: pd.DataFrame, cell: dict[str, Any], best: str) -> dict[str, Any]:
    if cell["recipe"] == best:
        return {"log_ratio": 0.0, "plateau": True, "status": "ok", "note": ""}
    ratio = log_ratio(runs, cell["dataset"], cell["recipe"], best, cell["n"])
    known = np.isfinite([ratio.ci_low, ratio.ci_high]).all()
    return {
        "log_ratio": ratio.value,
        "log_ratio_low": ratio.ci_low,
        "log_ratio_high": ratio.ci_high,
        "plateau": bool(ratio.ci_low <= 0) if known else None,
        "status": ratio.status,
        "note": ratio.note,
    }

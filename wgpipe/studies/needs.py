"""What an inconclusive claim would need to be decided, computed from what its runs varied by."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import pandas as pd

from wgpipe.config import Claim
from wgpipe.stats.estimates import Status
from wgpipe.stats.sample_size import MOST_SEEDS, seeds_needed
from wgpipe.studies.claims import ClaimRow

Obstacle = Status | Literal["interval"]
POWER = 0.9
SHOWN = 3  # curves named in one sentence


@dataclass(frozen=True)
class Need:
    """Why a claim is undecided, and what would decide it.

    `seeds_needed`: as many that the interval's half-width is below the distance to the edge; `seeds_for_power`: that
    nine of ten repetitions are decided; None: no number. `seeds_if_predicted`: as the first, were the prediction's
    bound the truth and not the estimate. `points_factor`: times as many points to measure with.
    """

    id: str
    study: str
    obstacle: Obstacle
    seeds: int
    seeds_needed: int | None
    seeds_for_power: int | None
    seeds_if_predicted: int | None
    points_factor: float
    advice: str


def need(row: ClaimRow, claim: Claim, floors: pd.DataFrame) -> Need | None:
    """What an inconclusive claim needs; None for any other. `floors` is the study's table of curves and floors."""
    if row.verdict != "inconclusive":
        return None
    obstacle = _obstacle(row.reason)
    low, high, bound = row.ci_low - row.estimate, row.ci_high - row.estimate, claim.test.bound
    half, sure = (
        seeds_needed(claim.test, row.estimate, row.ci_low, row.ci_high, row.seeds, power) for power in (0.5, POWER)
    )
    predicted = seeds_needed(claim.test, bound, bound + low, bound + high, row.seeds)
    hidden = _hidden(row, claim, floors) if obstacle == "floor" else []
    factors = [factor for factor, _ in hidden if np.isfinite(factor)]
    factor = max(factors, default=np.nan)
    advice = _advice(obstacle, row, claim, [text for _, text in hidden], (half, sure, predicted))
    return Need(row.id, row.study, obstacle, row.seeds, half, sure, predicted, factor, advice)


def _obstacle(reason: str) -> Obstacle:
    given = reason.partition(":")[0]
    return next((status for status in get_args(Status) if status == given), "interval")


def _hidden(row: ClaimRow, claim: Claim, floors: pd.DataFrame) -> list[tuple[float, str]]:
    """(times as many points, sentence) for each hidden curve of the claim, on the data that its reason names."""
    factor_of = "points_for_slope" if "slope" in row.unit else "points_for_all"
    found = []
    named = floors["dataset"].map(
        lambda dataset: bool(re.search(rf"(?<![\w-]){re.escape(dataset)}(?![\w-])", row.reason))
    )
    own = floors[floors["recipe"].isin(claim.recipes) & named.astype(bool)]
    for curve in own.to_dict("records"):
        name, factor = f"{curve['recipe']} on {curve['dataset']}", float(curve[factor_of])
        if curve["status"] == "floor" and curve["points_for_slope"] == 1:
            share = f"{curve['floor_share']:.0%}"
            found.append((np.nan, f"larger n, or a training that goes on: {share} of {name} is a floor"))
        elif factor > 1:
            found.append((factor, f"{factor:.2g} times as many points to measure {name} with"))
        elif np.isnan(factor):
            found.append((np.nan, f"more points to measure {name} with; how many is unknown where d* is"))
    return sorted(found, key=lambda curve: -np.nan_to_num(curve[0]))


def _advice(
    obstacle: Obstacle,
    row: ClaimRow,
    claim: Claim,
    hidden: Sequence[str],
    counts: tuple[int | None, int | None, int | None],
) -> str:
    half, sure, predicted = counts
    often = f"{sure} to be decided nine times in ten" if sure else f"more than {MOST_SEEDS} for nine times in ten"
    seeds = f"about {half} seeds ({often}), if the estimate is the truth" if half else ""
    if predicted and (half is None or predicted < half):
        seeds = f"{seeds}{'; ' if seeds else ''}about {predicted} seeds, if the prediction is"
    match obstacle:
        case "missing":
            return "The runs that the reason names."
        case "diverged":
            return f"Runs of {', '.join(claim.recipes)} that finish: no number of seeds helps."
        case "unfit":
            return "Longer training, until the control that the reason names passes."
        case "few seeds":
            return _sentence(seeds or f"{claim.test.min_seeds} seeds")
        case "floor":
            named = "; ".join(hidden[:SHOWN]) or "values further above their null: smaller n, or more points"
            more = f"; and {len(hidden) - SHOWN} more" if len(hidden) > SHOWN else ""
            then = f"; then {seeds}" if seeds and (half is None or half > row.seeds) else ""
            return _sentence(f"{named}{more}{then}")
        case _:
            return _sentence(seeds or "no number of seeds while the estimate lies on the edge")


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."

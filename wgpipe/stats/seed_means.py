"""The mean over seeds of one number a seed."""

from __future__ import annotations

import numpy as np

from wgpipe.stats.estimates import Caveats, Estimate
from wgpipe.stats.intervals import bootstrap
from wgpipe.stats.panels import FitRule


def seed_mean(
    values: np.ndarray, unit: str, key: tuple[str | int, ...], caveats: Caveats, rule: FitRule, runs: int
) -> Estimate:
    """(S,) finite values -> their mean with its bootstrap interval, under these caveats; `runs` are behind them.

    Without values, or where the caveats say "missing", there are no numbers.
    """
    if caveats.status == "missing" or not len(values):
        caveats.add("missing", f"no value of the {unit}")
        return caveats.estimate(unit, rule, None)
    caveats.check_seeds(len(values), rule)
    interval = bootstrap(
        lambda weights: weights @ values / weights.sum(axis=1), len(values), key, rule.replicates, rule.level
    )
    return caveats.estimate(unit, rule, interval, runs, len(values))

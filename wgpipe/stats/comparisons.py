"""Paired comparisons of recipes and datasets: differences of slopes, log ratios, differences of failure rates.

Where a function takes several datasets, the result is the mean over them, with a seed as one cluster across all.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

import numpy as np
import pandas as pd

from wgpipe.stats.claim_test import LEVEL
from wgpipe.stats.estimates import Caveats, Estimate
from wgpipe.stats.intervals import bootstrap, proportion_difference
from wgpipe.stats.panels import FitRule, panel
from wgpipe.stats.rates import RULE
from wgpipe.stats.seed_means import seed_mean
from wgpipe.stats.slopes import Term, sum_of_slopes

Names = str | Sequence[str]


def slope_difference(
    table: pd.DataFrame, datasets: Names, first: str, second: str, metric: str = "w1", rule: FitRule = RULE
) -> Estimate:
    """Slope of recipe `first` minus slope of recipe `second` on the same dataset.

    Paired: it is the slope of their log ratio, on the (n, seed) that both finished and the n that both may use.
    """
    names = _names(datasets)
    terms = [
        Term((panel(table, name, first, metric), panel(table, name, second, metric)), 1 / len(names)) for name in names
    ]
    key = ("slope difference", *names, *sorted((first, second)), metric)
    return sum_of_slopes(terms, "slope difference", key, rule)[0]


def slope_difference_across(
    table: pd.DataFrame, recipe: str, first: str, second: str, metric: str = "w1", rule: FitRule = RULE
) -> Estimate:
    """Slope of a recipe on dataset `first` minus its slope on dataset `second`, on the n that both may use."""
    terms = [Term((panel(table, name, recipe, metric),), sign) for name, sign in ((first, 1.0), (second, -1.0))]
    key = ("slope difference across", *sorted((first, second)), recipe, metric)
    return sum_of_slopes(terms, "slope difference", key, rule, same_ns=True)[0]


def log_ratio(
    table: pd.DataFrame, datasets: Names, first: str, second: str, n: int, metric: str = "w1", rule: FitRule = RULE
) -> Estimate:
    """Mean over seeds of log(value of `first` / value of `second`) at one n, paired by seed.

    Its status is "floor" where a mean value is below twice its null.
    """
    names = _names(datasets)
    at_n = table[(table["n"] == n).to_numpy()]
    caveats, ratios = Caveats(), []
    for name in names:
        pair = [panel(at_n, name, recipe, metric) for recipe in (first, second)]
        caveats.check_runs(pair, rule)
        for one in pair:
            for reason in one.dropped(rule).values():
                caveats.add("floor", f"at n = {n} {reason} ({one.name})")
        if caveats.status == "missing":
            return caveats.estimate("log ratio", rule, None)
        seeds = np.intersect1d(pair[0].seeds, pair[1].seeds)
        differences = (pair[0].at(pair[0].ns, seeds) - pair[1].at(pair[1].ns, seeds))[:, 0]
        ratios.append(dict(zip(seeds.tolist(), differences.tolist(), strict=True)))
    shared = functools.reduce(
        set.intersection, [{s for s, value in one.items() if np.isfinite(value)} for one in ratios]
    )
    by_seed = np.asarray([np.mean([one[seed] for one in ratios]) for seed in sorted(shared)])
    caveats.check_seeds(len(by_seed), rule)
    if not len(by_seed):
        return caveats.estimate("log ratio", rule, None)
    interval = bootstrap(
        lambda weights: weights @ by_seed / weights.sum(axis=1),
        len(by_seed),
        ("log ratio", *names, *sorted((first, second)), n, metric),
        rule.replicates,
        rule.level,
    )
    return caveats.estimate("log ratio", rule, interval, 2 * len(names) * len(by_seed), len(by_seed))


def difference(
    table: pd.DataFrame, datasets: Names, first: str, second: str, n: int, metric: str = "w1", rule: FitRule = RULE
) -> Estimate:
    """Mean over seeds of value of `first` - value of `second` at one n, paired by seed.

    For a sign, not for a size: unlike a logarithm it may stand near the null, whose bias both values share.
    """
    names, unit = _names(datasets), f"difference of {metric}"
    at_n = table[(table["n"] == n).to_numpy()]
    caveats, differences = Caveats(), []
    for name in names:
        pair = [panel(at_n, name, recipe, metric) for recipe in (first, second)]
        caveats.check_runs(pair, rule)
        if caveats.status == "missing":
            return caveats.estimate(unit, rule, None)
        own, other = (dict(zip(one.seeds.tolist(), one.values[:, 0].tolist(), strict=True)) for one in pair)
        differences.append({seed: own[seed] - other[seed] for seed in own.keys() & other.keys()})
    shared = functools.reduce(
        set.intersection, [{seed for seed, value in one.items() if np.isfinite(value)} for one in differences]
    )
    by_seed = np.asarray([np.mean([one[seed] for one in differences]) for seed in sorted(shared)])
    key: tuple[str | int, ...] = ("difference", *names, *sorted((first, second)), n, metric)
    return seed_mean(by_seed, unit, key, caveats, rule, 2 * len(names) * len(by_seed))


def failure_difference(
    table: pd.DataFrame, datasets: Names, first: str, second: str, metric: str = "w1", level: float = LEVEL
) -> Estimate:
    """Share of failed runs of recipe `first` minus that of `second` over all n, with Newcombe's interval.

    Failed: diverged, timed out or without a finite value. Runs count as independent.
    """
    caveats, rule = Caveats(), FitRule(max_failed=1.0, level=level)
    counts, seeds = [], set()
    for recipe in (first, second):
        panels = [panel(table, name, recipe, metric) for name in _names(datasets)]
        for one in panels:
            if not len(one.ns):
                caveats.add("missing", f"no runs of {one.name}")
        seeds |= {seed for one in panels for seed in one.seeds.tolist()}
        counts.append((sum(int(one.failed.sum()) for one in panels), sum(int(one.members.sum()) for one in panels)))
    if caveats.status == "missing":
        return caveats.estimate("difference of failure rates", rule, None)
    (first_failed, first_runs), (second_failed, second_runs) = counts
    interval = proportion_difference(first_failed, first_runs, second_failed, second_runs, level)
    caveats.remarks.append(
        f"{first_failed} of {first_runs} runs of {first} failed, {second_failed} of {second_runs} of {second}"
    )
    return caveats.estimate("difference of failure rates", rule, interval, first_runs + second_runs, len(seeds))


def _names(datasets: Names) -> list[str]:
    return [datasets] if isinstance(datasets, str) else list(datasets)

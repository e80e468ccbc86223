"""Methods ranked over cells that they share: Friedman's test, critical difference, and paired comparisons.

Scores are logarithms of a distance, smaller is better, in an array (C, K, S) over cells, methods and seeds; +inf stands
for a run that failed, and loses against every other. A cell counts once, whatever its size. Cells of one data set share
their samples, so they are not independent as the tests assume: read p-values as descriptive.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
import pandas as pd
from scikit_posthocs import posthoc_nemenyi_friedman
from scipy import stats
from statsmodels.stats.multitest import multipletests

from wgpipe.stats.claim_test import LEVEL
from wgpipe.stats.intervals import Interval, bootstrap
from wgpipe.stats.panels import FitRule

MIN_METHODS = 3
MIN_CELLS = 6  # the least number at which a two-sided Wilcoxon test can reach 5 %
PENALTY = float(np.log(10.0))  # a method that fails in a cell counts as ten times as far as the worst one there
MAX_FAILED = FitRule().max_failed

Cell = TypeVar("Cell")


@dataclass(frozen=True)
class Ranking:
    """Mean rank of K methods over C cells, best first; 1 is the best rank.

    `ranks`: with intervals by bootstrap over seeds. `critical_difference`: of two mean ranks, by Nemenyi's test at
    5 %. `p_friedman`: that all methods are alike.
    """

    methods: tuple[str, ...]
    ranks: tuple[Interval, ...]
    wins: tuple[int, ...]
    cells: int
    seeds: int
    statistic: float
    p_friedman: float
    critical_difference: float


@dataclass(frozen=True)
class Pairing:
    """Method `first` against `second` over the cells that are compared.

    `log_ratio`: mean log(first / second) over cells where both finished. `improvement`: probability that `first` is
    better on the same training sample. `rank_biserial`: (W+ - W-) / (W+ + W-) of Wilcoxon's signed ranks, 1 where
    `first` is better in every cell.
    """

    first: str
    second: str
    cells: int
    seeds: int
    log_ratio: Interval
    improvement: Interval
    rank_biserial: float
    p_wilcoxon: float


def shared_cells(methods_of: Mapping[Cell, frozenset[str]]) -> tuple[list[str], list[Cell]]:
    """The methods, and the cells that have them all, with the most values; nothing below three methods or six cells.

    Among equally large choices the one with more methods, then the first by name.
    """
    sets = set(methods_of.values())
    candidates = {first & second for first in sets for second in sets}
    best: tuple[int, int, list[str], list[Cell]] = (0, 0, [], [])
    for methods in sorted(candidates, key=sorted):
        cells = [cell for cell, there in methods_of.items() if methods <= there]
        size = (len(methods) * len(cells), len(methods))
        if len(methods) >= MIN_METHODS and len(cells) >= MIN_CELLS and size > best[:2]:
            best = (*size, sorted(methods), cells)
    return best[2], best[3]


def rank_methods(methods: Sequence[str], scores: np.ndarray, level: float = LEVEL) -> Ranking:
    """Friedman's test (1937) and mean ranks of scores (C, K, S); the order of methods has no influence."""
    cells, count, seeds = scores.shape
    once = np.ones((1, seeds))
    ranks = stats.rankdata(_cell_scores(scores, once)[0], axis=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # all methods alike in all cells
        statistic, p_value = stats.friedmanchisquare(*ranks.T)
    quantile = stats.studentized_range.ppf(LEVEL, count, np.inf) / np.sqrt(2)
    places = np.lexsort((np.asarray(methods), ranks.mean(axis=0))).tolist()

    drawn: dict[int, np.ndarray] = {}  # by the number of draws, which are the same for every method

    def mean_ranks(weights: np.ndarray) -> np.ndarray:
        if len(weights) not in drawn:
            drawn[len(weights)] = _mean_ranks(scores, weights)
        return drawn[len(weights)]

    def interval(place: int) -> Interval:
        key = ("mean rank", *sorted(methods))
        given = bootstrap(lambda weights: mean_ranks(weights)[:, place], seeds, key, level=level)
        return _within(given, 1.0, float(count))

    return Ranking(
        methods=tuple(methods[place] for place in places),
        ranks=tuple(interval(place) for place in places),
        wins=tuple(int((ranks[:, place] == ranks.min(axis=1)).sum()) for place in places),
        cells=cells,
        seeds=seeds,
        statistic=float(statistic),
        p_friedman=float(p_value),
        critical_difference=float(quantile * np.sqrt(count * (count + 1) / (6 * cells))),
    )


def compare(first: str, second: str, scores: np.ndarray, level: float = LEVEL) -> Pairing:
    """Two methods over the cells of scores (C, 2, S)."""
    cells, _, seeds = scores.shape
    means = _cell_scores(scores, np.ones((1, seeds)))[0]
    differences = means[:, 0] - means[:, 1]
    moved = differences[differences != 0]
    ranks = stats.rankdata(np.abs(moved))
    both = np.isfinite(scores).all(axis=1)
    finite = np.where(both[:, None], scores, 0.0)
    gaps = finite[:, 0] - finite[:, 1]
    better = (scores[:, 0] < scores[:, 1]) + 0.5 * (scores[:, 0] == scores[:, 1])

    def interval(name: str, values: np.ndarray, there: np.ndarray) -> Interval:
        key = ("ranking", name, first, second)
        return bootstrap(lambda weights: _mean_over_cells(weights, values, there), seeds, key, level=level)

    probability = interval("improvement", better, np.ones_like(both))

    return Pairing(
        first=first,
        second=second,
        cells=cells,
        seeds=seeds,
        log_ratio=interval("log ratio", gaps, both),
        improvement=_within(probability, 0.0, 1.0),
        rank_biserial=float(-(np.sign(moved) @ ranks) / ranks.sum()) if len(ranks) else 0.0,
        p_wilcoxon=float(stats.wilcoxon(differences).pvalue) if cells >= MIN_CELLS and len(ranks) else np.nan,
    )


def nemenyi(methods: Sequence[str], scores: np.ndarray) -> pd.DataFrame:
    """(K, K) p-values of Nemenyi's test (1963) on the mean ranks of scores (C, K, S)."""
    means = _cell_scores(scores, np.ones((1, scores.shape[2])))[0]
    table = posthoc_nemenyi_friedman(means)
    return pd.DataFrame(table.to_numpy(), index=list(methods), columns=list(methods))


def adjusted(p_values: Sequence[float]) -> np.ndarray:
    """Holm's adjustment (1979) of those that are numbers; NaN stays."""
    given = np.asarray(p_values, dtype=np.float64)
    known = np.isfinite(given)
    result = np.full(len(given), np.nan)
    if known.any():
        result[known] = multipletests(given[known], method="holm")[1]
    return result


def _within(interval: Interval, low: float, high: float) -> Interval:
    """Without what the number cannot be."""
    return replace(interval, low=max(interval.low, low), high=min(interval.high, high))


def _cell_scores(scores: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """(C, K, S), (R, S) -> (R, C, K): weighted means over seeds, with the penalty where too many runs failed."""
    finished = np.isfinite(scores)
    sums = np.einsum("rs,cks->rck", weights, np.where(finished, scores, 0.0))
    counts = np.einsum("rs,cks->rck", weights, finished.astype(np.float64))
    admitted = ((~finished).mean(axis=2) <= MAX_FAILED) & (counts > 0)
    means = np.full(sums.shape, -np.inf)
    np.divide(sums, counts, out=means, where=admitted)
    worst = means.max(axis=2, keepdims=True)
    return np.where(admitted, means, np.where(np.isfinite(worst), worst + PENALTY, 0.0))


def _mean_ranks(scores: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """(C, K, S), (R, S) -> (R, K)."""
    ranks: np.ndarray = stats.rankdata(_cell_scores(scores, weights), axis=2).mean(axis=1)
    return ranks


def _mean_over_cells(weights: np.ndarray, values: np.ndarray, there: np.ndarray) -> np.ndarray:
    """(R, S), (C, S), (C, S) -> (R,): weighted mean over the seeds of each cell, then over cells that have any."""
    counts = weights @ there.T.astype(np.float64)
    means = np.zeros_like(counts)
    np.divide(weights @ np.where(there, values, 0.0).T, counts, out=means, where=counts > 0)
    cells = (counts > 0).sum(axis=1)
    result = np.full(len(weights), np.nan)
    np.divide(means.sum(axis=1), cells, out=result, where=cells > 0)
    return result

"""Weighted sums of slopes of log value against log n, with joint bootstrap over seeds.

With every seed at every n a slope is that of ordinary least squares. Where runs are missing, the level of a seed still
stays out of the slope: slope = sum_s Sxy_s / sum_s Sxx_s, with the sums of squares of seed s about its own means.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from wgpipe.stats.estimates import Caveats, Estimate
from wgpipe.stats.floors import FloorFit, fit_floor
from wgpipe.stats.intervals import Interval, bootstrap
from wgpipe.stats.panels import FitRule, Panel


@dataclass(frozen=True)
class Term:
    """The slope of one panel, or of the log ratio of two (first / second), and its weight in a sum."""

    panels: tuple[Panel, ...]
    weight: float = 1.0


@dataclass(frozen=True)
class Curve:
    """Log values (S, J) at seeds (S,) and n (J,), NaN where there is none; every seed has at least two."""

    seeds: np.ndarray
    ns: np.ndarray
    logs: np.ndarray

    def sums(self) -> tuple[np.ndarray, np.ndarray]:
        """(S,), (S,): per seed the sums Sxy and Sxx of log n and log value about the seed's means."""
        there = np.isfinite(self.logs)
        counts = there.sum(axis=1, keepdims=True)
        x, y = np.where(there, np.log(self.ns), 0.0), np.where(there, self.logs, 0.0)
        x = np.where(there, x - x.sum(axis=1, keepdims=True) / counts, 0.0)
        return (x * y).sum(axis=1), (x * x).sum(axis=1)

    def intercept(self, slope: float) -> float:
        """Log value at n = 1 on the line of this slope through the mean points of the seeds."""
        return float(np.nanmean(self.logs - slope * np.log(self.ns), axis=1).mean())

    def local_slopes(self) -> dict[tuple[int, int], float]:
        """(n, next n) -> mean slope between them over the seeds that have both."""
        steps = np.diff(self.logs, axis=1) / np.diff(np.log(self.ns))
        pairs = zip(self.ns[:-1].tolist(), self.ns[1:].tolist(), steps.T, strict=True)
        return {(n, larger): float(np.nanmean(step)) for n, larger, step in pairs if np.isfinite(step).any()}


def curve(term: Term, ns: np.ndarray) -> Curve:
    """The curve of a term at some n, on the (n, seed) that all its panels finished."""
    seeds = functools.reduce(np.intersect1d, [panel.seeds for panel in term.panels])
    first, *others = [panel.at(ns, seeds) for panel in term.panels]
    logs = first - sum(others, np.zeros_like(first))
    kept = np.isfinite(logs).sum(axis=1) >= 2
    return Curve(seeds[kept], ns, logs[kept])


def sum_of_slopes(
    terms: Sequence[Term], unit: str, key: tuple[str | int, ...], rule: FitRule, same_ns: bool = False
) -> tuple[Estimate, list[FloorFit | None]]:
    """Sum of weight x slope, on the seeds that all terms have, and the fitted floor of every panel in order.

    A term uses the n that all its panels may use; with `same_ns`, those that the panels of all terms may use.
    """
    panels = [panel for term in terms for panel in term.panels]
    caveats = Caveats()
    caveats.check_runs(panels, rule)
    chosen = [common_ns(panels if same_ns else term.panels, rule) for term in terms]
    for term, ns in zip(terms, chosen, strict=True):
        if len(ns) < rule.min_ns:
            caveats.add("floor", _too_few(ns, panels if same_ns else term.panels, rule))
    if caveats.status == "missing" or any(len(ns) < rule.min_ns for ns in chosen):
        return caveats.estimate(unit, rule, None), [None for _ in panels]
    curves = [curve(term, ns) for term, ns in zip(terms, chosen, strict=True)]
    floors = [
        fit_floor(ns, curve(Term((panel,)), ns).logs)
        for term, ns in zip(terms, chosen, strict=True)
        for panel in term.panels
    ]
    _note_floors(caveats, panels, floors, rule)
    interval, seeds = _joint_bootstrap(curves, [term.weight for term in terms], key, rule)
    caveats.check_seeds(len(seeds), rule)
    runs = sum(
        len(term.panels) * int(np.isfinite(one.logs[np.isin(one.seeds, seeds)]).sum())
        for term, one in zip(terms, curves, strict=True)
    )
    return caveats.estimate(unit, rule, interval, runs, len(seeds)), floors


def common_ns(panels: Sequence[Panel], rule: FitRule) -> np.ndarray:
    """The n that all panels may use, ascending."""
    shared = panels[0].usable(rule)
    for panel in panels[1:]:
        shared = np.intersect1d(shared, panel.usable(rule))
    return shared


def _joint_bootstrap(
    curves: Sequence[Curve], signs: Sequence[float], key: tuple[str | int, ...], rule: FitRule
) -> tuple[Interval, np.ndarray]:
    seeds = functools.reduce(np.intersect1d, [one.seeds for one in curves])
    parts = []
    for sign, one in zip(signs, curves, strict=True):
        shared = np.isin(one.seeds, seeds)
        xy, xx = one.sums()
        parts.append((sign, xy[shared], xx[shared]))

    def statistic(weights: np.ndarray) -> np.ndarray:
        total = np.zeros(len(weights))
        for sign, xy, xx in parts:
            total += sign * (weights @ xy) / (weights @ xx)
        return total

    return bootstrap(statistic, len(seeds), key, rule.replicates, rule.level), seeds


def _too_few(ns: np.ndarray, panels: Sequence[Panel], rule: FitRule) -> str:
    lost = [f"at n = {n} {why} ({panel.name})" for panel in panels for n, why in panel.dropped(rule).items()]
    count = f"a slope needs {rule.min_ns} usable n, and there are {len(ns)}"
    return f"{count}: {', '.join(lost)}" if lost else count


def _note_floors(caveats: Caveats, panels: Sequence[Panel], floors: Sequence[FloorFit | None], rule: FitRule) -> None:
    for panel, floor in zip(panels, floors, strict=True):
        if floor is None or not floor.significant or floor.share < rule.floor_share:
            continue
        what = f"a floor of {floor.share:.0%} of the value at n = {floor.largest_n} shows in {panel.name}"
        if floor.share >= rule.floor_dominates:
            caveats.add("floor", what)
        else:
            caveats.remarks.append(what)

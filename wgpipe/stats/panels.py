"""One (dataset, recipe) of the tidy table as an array over seeds and n, and which n a fit may use."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from wgpipe.errors import UserError
from wgpipe.stats.claim_test import LEVEL
from wgpipe.stats.intervals import REPLICATES

COLUMNS = ("dataset", "recipe", "n", "seed", "status", "metric", "value", "null", "protocol")


@dataclass(frozen=True)
class FitRule:
    """What a fit asks of its data, and how its interval is made."""

    null_factor: float = 2.0  # an n is used where mean value >= null_factor * mean null
    min_ns: int = 3
    min_seeds: int = 3
    max_failed: float = 0.10  # largest admitted share of diverged or timed-out members at any n
    floor_share: float = 0.2  # a fitted floor below this share of the value at the largest n is negligible
    floor_dominates: float = 0.5
    level: float = LEVEL
    replicates: int = REPLICATES


@dataclass(frozen=True)
class Panel:
    """Values of S seeds at J sample sizes. A run that did not finish with a finite value is failed and NaN."""

    name: str
    seeds: np.ndarray  # (S,) ascending
    ns: np.ndarray  # (J,) ascending
    values: np.ndarray  # (S, J)
    members: np.ndarray  # (J,) runs in the table
    failed: np.ndarray  # (J,) of them diverged, timed out or without a finite value
    null: np.ndarray  # (J,) mean null over the finished runs

    @property
    def logs(self) -> np.ndarray:
        """(S, J) natural logarithms of the values."""
        logs: np.ndarray = np.log(self.values)
        return logs

    @property
    def means(self) -> np.ndarray:
        """(J,) mean value over the finished runs, NaN where there is none."""
        return _column_means(self.values)

    def dropped(self, rule: FitRule) -> dict[int, str]:
        """n -> reason, for every n that a fit may not use."""
        reasons = {}
        for n, mean, null in zip(self.ns.tolist(), self.means, self.null, strict=True):
            if np.isnan(mean):
                reasons[n] = "no run finished"
            elif np.isnan(null):
                reasons[n] = "its null is unknown"
            elif mean < rule.null_factor * null:
                reasons[n] = f"{mean:.3g} is below {rule.null_factor:g} x its null {null:.3g}"
        return reasons

    def usable(self, rule: FitRule) -> np.ndarray:
        """The n that a fit may use, ascending."""
        return np.setdiff1d(self.ns, list(self.dropped(rule)))

    def at(self, ns: np.ndarray, seeds: np.ndarray) -> np.ndarray:
        """(len(seeds), len(ns)) logarithms at some of the panel's seeds and n."""
        return self.logs[np.ix_(np.searchsorted(self.seeds, seeds), np.searchsorted(self.ns, ns))]

    def failure(self, rule: FitRule) -> str | None:
        """The n with the largest share of failed members, as a sentence, where that share is above what is admitted."""
        if not len(self.ns):
            return None
        worst = int(np.argmax(self.failed / self.members))
        if self.failed[worst] <= rule.max_failed * self.members[worst]:
            return None
        failed, members = self.failed[worst], self.members[worst]
        return f"{failed} of {members} members of {self.name} failed at n = {self.ns[worst]}"


def panel(table: pd.DataFrame, dataset: str, recipe: str, metric: str) -> Panel:
    """Select one panel; empty if the table holds no such runs. The order of the table's rows has no influence.

    `UserError` for a missing column, a run that stands there twice, more than one protocol, or a value <= 0, which has
    no logarithm: an excess over the null belongs in no fit.
    """
    absent = [column for column in COLUMNS if column not in table]
    if absent:
        raise UserError(f"the table of runs has no column '{absent[0]}'. Accepted: {', '.join(COLUMNS)}.")
    name = f"{recipe} on {dataset}"
    chosen = (table["dataset"] == dataset) & (table["recipe"] == recipe) & (table["metric"] == metric)
    rows = table[chosen.to_numpy()]
    seeds, row = np.unique(rows["seed"].to_numpy(dtype=np.int64), return_inverse=True)
    ns, column = np.unique(rows["n"].to_numpy(dtype=np.int64), return_inverse=True)
    if len(set(zip(row.tolist(), column.tolist(), strict=True))) < len(rows):
        raise UserError(f"{name}: a run stands more than once in the table for metric '{metric}'.")
    protocols = sorted(set(rows["protocol"]))
    if len(protocols) > 1:
        raise UserError(f"{name}: metric '{metric}' has more than one protocol: {', '.join(map(str, protocols))}.")
    value = rows["value"].to_numpy(dtype=np.float64)
    finished = (rows["status"] == "ok").to_numpy() & np.isfinite(value)
    if (value[finished] <= 0).any():
        raise UserError(f"{name}: metric '{metric}' has a value of {value[finished].min():g}; a rate needs values > 0.")
    values, nulls = np.full((2, len(seeds), len(ns)), np.nan)
    values[row[finished], column[finished]] = value[finished]
    nulls[row[finished], column[finished]] = rows["null"].to_numpy(dtype=np.float64)[finished]
    members = np.bincount(column, minlength=len(ns))
    failed = np.bincount(column[~finished], minlength=len(ns))
    return Panel(name, seeds, ns, values, members, failed, _column_means(nulls))


def _column_means(values: np.ndarray) -> np.ndarray:
    counts = np.isfinite(values).sum(axis=0)
    means = np.full(len(counts), np.nan)
    np.divide(np.nansum(values, axis=0), counts, out=means, where=counts > 0)
    return means

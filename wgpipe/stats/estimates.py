"""What every statistic of this folder ends in: a number with its interval, and whether it may be believed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

from wgpipe.stats.claim_test import LEVEL
from wgpipe.stats.intervals import Interval
from wgpipe.stats.panels import FitRule, Panel

Status = Literal["ok", "missing", "diverged", "floor", "few seeds", "unfit"]


@dataclass(frozen=True)
class Estimate:
    """A value with its confidence interval at `level`, NaN where there is none.

    `status` other than "ok" means that no verdict may rest on it: "missing" (no such runs), "diverged" (more than the
    admitted share failed), "floor" (too few n above the null, or a fitted floor dominates), "few seeds" (too few for
    an interval), "unfit" (a control fails, so that the protocol cannot tell). `note` says why, and what else a reader
    must know; its first part belongs to the status.
    """

    value: float
    ci_low: float
    ci_high: float
    unit: str
    runs: int
    seeds: int
    status: Status = "ok"
    note: str = ""
    level: float = LEVEL


def missing(unit: str, why: str) -> Estimate:
    """The estimate of something that has no runs."""
    return Estimate(np.nan, np.nan, np.nan, unit, 0, 0, "missing", why)


def unfit(estimate: Estimate, why: str) -> Estimate:
    """The same numbers, on which no verdict may rest for this reason, unless there is one already."""
    if estimate.status != "ok":
        return estimate
    return replace(estimate, status="unfit", note=joined(why, estimate.note))


def noted(estimate: Estimate, *remarks: str) -> Estimate:
    """The estimate with remarks at the end of its note; empty ones are left out."""
    return replace(estimate, note=joined(estimate.note, *remarks))


def joined(*parts: str) -> str:
    """Parts of a note, without those that are empty."""
    return "; ".join(part for part in parts if part)


@dataclass
class Caveats:
    """Collects what qualifies an estimate: the first status that is not "ok" stands, and its reason comes first."""

    status: Status = "ok"
    why: str = ""
    remarks: list[str] = field(default_factory=list)

    def add(self, status: Status, why: str) -> None:
        """Note a reason to believe nothing, unless there is one already."""
        if self.status == "ok":
            self.status, self.why = status, why

    def check_runs(self, panels: Sequence[Panel], rule: FitRule) -> None:
        """Note panels without runs, with too many failures, and how many runs are left out."""
        for panel in panels:
            failure = panel.failure(rule)
            if not len(panel.ns):
                self.add("missing", f"no runs of {panel.name}")
            elif failure:
                self.add("diverged", failure)
            elif panel.failed.any():
                count, members = panel.failed.sum(), panel.members.sum()
                self.remarks.append(f"{count} of {members} runs of {panel.name} failed and are left out")

    def check_seeds(self, seeds: int, rule: FitRule) -> None:
        """Note an interval over too few seeds."""
        if seeds < rule.min_seeds:
            self.add("few seeds", f"an interval needs {rule.min_seeds} seeds, and there are {seeds}")

    def estimate(self, unit: str, rule: FitRule, interval: Interval | None, runs: int = 0, seeds: int = 0) -> Estimate:
        """The estimate of an interval with these caveats; of None, an estimate without numbers."""
        shown = interval or Interval(np.nan, np.nan, np.nan, rule.level)
        note = joined(self.why, *self.remarks)
        return Estimate(shown.value, shown.low, shown.high, unit, runs, seeds, self.status, note, rule.level)

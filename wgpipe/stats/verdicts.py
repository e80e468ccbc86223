"""From a claim's test and an estimate to a verdict, by rules fixed before any run."""

from __future__ import annotations

from typing import Literal

import numpy as np

from wgpipe.stats.claim_test import ClaimTest
from wgpipe.stats.estimates import Estimate

Verdict = Literal["supported", "contradicted", "inconclusive"]


def judge(test: ClaimTest, estimate: Estimate) -> tuple[Verdict, str]:
    """Verdict and its reason, one plain sentence.

    Supported: the whole interval lies inside the predicted region; contradicted: the whole interval lies outside it.
    Inconclusive: it reaches across the edge, or no verdict may rest on the estimate. `ValueError` where the interval
    was made at another level than the test asks for.
    """
    obstacle = _obstacle(test, estimate)
    if obstacle:
        return "inconclusive", obstacle
    if estimate.level != test.level:
        raise ValueError(f"the interval is made at level {estimate.level}, and the test asks for {test.level}")
    low, high = test.region()
    numbers = f"{estimate.unit} {estimate.value:.3g} [{estimate.ci_low:.3g}, {estimate.ci_high:.3g}]"
    caveat = f" ({estimate.note})" if estimate.note else ""
    if low <= estimate.ci_low and estimate.ci_high <= high:
        where = {"below": "lies below", "above": "lies above", "equal": "lies within"}[test.test]
        return "supported", f"{numbers} {where} {test.edge()}{caveat}"
    if estimate.ci_high < low or high < estimate.ci_low:
        where = {"below": "lies above", "above": "lies below", "equal": "lies outside"}[test.test]
        return "contradicted", f"{numbers} {where} {test.edge()}{caveat}"
    return "inconclusive", f"{numbers} reaches across {test.edge()}: the interval is too wide to decide{caveat}"


def _obstacle(test: ClaimTest, estimate: Estimate) -> str | None:
    if estimate.status != "ok":
        return f"{estimate.status}: {estimate.note}" if estimate.note else estimate.status
    if estimate.seeds < test.min_seeds:
        return f"few seeds: the claim asks for {test.min_seeds} seeds, and there are {estimate.seeds}"
    if not np.isfinite([estimate.value, estimate.ci_low, estimate.ci_high]).all():
        return f"missing: there is no estimate of the {estimate.unit}"
    return None

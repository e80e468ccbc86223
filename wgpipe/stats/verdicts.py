"""From a claim's test and an estimate to a verdict, by rules fixed before any run."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, PositiveInt, model_validator

from wgpipe.stats.estimates import Estimate
from wgpipe.stats.intervals import LEVEL

Verdict = Literal["supported", "contradicted", "inconclusive"]


class ClaimTest(BaseModel):
    """What a claim predicts: below bound + band, above bound - band, or equal to bound within ± band."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    test: Literal["below", "above", "equal"]
    bound: FiniteFloat
    band: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    min_seeds: PositiveInt
    level: Annotated[float, Field(gt=0, lt=1)] = LEVEL

    @model_validator(mode="after")
    def _equal_needs_a_band(self) -> ClaimTest:
        if self.test == "equal" and self.band == 0:
            raise ValueError("a test 'equal' needs a band > 0, since no interval lies inside a point")
        return self

    def region(self) -> tuple[float, float]:
        """The closed interval of values that agree with the prediction."""
        low = -np.inf if self.test == "below" else self.bound - self.band
        high = np.inf if self.test == "above" else self.bound + self.band
        return low, high

    def edge(self) -> str:
        """The region's edge as it is written in a reason: `-0.15 + 0.05`."""
        sign = {"below": "+", "above": "-", "equal": "±"}[self.test]
        return f"{self.bound:.3g} {sign} {self.band:.3g}" if self.band else f"{self.bound:.3g}"


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

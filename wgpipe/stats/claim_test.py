"""The test of a claim, as a study's YAML gives it. Light to import: the configuration is read for every job."""

from __future__ import annotations

import math
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, PositiveInt, model_validator

LEVEL = 0.95


class ClaimTest(BaseModel):
    """What a claim predicts: below bound + band, above bound - band, or equal to bound within ± band."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    test: Literal["below", "above", "equal"] = Field(description="on which side of the bound the number must lie")
    bound: FiniteFloat = Field(description="the predicted number, or the edge of the predicted range")
    band: float = Field(0.0, ge=0, allow_inf_nan=False, description="how far beyond it a value still agrees")
    min_seeds: PositiveInt = Field(description="fewer seeds give the verdict inconclusive")
    level: float = Field(LEVEL, gt=0, lt=1, description="confidence level of the interval that decides")

    @model_validator(mode="after")
    def _equal_needs_a_band(self) -> ClaimTest:
        if self.test == "equal" and self.band == 0:
            raise ValueError("a test 'equal' needs a band > 0, since no interval lies inside a point")
        return self

    def region(self) -> tuple[float, float]:
        """The closed interval of values that agree with the prediction."""
        low = -math.inf if self.test == "below" else self.bound - self.band
        high = math.inf if self.test == "above" else self.bound + self.band
        return low, high

    def edge(self) -> str:
        """The region's edge as it is written in a reason: `-0.15 + 0.05`."""
        sign = {"below": "+", "above": "-", "equal": "±"}[self.test]
        return f"{self.bound:.3g} {sign} {self.band:.3g}" if self.band else f"{self.bound:.3g}"

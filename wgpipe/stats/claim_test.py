"""The test of a claim, as a study's YAML gives it. Light to import: the configuration is read for every job."""

from __future__ import annotations

import math
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, PositiveInt, model_validator

LEVEL = 0.95


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
        low = -math.inf if self.test == "below" else self.bound - self.band
        high = math.inf if self.test == "above" else self.bound + self.band
        return low, high

    def edge(self) -> str:
        """The region's edge as it is written in a reason: `-0.15 + 0.05`."""
        sign = {"below": "+", "above": "-", "equal": "±"}[self.test]
        return f"{self.bound:.3g} {sign} {self.band:.3g}" if self.band else f"{self.bound:.3g}"

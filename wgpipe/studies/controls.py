"""Positive and negative controls: numbers that are known before anything is trained, and whether the runs have them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from wgpipe.data import family
from wgpipe.errors import UserError
from wgpipe.stats.claim_test import ClaimTest
from wgpipe.stats.estimates import Estimate, missing
from wgpipe.stats.intervals import bootstrap
from wgpipe.stats.panels import FitRule
from wgpipe.stats.rates import fit_rate
from wgpipe.stats.verdicts import judge
from wgpipe.studies import arrange

MIN_SEEDS = 3
RATE_BAND = 0.1  # two samples of U[0,1]^d reach the theoretical exponent within .07 for n up to 2048, d = 1 to 16
FLAT_BAND = 0.05  # the null of two samples does not know n; seeds are few
PERFECT = 1 - math.exp(-9 / 2)  # share of a normal law in the plane within three standard deviations
COLUMNS = ["control", "dataset", "expected", "value", "ci_low", "ci_high", "unit", "as_expected", "reason"]
ANSWERS = {"supported": "yes", "contradicted": "no", "inconclusive": "unclear"}


@dataclass(frozen=True)
class Level:
    """What the mean over seeds of one quantity of one control must be at the largest n of each dataset.

    With `over_null` it is that of log(value / null). `families`: on which data; `but`: on which not.
    """

    control: str
    metric: str
    expected: str
    test: ClaimTest
    over_null: bool = False
    families: tuple[str, ...] = ()
    but: tuple[str, ...] = ()

    def concerns(self, dataset: str) -> bool:
        """Whether the control says anything on this dataset."""
        name = family(dataset)
        return name not in self.but and (not self.families or name in self.families)


def _test(kind: str, bound: float, band: float = 0.0) -> ClaimTest:
    return ClaimTest.model_validate({"test": kind, "bound": bound, "band": band, "min_seeds": MIN_SEEDS})


LEVELS = (
    Level(
        "gaussian",
        "w1",
        "negative: a normal law of the right moments is clearly further away than a second real sample",
        _test("above", math.log(1.2)),
        over_null=True,
        but=("gaussian",),
    ),
    Level(
        "oracle",
        "high_quality",
        "positive: 98.9 % of a perfect sampler's points in the plane lie within 3 sigma of a mode",
        _test("equal", PERFECT, 0.01),
        families=("grid", "ring"),
    ),
    Level(
        "oracle",
        "neighbour_ratio",
        "positive: real points lie as far from the training points as from held-out ones",
        _test("equal", 1.0, 0.05),
    ),
    Level(
        "empirical",
        "neighbour_ratio",
        "negative: points that repeat the training sample are found out",
        _test("below", 0.1),
    ),
    *(
        Level(
            "oracle",
            f"{space}_neighbour_ratio",
            f"positive: real images lie as far from training images as from held-out ones, in {space}s",
            _test("equal", 1.0, 0.05),
        )
        for space in ("pixel", "feature")
    ),
    *(
        Level(
            "empirical",
            f"{space}_neighbour_ratio",
            f"negative: most images that repeat the training sample are found out, in {space}s",
            _test("below", 0.5),
        )
        for space in ("pixel", "feature")
    ),
    Level(
        "map-bures",
        "uvp",
        "positive: the linear map between normal laws is exact (error below 1 % of the variance)",
        _test("below", 1.0),
        families=("gaussian_pair",),
    ),
    Level(
        "map-bures",
        "uvp",
        "negative: a linear map misses a mixture (error above 5 % of the variance)",
        _test("above", 5.0),
        families=("mix3tomix10",),
    ),
)


def control_table(runs: pd.DataFrame) -> pd.DataFrame:
    """One row for each control and dataset that the runs have something to say about."""
    return pd.DataFrame([*_levels(runs), *_rates(runs)], columns=COLUMNS)


def _levels(runs: pd.DataFrame) -> Iterator[dict[str, object]]:
    for level in LEVELS:
        own = runs[(runs["recipe"] == level.control) & (runs["metric"] == level.metric)]
        for dataset in filter(level.concerns, arrange.datasets(own)):
            on_it = own[own["dataset"] == dataset]
            last = on_it[(on_it["n"] == on_it["n"].max()) & (on_it["status"] == "ok")]
            values = last["value"].to_numpy(dtype=np.float64)
            if level.over_null:
                values = _logs(values) - _logs(last["null"].to_numpy(dtype=np.float64))
            unit = f"log({level.metric} / null)" if level.over_null else level.metric
            yield _row(level.control, dataset, level.expected, level.test, _mean(values, unit, dataset))


def _rates(runs: pd.DataFrame) -> Iterator[dict[str, object]]:
    w1 = runs[runs["metric"] == "w1"]
    intrinsic = arrange.facts(runs)["intrinsic"]
    for dataset in arrange.datasets(w1):
        flat = "positive: W1 between two real samples does not change with n"
        checks = [(arrange.NULL_CONTROL, flat, _test("equal", 0.0, FLAT_BAND), FitRule(null_factor=0))]
        if np.isfinite(intrinsic[dataset]):
            exponent = -1 / max(2.0, float(intrinsic[dataset]))
            falls = f"positive: the empirical measure's W1 falls with exponent {exponent:.3g}"
            checks.append(("empirical", falls, _test("equal", exponent, RATE_BAND), FitRule()))
        for control, expected, test, rule in checks:
            own = w1[(w1["dataset"] == dataset) & (w1["recipe"] == control)]
            if own["n"].nunique() >= rule.min_ns:
                yield _row(control, dataset, expected, test, _slope(own, dataset, control, rule))


def _slope(runs: pd.DataFrame, dataset: str, control: str, rule: FitRule) -> Estimate:
    try:
        return fit_rate(runs, dataset, control, rule=rule).estimate()
    except UserError as error:
        return missing("slope", str(error))


def _mean(values: np.ndarray, unit: str, dataset: str) -> Estimate:
    kept = values[np.isfinite(values)]
    interval = bootstrap(lambda weights: weights @ kept / weights.sum(axis=1), len(kept), ("control", unit, dataset))
    return Estimate(interval.value, interval.low, interval.high, unit, len(kept), len(kept))


def _row(control: str, dataset: str, expected: str, test: ClaimTest, estimate: Estimate) -> dict[str, object]:
    verdict, reason = judge(test, estimate)
    return {
        "control": control,
        "dataset": dataset,
        "expected": expected,
        "value": estimate.value,
        "ci_low": estimate.ci_low,
        "ci_high": estimate.ci_high,
        "unit": estimate.unit,
        "as_expected": ANSWERS[verdict],
        "reason": reason,
    }


def _logs(values: np.ndarray) -> np.ndarray:
    """Natural logarithms, NaN where there is none."""
    logs = np.full(len(values), np.nan)
    np.log(values, out=logs, where=values > 0)
    return logs

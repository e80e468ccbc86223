import functools
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError
from scipy import stats

from wgpipe.stats.claim_test import ClaimTest
from wgpipe.stats.estimates import Estimate
from wgpipe.stats.panels import FitRule
from wgpipe.stats.rates import fit_rate
from wgpipe.stats.verdicts import judge

BELOW = ClaimTest(test="below", bound=-0.15, band=0.05, min_seeds=8)
ABOVE = ClaimTest(test="above", bound=0.2, band=0.05, min_seeds=8)
EQUAL = ClaimTest(test="equal", bound=0.0, band=0.05, min_seeds=8)
MEASURED = Estimate(-0.31, -0.35, -0.27, "slope", runs=48, seeds=8)

CASES, SEEDS, TRUTH, NOISE = 400, 8, -0.3, 0.1
LOG_N = np.log([32, 64, 128, 256, 512, 1024])
STANDARD_ERROR = NOISE / np.sqrt(SEEDS * ((LOG_N - LOG_N.mean()) ** 2).sum())


@pytest.mark.parametrize(
    ("test", "interval", "verdict", "reason"),
    [
        (BELOW, (-0.35, -0.27), "supported", "slope -0.31 [-0.35, -0.27] lies below -0.15 + 0.05"),
        (BELOW, (-0.05, 0.01), "contradicted", "slope -0.02 [-0.05, 0.01] lies above -0.15 + 0.05"),
        (ABOVE, (0.16, 0.3), "supported", "slope 0.23 [0.16, 0.3] lies above 0.2 - 0.05"),
        (ABOVE, (0.1, 0.14), "contradicted", "slope 0.12 [0.1, 0.14] lies below 0.2 - 0.05"),
        (EQUAL, (-0.05, 0.03), "supported", "slope -0.01 [-0.05, 0.03] lies within 0 ± 0.05"),
        (EQUAL, (-0.2, -0.1), "contradicted", "slope -0.15 [-0.2, -0.1] lies outside 0 ± 0.05"),
        (EQUAL, (0.06, 0.1), "contradicted", "slope 0.08 [0.06, 0.1] lies outside 0 ± 0.05"),
        (
            EQUAL,
            (-0.1, 0.2),
            "inconclusive",
            "slope 0.05 [-0.1, 0.2] reaches across 0 ± 0.05: the interval is too wide to decide",
        ),
    ],
)
def test_verdict_follows_from_where_the_interval_lies(test, interval, verdict, reason):
    estimate = Estimate(sum(interval) / 2, *interval, "slope", runs=48, seeds=8)
    if verdict == "supported" and test is BELOW:
        estimate = MEASURED
    assert judge(test, estimate) == (verdict, reason)


@pytest.mark.parametrize("status", ["missing", "diverged", "floor", "few seeds"])
def test_estimate_that_is_not_ok_decides_nothing(status):
    assert judge(BELOW, replace(MEASURED, status=status, note="why")) == ("inconclusive", f"{status}: why")


def test_fewer_seeds_than_the_claim_asks_for_decide_nothing():
    reason = "few seeds: the claim asks for 8 seeds, and there are 7"
    assert judge(BELOW, replace(MEASURED, seeds=7)) == ("inconclusive", reason)


def test_estimate_without_numbers_decides_nothing():
    verdict, reason = judge(BELOW, replace(MEASURED, ci_low=np.nan, ci_high=np.nan))
    assert (verdict, reason) == ("inconclusive", "missing: there is no estimate of the slope")


def test_remarks_stand_beside_the_reason():
    assert judge(BELOW, replace(MEASURED, note="1 run failed"))[1].endswith("-0.15 + 0.05 (1 run failed)")


def test_interval_of_another_level_is_refused():
    with pytest.raises(ValueError, match="level"):
        judge(BELOW, replace(MEASURED, level=0.9))


@pytest.mark.parametrize(
    "wrong",
    [{"test": "near"}, {"band": -0.1}, {"bound": np.inf}, {"min_seeds": 0}, {"bnad": 1}, {"test": "equal", "band": 0}],
)
def test_malformed_tests_are_refused(wrong):
    with pytest.raises(ValidationError):
        ClaimTest(**{"test": "below", "bound": 0.0, "band": 0.1, "min_seeds": 8, **wrong})


@pytest.fixture(scope="module")
def simulated():
    """The estimates of 400 tables of log-normal errors about 2 n^-0.3, 8 seeds at six n."""
    from_table = functools.partial(fit_rate, dataset="d", recipe="r", rule=FitRule(replicates=500))
    stream = np.random.default_rng(0)
    return [from_table(simulated_table(stream)).estimate() for _ in range(CASES)]


def simulated_table(stream, log_ns=LOG_N, seeds=SEEDS, null=1e-6):
    seed, log_n = np.meshgrid(np.arange(seeds), log_ns, indexing="ij")
    values = np.exp(np.log(2.0) + TRUTH * log_n + NOISE * stream.normal(size=log_n.shape))
    rows = pd.DataFrame({"n": np.exp(log_n).round().astype(int).ravel(), "seed": seed.ravel(), "value": values.ravel()})
    return rows.assign(dataset="d", recipe="r", status="ok", metric="w1", null=null, protocol="w1[]")


def shares(test, estimates):
    verdicts = [judge(test, estimate)[0] for estimate in estimates]
    return {verdict: verdicts.count(verdict) / len(verdicts) for verdict in ("supported", "contradicted")}


def claims_whose_edge_is(errors):
    """A test of each kind whose region's nearest edge is so many standard errors away from the truth, inside it."""
    far = errors * STANDARD_ERROR
    return {
        "below": ClaimTest(test="below", bound=TRUTH - 0.05 + far, band=0.05, min_seeds=8),
        "above": ClaimTest(test="above", bound=TRUTH + 0.05 - far, band=0.05, min_seeds=8),
        "equal": ClaimTest(test="equal", bound=TRUTH - 0.15 + far, band=0.15, min_seeds=8),
    }


KINDS = pytest.mark.parametrize("kind", ["below", "above", "equal"])


@KINDS
def test_effect_four_standard_errors_inside_is_supported(simulated, kind):
    assert shares(claims_whose_edge_is(4)[kind], simulated)["supported"] >= 0.9


@KINDS
def test_effect_four_standard_errors_outside_is_contradicted(simulated, kind):
    assert shares(claims_whose_edge_is(-4)[kind], simulated)["contradicted"] >= 0.9


@KINDS
@pytest.mark.parametrize("errors", [3, -3])
def test_effect_of_three_standard_errors_is_decided_as_often_as_the_t_test_can(simulated, kind, errors):
    power = stats.nct.sf(stats.t.ppf(0.975, SEEDS - 1), SEEDS - 1, 3)
    decided = shares(claims_whose_edge_is(errors)[kind], simulated)["supported" if errors > 0 else "contradicted"]
    assert decided == pytest.approx(power, abs=3 * np.sqrt(power * (1 - power) / CASES))


@KINDS
def test_truth_at_the_edge_is_rarely_decided(simulated, kind):
    found = shares(claims_whose_edge_is(0)[kind], simulated)
    assert max(found.values()) <= 0.025 + 0.02


@pytest.fixture(scope="module")
def many_seeds():
    """As `simulated`, with the 32 seeds of a full scale, and intervals with 5 % of their misses on each side."""
    stream = np.random.default_rng(2)
    rule = FitRule(replicates=500, level=0.9)
    return [fit_rate(simulated_table(stream, seeds=32), "d", "r", rule=rule).estimate() for _ in range(CASES)]


@KINDS
@pytest.mark.parametrize("errors", [3, -3])
def test_effect_of_three_standard_errors_is_decided_nine_times_in_ten_by_many_seeds(many_seeds, kind, errors):
    power = stats.nct.sf(stats.t.ppf(0.95, 31), 31, 3)
    assert power >= 0.9
    decided = shares(at_level(claims_whose_edge_is(errors / 2)[kind], 0.9), many_seeds)  # half the standard error
    assert decided["supported" if errors > 0 else "contradicted"] == pytest.approx(
        power, abs=3 * np.sqrt(power * (1 - power) / CASES)
    )


@KINDS
def test_truth_at_the_edge_is_decided_wrongly_at_the_level_of_one_side(many_seeds, kind):
    found = shares(at_level(claims_whose_edge_is(0)[kind], 0.9), many_seeds)
    assert max(found.values()) <= 0.05 + 0.02


def at_level(test, level):
    return test.model_copy(update={"level": level})


FLAWS = {"few seeds": {"seeds": 7}, "diverged": {}, "floor": {"null": 1.0}}


@pytest.mark.parametrize("flaw", FLAWS)
def test_flawed_tables_are_never_decided(flaw):
    stream = np.random.default_rng(1)
    for _ in range(CASES):
        rows = simulated_table(stream, LOG_N[::2], **FLAWS[flaw])
        if flaw == "diverged":
            rows.loc[stream.integers(len(rows)), ["status", "value"]] = ["diverged", np.nan]
        estimate = fit_rate(rows, "d", "r", rule=FitRule(replicates=2)).estimate()
        for claim in claims_whose_edge_is(12).values():
            verdict, reason = judge(claim, estimate)
            assert verdict == "inconclusive"
            assert reason.startswith(flaw)

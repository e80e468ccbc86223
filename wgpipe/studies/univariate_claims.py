"""How each claim of `univariate` is measured: one function a claim, from the runs to an estimate."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import pandas as pd

from wgpipe.config import Claim
from wgpipe.stats.comparisons import slope_difference
from wgpipe.stats.estimates import Caveats, Estimate, joined, missing, noted
from wgpipe.stats.panels import FitRule, panel
from wgpipe.stats.rates import pooled_rate
from wgpipe.stats.seed_means import seed_mean
from wgpipe.studies import style
from wgpipe.studies.arrange import facts, planted
from wgpipe.studies.claims import Measure, rule_of
from wgpipe.studies.curve_runs import curve_runs, squared_lengths
from wgpipe.theory.curves import length_exponent, speed_exponent

NO_FLOOR = np.inf  # S(n) is no error that ends at a floor


def optimum(claim: Claim, runs: pd.DataFrame) -> Estimate:
    """Largest relative difference of a seed's curves between their W1 to the sample and S/(4K), mean over seeds.

    `claim.recipes` are constructed curves; runs whose W1 was not measured, for their size, do not count.
    """
    unit = "relative difference"
    caveats, table = _compared(claim.recipes, claim, runs)
    fitting = table[table["ratio"].notna()]
    if caveats.status == "ok" and fitting.empty:
        caveats.add("missing", f"no run of {', '.join(claim.recipes)} has a W1 to its sample")
    by_seed = (fitting["ratio"] - 1).abs().groupby(fitting["seed"]).max()
    if len(fitting):
        caveats.remarks.append(f"largest {by_seed.max():.2g}, of {len(fitting)} curves")
    return seed_mean(by_seed.to_numpy(), unit, ("optimum", *claim.recipes), caveats, rule_of(claim), len(fitting))


def approach(claim: Claim, runs: pd.DataFrame) -> Estimate:
    """The least ratio W1 / (S/(4K)) of a seed's trained curves with K >= K0, mean over seeds.

    Of `claim.recipes` those count that ran. Beside it: the geometric mean ratio at each n, and what the certificate
    says where K < K0.
    """
    ran = [name for name in claim.recipes if name in set(runs["recipe"])]
    caveats, table = _compared(ran or claim.recipes, claim, runs)
    measured = table[table["curve_w1"].notna()]
    fitting = measured[measured["fits"]]
    if caveats.status == "ok" and fitting.empty:
        caveats.add("missing", f"no finished run of {', '.join(claim.recipes)} has a curve of speed K >= K0")
    for n, own in measured.groupby("n"):
        inside = own[own["fits"]]
        mean = f"geometric mean ratio {style.geometric_mean(inside['ratio']):.3g}" if len(inside) else "no ratio"
        caveats.remarks.append(f"n = {n}: {mean}, {len(inside)} of {len(own)} runs with K >= K0")
    slow = measured[~measured["fits"]]
    if len(slow):
        share = (slow["curve_certificate"] / slow["curve_w1"]).mean()
        caveats.remarks.append(f"where K < K0 the certificate is {share:.0%} of W1, on average")
    by_seed = fitting.groupby("seed")["ratio"].min()
    key = ("approach", *claim.recipes)
    return seed_mean(by_seed.to_numpy(), "least ratio", key, caveats, rule_of(claim), len(fitting))


def speed_law(claim: Claim, runs: pd.DataFrame) -> Estimate:
    """Slope of log W1 to the sample against log K at fixed sample, mean over the samples of a seed, then over seeds.

    `claim.recipes` are curves through the same samples at different K >= K0. A sample counts if all of them ran on it.
    """
    caveats, table = _compared(claim.recipes, claim, runs)
    fitting = table[table["ratio"].notna()].assign(
        x=lambda rows: np.log(rows["curve_speed"]), y=lambda rows: np.log(rows["curve_w1"])
    )
    sample = ["dataset", "n", "seed"]
    groups = fitting.groupby(sample)
    whole = fitting[groups["recipe"].transform("nunique") == len(claim.recipes)]
    if caveats.status == "ok" and whole.empty:
        caveats.add("missing", f"no sample has curves of all of {', '.join(claim.recipes)}")
    means = whole.groupby(sample)[["x", "y"]].transform("mean")
    centred = whole[["x", "y"]] - means
    sums = (
        pd.DataFrame({"xy": centred["x"] * centred["y"], "xx": centred["x"] ** 2})
        .groupby([whole[name] for name in sample])
        .sum()
    )
    slopes = sums["xy"] / sums["xx"]
    by_seed = slopes.groupby("seed").mean()
    if len(whole):
        caveats.remarks.append(
            f"{len(slopes)} samples, K/K0 from {whole['times_k0'].min():.3g} to {whole['times_k0'].max():.3g}"
        )
    key = ("speed law", *claim.recipes)
    return seed_mean(by_seed.to_numpy(), "slope in K", key, caveats, rule_of(claim), len(whole))


def length_law(claim: Claim, runs: pd.DataFrame) -> Estimate:
    """Slope of log S(n) against log n minus 1 - 2/d*, on the planted data where it is furthest from 0.

    `claim.parameters` are the least d* and the least n that count, `min_intrinsic` and `min_n`.
    The intervals of all data hold together (Bonferroni), so that one speaks for all.
    """
    unit = "slope - exponent"
    (recipe,) = claim.recipes
    lengths = squared_lengths(runs, recipe, claim.parameters["min_n"])
    names = planted(lengths, [recipe], claim.parameters["min_intrinsic"])
    if not names:
        return missing(unit, f"no runs of {recipe} on so many points of planted data")
    joint = 1 - (1 - claim.test.level) / len(names)
    rule = FitRule(level=joint, floor_share=NO_FLOOR)
    intrinsic, found = facts(runs)["intrinsic"], {}
    for name in names:
        slope, exponent = pooled_rate(lengths, [name], recipe, "walk_squared", rule), length_exponent(intrinsic[name])
        found[name] = (slope, exponent)
    course = ", ".join(f"{slope.value:.3g} on {name} ({exponent:.3g})" for name, (slope, exponent) in found.items())
    unfit = [slope for slope, _ in found.values() if slope.status != "ok"]
    if unfit:
        return dataclasses.replace(unfit[0], unit=unit, value=np.nan, ci_low=np.nan, ci_high=np.nan)
    slope, exponent = max(found.values(), key=lambda pair: abs(pair[0].value - pair[1]))
    return Estimate(
        slope.value - exponent,
        slope.ci_low - exponent,
        slope.ci_high - exponent,
        unit,
        sum(one.runs for one, _ in found.values()),
        min(one.seeds for one, _ in found.values()),
        note=joined(slope.note, f"slopes and exponents: {course}"),
        level=claim.test.level,
    )


def rate_law(claim: Claim, runs: pd.DataFrame) -> Estimate:
    """Slope of W1 to held-out data of curves with growing K, minus that of the control on the same seeds and sizes.

    `claim.recipes` are the curves and the control; `claim.parameters["min_intrinsic"]` the least d* that counts.
    """
    curve, control = claim.recipes
    least = claim.parameters["min_intrinsic"]
    names = planted(runs, [curve, control], least)
    if not names:
        return missing(
            "slope difference", f"no planted data of d* >= {least:g} have runs of both {curve} and {control}"
        )
    rule = rule_of(claim)
    estimate = slope_difference(runs, names, curve, control, rule=rule)
    intrinsic = facts(runs)["intrinsic"]
    remarks = []
    for name in names:
        slopes = [pooled_rate(runs, [name], recipe, rule=rule).value for recipe in claim.recipes]
        remarks.append(f"on {name} slopes {slopes[0]:.3g} and {slopes[1]:.3g}, -1/d* = {-1 / intrinsic[name]:.3g}")
    speeds = [_speed_slope(runs, name, curve, intrinsic[name]) for name in names]
    return noted(estimate, *remarks, *speeds)


MEASURES: dict[str, Measure] = {
    "uni-optimum": optimum,
    "uni-trained": approach,
    "uni-K": speed_law,
    "uni-length": length_law,
    "uni-rate": rate_law,
}


def _speed_slope(runs: pd.DataFrame, dataset: str, recipe: str, intrinsic: float) -> str:
    """How the K of a curve, and the K0 of its samples, grow."""
    rows = runs[runs["metric"].isin(("curve_speed", "walk_speed"))].assign(null=0.0)
    rule = FitRule(floor_share=NO_FLOOR)
    grown, least = (
        pooled_rate(rows, [dataset], recipe, metric, rule).value for metric in ("curve_speed", "walk_speed")
    )
    return f"K grows with slope {grown:.3g} and K0 with {least:.3g}, 1 - 1/d* = {speed_exponent(intrinsic):.3g}"


def _compared(recipes: Sequence[str], claim: Claim, runs: pd.DataFrame) -> tuple[Caveats, pd.DataFrame]:
    """What the runs of these recipes lack, and their curves."""
    caveats, own = Caveats(), runs[runs["recipe"].isin(recipes)]
    rule, rows = rule_of(claim), own[own["metric"] == "curve_w1"]
    ran = rows[["dataset", "recipe"]].drop_duplicates()
    for recipe in recipes:
        if recipe not in set(ran["recipe"]):
            caveats.add("missing", f"no runs of {recipe}")
    pairs = ran.sort_values(["dataset", "recipe"]).itertuples(index=False)
    caveats.check_runs([panel(own, str(pair.dataset), str(pair.recipe), "curve_w1") for pair in pairs], rule)
    return caveats, curve_runs(own)

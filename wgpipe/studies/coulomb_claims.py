"""How each claim of `coulomb` is measured: one function a claim, from the runs to an estimate."""

from __future__ import annotations

import numpy as np
import pandas as pd

from wgpipe.config import Claim
from wgpipe.stats.estimates import Caveats, Estimate, missing, noted, unfit
from wgpipe.stats.seed_means import seed_mean
from wgpipe.studies.claim_means import course, mean_level, mean_of
from wgpipe.studies.claims import Measure, rule_of
from wgpipe.studies.coulomb_runs import indexed
from wgpipe.theory.coulomb import superharmonic

TOY = "grid-25-coulomb"  # the data of the statement about modes


def no_collapse(claim: Claim, runs: pd.DataFrame) -> Estimate:
    """Balanced modes of the first recipe on the 25-grid of the paper; the others stand beside it, where they ran."""
    first, *others = claim.recipes
    toy = runs[runs["dataset"] == TOY]
    estimate = mean_of(claim, toy, [first], "modes_balanced", "balanced modes")
    remarks = [course(toy, first, "modes_captured"), course(toy, first, "high_quality")]
    remarks += [course(runs[runs["dataset"] != TOY], name, "modes_balanced") for name in others]
    quality, least = mean_level(toy, first, "high_quality"), claim.parameters["quality"]
    if quality < least:
        estimate = unfit(estimate, f"{quality:.0%} of the points lie on modes, and counting them asks for {least:.0%}")
    return noted(estimate, *remarks)


def flow_rates(claim: Claim, runs: pd.DataFrame) -> Estimate:
    """Of the rates on and off the support, in units of theory, the one whose interval lies further from 1."""
    rates = {
        name: mean_of(claim, runs, claim.recipes, f"{name}_rate", "rate / theory") for name in ("decay", "logistic")
    }
    unusable = [rate for rate in rates.values() if rate.status != "ok"]
    if unusable:
        return unusable[0]
    told = "; ".join(f"{name} {one.value:.3g} [{one.ci_low:.3g}, {one.ci_high:.3g}]" for name, one in rates.items())
    worst = max(rates.values(), key=lambda one: max(abs(one.ci_low - 1), abs(one.ci_high - 1)))
    first = indexed(runs[runs["recipe"].isin(claim.recipes)], "first_rate").groupby("at")["value"].mean()
    course = ", ".join(f"{value:.3g} at ε = {epsilon:g}" for epsilon, value in first.items())
    return noted(worst, told, f"at the first step, off the support: {course}" if course else "")


def harmonic(claim: Claim, runs: pd.DataFrame) -> Estimate:
    """Share of the pairs (D, m) whose kernel has a Laplacian of the sign that theory says."""
    unit = "share of kernels"
    rows = indexed(runs[runs["recipe"].isin(claim.recipes)], "laplacian")
    if rows.empty:
        return missing(unit, f"no runs of {', '.join(claim.recipes)} have a Laplacian")
    expected = [superharmonic(d, int(m)) for d, m in zip(rows["at"], rows["dimension"], strict=True)]
    agree = ((rows["value"] <= 0) == expected).astype("float64")
    by_seed = agree.groupby(rows["seed"]).mean()
    estimate = seed_mean(by_seed.to_numpy(), unit, ("harmonic",), Caveats(), rule_of(claim), len(rows))
    stuck = indexed(runs[runs["recipe"].isin(claim.recipes)], "stuck")
    inside = pd.Series(
        [superharmonic(d, int(m)) for d, m in zip(stuck["at"], stuck["dimension"], strict=True)],
        stuck.index,
        dtype=bool,
    )
    shares = [
        f"{stuck['value'][part].mean():.3g} {where}" for part, where in ((inside, "within"), (~inside, "outside"))
    ]
    return noted(
        estimate,
        f"{len(rows[['at', 'dimension']].drop_duplicates())} pairs of D and m",
        f"points without a particle where the flow rests: {' the condition, '.join(shares)} it" if len(stuck) else "",
    )


def self_terms(claim: Claim, runs: pd.DataFrame) -> Estimate:
    """Shift of the potential by the diagonal, in units of k(0) / B."""
    return mean_of(claim, runs, claim.recipes, "self_term", "shift / (k(0)/B)")


def field(claim: Claim, runs: pd.DataFrame) -> Estimate:
    """Mean (D - pot)² over mean pot² at the end of training."""
    estimate = mean_of(claim, runs, claim.recipes[:1], "field_ratio", "mean (D - pot)² / mean pot²")
    distances = [course(runs, name, "plummer_mmd") for name in claim.recipes]
    return noted(estimate, course(runs, claim.recipes[0], "field_error"), *distances)


def support_size(claim: Claim, runs: pd.DataFrame) -> Estimate:
    """log of the support by the birthday test over that of as many real points."""
    return mean_of(
        claim,
        runs,
        claim.recipes,
        "birthday_support",
        "log(support / real support)",
        lambda rows: np.log(rows["value"] / rows["null"]),
    )


def copies(claim: Claim, runs: pd.DataFrame) -> Estimate:
    """Distance to the nearest training point over that to the nearest of as many held-out points."""
    estimate = mean_of(claim, runs, claim.recipes, "neighbour_ratio", "nearest-neighbour ratio")
    nulls = runs[(runs["metric"] == "neighbour_ratio") & runs["recipe"].isin(claim.recipes)]["null"].mean()
    return noted(estimate, f"real data have {nulls:.3g}" if np.isfinite(nulls) else "")


def equilibrium(claim: Claim, runs: pd.DataFrame) -> Estimate:
    """log of the kernel distance to the data over its null; seeds are initialisations, the last recipe is a ceiling."""
    *recipes, ceiling = claim.recipes
    estimate = mean_of(
        claim,
        runs,
        recipes,
        "plummer_mmd",
        "log(kernel distance / null)",
        lambda rows: np.log(rows["value"] / rows["null"]),
    )
    rows = runs[(runs["metric"] == "plummer_mmd") & (runs["recipe"] == ceiling)]
    flow = np.log((rows["value"] / rows["null"]).astype("float64")).mean()
    if flow >= claim.test.bound:
        return unfit(estimate, f"{ceiling}, the exact flow, has {flow:.3g} and does not come to the data either")
    return noted(estimate, f"{ceiling} has {flow:.3g}" if np.isfinite(flow) else "")


MEASURES: dict[str, Measure] = {
    "cou-modes": no_collapse,
    "cou-flow": flow_rates,
    "cou-harmonic": harmonic,
    "cou-selfterm": self_terms,
    "cou-field": field,
    "cou-support": support_size,
    "cou-memorise": copies,
    "cou-nash": equilibrium,
}

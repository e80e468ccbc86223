"""How each claim of `vanilla_rates` is measured: one function a claim, from the runs to an estimate."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from wgpipe.config import Claim
from wgpipe.stats.comparisons import failure_difference, log_ratio, slope_difference
from wgpipe.stats.estimates import Caveats, Estimate, joined, missing, noted
from wgpipe.stats.intervals import proportion
from wgpipe.stats.panels import FitRule, panel
from wgpipe.stats.rates import pooled_rate
from wgpipe.stats.seed_means import seed_mean
from wgpipe.stats.slopes import Term, common_ns, sum_of_slopes
from wgpipe.studies.arrange import facts, planted
from wgpipe.studies.claims import Measure, rule_of
from wgpipe.studies.critics import critic_runs, separation_runs
from wgpipe.theory import vanilla


def rate_against_bound(exponent: Callable[[float, int], float]) -> Measure:
    """Slope of W1 minus the exponent of its upper bound, mean over planted datasets of large enough d*.

    `claim.recipes` is the one recipe; `claim.parameters` are `alpha` and `min_intrinsic`.
    """

    def measure(claim: Claim, runs: pd.DataFrame) -> Estimate:
        (recipe,) = claim.recipes
        names = planted(runs, [recipe], claim.parameters["min_intrinsic"])
        if not names:
            least = claim.parameters["min_intrinsic"]
            return missing("slope - exponent", f"no runs of {recipe} on a planted dataset of d* >= {least:g}")
        intrinsic = facts(runs)["intrinsic"]
        predicted = float(np.mean([exponent(claim.parameters["alpha"], int(intrinsic[name])) for name in names]))
        slope = pooled_rate(runs, names, recipe, rule=rule_of(claim))
        control = pooled_rate(runs, names, "empirical").value
        remarks = [f"slope {slope.value:.3g} against the exponent {predicted:.3g} on {', '.join(names)}"]
        if np.isfinite(control):
            remarks.append(f"the empirical measure has {control:.3g}")
        return dataclasses.replace(
            slope,
            value=slope.value - predicted,
            ci_low=slope.ci_low - predicted,
            ci_high=slope.ci_high - predicted,
            unit="slope - exponent",
            note=joined(slope.note, *(remarks if np.isfinite(slope.value) else [])),
        )

    return measure


def slopes_equal(claim: Claim, runs: pd.DataFrame) -> Estimate:
    """Slope of the first recipe minus that of the second, mean over the planted datasets that both ran on."""
    first, second = claim.recipes
    names = planted(runs, [first, second])
    if not names:
        return missing("slope difference", f"no planted dataset has runs of both {first} and {second}")
    return slope_difference(runs, names, first, second, rule=rule_of(claim))


def dimension_free(claim: Claim, runs: pd.DataFrame) -> Estimate:
    """Slope at the largest minus slope at the smallest d of the same family and d*, mean over these and the recipes."""
    rule, pairs = rule_of(claim), []
    for recipe in claim.recipes:
        known = facts(runs[runs["dataset"].isin(planted(runs, [recipe]))])
        family = known.index.str.split("-").str[0]
        for _, group in known.groupby([family, "intrinsic"]):
            if group["dimension"].nunique() > 1:
                pairs.append((recipe, str(group["dimension"].idxmax()), str(group["dimension"].idxmin())))
    if not pairs:
        return missing("slope difference", "no family has runs in two ambient dimensions at equal d*")
    terms = []
    for recipe, large, small in pairs:
        shared = common_ns([panel(runs, name, recipe, "w1") for name in (large, small)], rule)
        kept = runs[runs["n"].isin(shared)] if len(shared) >= rule.min_ns else runs
        terms += [
            Term((panel(kept, name, recipe, "w1"),), sign / len(pairs)) for name, sign in ((large, 1.0), (small, -1.0))
        ]
    key = ("dimension free", *(part for pair in pairs for part in pair))
    return sum_of_slopes(terms, "slope difference", key, rule)[0]


def narrow_against_wide(claim: Claim, runs: pd.DataFrame) -> Estimate:
    """Mean log(W1 of the narrow nets / W1 of the wide nets) at the largest n, over losses and planted datasets.

    `claim.recipes` are narrow, wide, narrow, wide, … . Pairs become datasets of two recipes, so seeds stay joint.
    """
    names = planted(runs, claim.recipes)
    if not names:
        return missing("log ratio", f"no planted dataset has runs of all of {', '.join(claim.recipes)}")
    chosen = runs[runs["dataset"].isin(names) & runs["recipe"].isin(claim.recipes) & (runs["metric"] == "w1")]
    role = {recipe: ("narrow", "wide")[place % 2] for place, recipe in enumerate(claim.recipes)}
    loss = {recipe: place // 2 for place, recipe in enumerate(claim.recipes)}
    pairs = chosen.assign(
        dataset=chosen["dataset"] + " " + chosen["recipe"].map(loss).map(lambda place: claim.recipes[2 * place + 1]),
        recipe=chosen["recipe"].map(role),
    )
    names, ns = sorted(set(pairs["dataset"])), _shared_ns(pairs)
    if not ns:
        return missing("log ratio", "narrow and wide nets have no n in common")
    by_n = {n: log_ratio(pairs, names, "narrow", "wide", n, rule=rule_of(claim)) for n in ns}
    course = ", ".join(
        f"{estimate.value:.3g} at n = {n}" for n, estimate in by_n.items() if np.isfinite(estimate.value)
    )
    last = by_n[ns[-1]]
    return noted(last, f"log ratios: {course}" if course else "")


def inside_sandwich(claim: Claim, runs: pd.DataFrame) -> Estimate:
    """Share of runs whose V lies between both bounds at the run's own Lipschitz constant, W1 and half-diameter.

    All four speak of the same two finite samples, so the data need not be compact for the bounds to hold.
    """
    table = critic_runs(runs[runs["recipe"].isin(claim.recipes)])
    known = table[table["v"].notna()]
    caveats = _value_caveats(claim.recipes, table, rule_of(claim))
    below, above = int(known["below"].sum()), int(known["above"].sum())
    if len(known):
        caveats.remarks.append(
            f"of {len(known)} runs {below} lie below the lower bound, as a critic short of its optimum may,"
            f" and {above} above the upper one, which no critic can unless its Lipschitz constant is measured too small"
        )
    interval = proportion(len(known) - below - above, len(known), claim.test.level) if len(known) else None
    return caveats.estimate("share of runs", rule_of(claim), interval, len(known), known["seed"].nunique())


def saturation(claim: Claim, runs: pd.DataFrame) -> Estimate:
    """Mean over seeds of V / (2 log 2) of the first recipe; the second is the one whose W1 it is compared with.

    V is that of the metric `separation`: between the training sample and fresh points of the generator.
    """
    free, bound = claim.recipes
    rule = rule_of(claim)
    table = separation_runs(runs[runs["recipe"] == free])
    known = table[table["v"].notna()]
    caveats = _value_caveats([free], table, rule)
    by_seed = known.groupby("seed")["v"].mean().to_numpy(dtype=np.float64)
    course = ", ".join(f"{v:.3g} at n = {n}" for n, v in known.groupby("n")["v"].mean().items())
    caveats.remarks += [f"means: {course}"] if course else []
    names = planted(runs, claim.recipes)
    ns = _shared_ns(runs[runs["dataset"].isin(names) & runs["recipe"].isin(claim.recipes)])
    if ns:
        worse = log_ratio(runs, names, free, bound, ns[-1], rule=rule)
        caveats.remarks.append(
            f"log ratio of W1 against {bound} at n = {ns[-1]}: "
            f"{worse.value:.3g} [{worse.ci_low:.3g}, {worse.ci_high:.3g}]"
        )
    return seed_mean(by_seed, "V / (2 log 2)", ("saturation", free), caveats, rule, len(known))


def instability(claim: Claim, runs: pd.DataFrame) -> Estimate:
    """Share of diverged or collapsed runs of the first recipe minus that of the second, where both ran.

    Collapsed: its spread is below `claim.parameters["collapse"]`.
    """
    first, second = claim.recipes
    rows = runs[(runs["metric"] == "spread") & runs["recipe"].isin(claim.recipes)]
    both = rows.groupby(["dataset", "n"])["recipe"].transform("nunique") == 2
    rows = rows[both]
    if rows.empty:
        return missing("difference of failure rates", f"{first} and {second} have no dataset and n in common")
    judged = rows.assign(value=rows["value"].where(rows["value"] >= claim.parameters["collapse"]))
    names = sorted(set(judged["dataset"]))
    return failure_difference(judged, names, first, second, metric="spread", level=claim.test.level)


MEASURES: dict[str, Measure] = {
    "van-rate": rate_against_bound(vanilla.vanilla_exponent),
    "van-wgan": rate_against_bound(vanilla.wasserstein_exponent),
    "van-oracle": narrow_against_wide,
    "van-loose": slopes_equal,
    "van-intrinsic": dimension_free,
    "van-sandwich": inside_sandwich,
    "van-saturate": saturation,
    "van-stable": instability,
}


def _shared_ns(runs: pd.DataFrame) -> list[int]:
    """The n that every (dataset, recipe) of these runs has, ascending."""
    panels = runs[["dataset", "recipe", "n"]].drop_duplicates()
    most = len(panels[["dataset", "recipe"]].drop_duplicates())
    counts = panels["n"].value_counts()
    return sorted(counts.index[counts == most].tolist())


def _value_caveats(recipes: Sequence[str], table: pd.DataFrame, rule: FitRule) -> Caveats:
    """Note that these recipes have no runs, or that too many of them, or some, have no V."""
    caveats, absent = Caveats(), int(table["v"].isna().sum())
    names = ", ".join(recipes)
    if table.empty:
        caveats.add("missing", f"no runs of {names} with V")
    elif absent > rule.max_failed * len(table):
        caveats.add("diverged", f"{absent} of {len(table)} runs of {names} have no V")
    elif absent:
        caveats.remarks.append(f"{absent} of {len(table)} runs of {names} have no V and are left out")
    return caveats

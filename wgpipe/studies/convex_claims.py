"""How each claim of `convex_potentials` is measured: one function a claim, from the runs to an estimate."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from wgpipe.config import Claim
from wgpipe.config import Study as Settings
from wgpipe.stats.comparisons import difference, failure_difference, log_ratio
from wgpipe.stats.estimates import Caveats, Estimate, missing, noted
from wgpipe.stats.intervals import proportion
from wgpipe.stats.panels import panel
from wgpipe.stats.rates import pooled_rate
from wgpipe.stats.seed_means import seed_mean
from wgpipe.stats.slopes import Term, sum_of_slopes
from wgpipe.studies.arrange import datasets as ordered
from wgpipe.studies.claims import Measure, rule_of
from wgpipe.studies.convex_runs import MAP_ERROR, SQUARED_ERROR, VALUE_ERROR, at_largest_n, dual_runs, errors
from wgpipe.studies.convex_tables import budgets, steps_to, two_point_runs
from wgpipe.theory.two_point import LARGER_BELOW

NO_FLOOR = np.inf  # where a floor is what a claim is about
PAPER_POWER, ESTIMATION_POWER = -1.0, -0.5  # of the map error
MIN_NS = 3


def measures(config: Settings) -> Mapping[str, Measure]:
    """Claim -> how it is measured."""
    return {
        "w2-gauss": recovery,
        "w2-lower": lower_bound,
        "w2-moments": stationarity,
        "w2-maprate": map_rate,
        "w2-bias": flattening,
        "w2-time": equal_work,
        "w2-twopoint": two_points,
        "w2-generalise": value_rate,
        "w2-homotopy": lambda claim, runs: homotopy(config, claim, runs),
        "w2-compose": composition,
        "w2-gan": as_a_gan,
    }


def recovery(claim: Claim, runs: pd.DataFrame) -> Estimate:
    """The worst of what class Q leaves on Gaussians at the largest n, each as a share of what is allowed.

    L2-UVP of the first recipe of `claim.recipes`, trained, and of the second, in closed form, over `parameters["uvp"]`
    percent; and the relative difference of their values at the same training samples over `parameters["value"]`. A
    seed's number is the largest over these and over the pairs of Gaussians.
    """
    unit = "worst share"
    trained, closed = claim.recipes
    chosen = at_largest_n(runs[runs["dataset"].str.startswith("gaussian_pair")], [trained, closed])
    rows = _finite(chosen[chosen["metric"].isin(["uvp", "dual_sample"])])
    caveats = _caveats(chosen, "uvp", [trained, closed], claim)
    wide = rows.pivot_table(index=["dataset", "seed"], columns=["metric", "recipe"], values="value")
    wanted = [(metric, name) for metric in ("uvp", "dual_sample") for name in (trained, closed)]
    wide = wide.reindex(columns=pd.MultiIndex.from_tuples(wanted)).dropna()
    table = pd.DataFrame(
        {
            trained: wide["uvp", trained] / claim.parameters["uvp"],
            closed: wide["uvp", closed] / claim.parameters["uvp"],
            "value": (wide["dual_sample", trained] / wide["dual_sample", closed] - 1).abs() / claim.parameters["value"],
        }
    )
    for dataset, own in table.groupby(level="dataset"):
        shares = own.mean()
        n = int(chosen.loc[chosen["dataset"] == dataset, "n"].max())
        uvps = ", ".join(f"{name} {shares[name] * claim.parameters['uvp']:.2g}" for name in (trained, closed))
        apart = shares["value"] * claim.parameters["value"]
        caveats.remarks.append(f"{dataset}, n = {n}: UVP in % {uvps}; values {apart:.2g} apart")
    worst = table.max(axis=1)
    by_seed = worst.groupby(level="seed").max()
    return _mean(by_seed, unit, ("recovery", trained, closed), caveats, claim, 2 * len(wide))


def lower_bound(claim: Claim, runs: pd.DataFrame) -> Estimate:
    """Share of runs whose value at held-out points, less the gap of the search for conjugates, is at most the cost."""
    unit = "share of runs"
    ran = [name for name in claim.recipes if name in set(runs["recipe"])]
    table = dual_runs(runs[runs["recipe"].isin(ran)])
    known = table[table["excess"].notna()]
    caveats = _caveats(runs, "dual", ran or claim.recipes, claim)
    held, loose = int((known["excess"] <= 0).sum()), int((known["loose"] > 0).sum())
    if len(known):
        caveats.remarks.append(
            f"of {len(known)} runs {len(known) - held} exceed it, and {loose} would if the search were taken for exact;"
            f" (V - gap) / cost - 1 is {known['excess'].mean():.2g} on average and {known['excess'].max():.2g} at most"
        )
    interval = proportion(held, len(known), claim.test.level) if len(known) else None
    return caveats.estimate(unit, rule_of(claim), interval, len(known), known["seed"].nunique())


def stationarity(claim: Claim, runs: pd.DataFrame) -> Estimate:
    """Residual of the tangent moments, the largest over recipes and pairs, each at its largest n; mean over seeds."""
    unit = "relative residual"
    metric = "tangent_residual"
    parts = [at_largest_n(runs, [name]) for name in claim.recipes]
    chosen = pd.concat(parts, ignore_index=True)
    caveats = _caveats(chosen, metric, claim.recipes, claim)
    rows = _finite(chosen[chosen["metric"] == metric])
    for (dataset, recipe), own in rows.groupby(["dataset", "recipe"]):
        n = int(own["n"].iloc[0])
        caveats.remarks.append(
            f"{recipe} on {dataset}, n = {n}: {own['value'].mean():.2g}, where sampling shows {n**-0.5:.2g}"
        )
    by_seed = rows.groupby("seed")["value"].max()
    return _mean(by_seed, unit, ("stationarity", *claim.recipes), caveats, claim, len(rows))


def map_rate(claim: Claim, runs: pd.DataFrame) -> Estimate:
    """Slope of the map error, mean over the pairs with three n or more; beside it the squared error, and which fits."""
    (recipe,) = claim.recipes
    table, names = _with_rates(runs, [recipe])
    if not names:
        return missing("slope", f"no pair has runs of {recipe} at {MIN_NS} n")
    slope = pooled_rate(table, names, recipe, MAP_ERROR, rule_of(claim))
    squared = pooled_rate(table, names, recipe, SQUARED_ERROR, rule_of(claim))
    if not np.isfinite(slope.ci_low):
        return slope
    found = {f"{power:g}": slope.ci_low <= power <= slope.ci_high for power in (PAPER_POWER, ESTIMATION_POWER)}
    which = " and ".join(f"{power} {'inside' if inside else 'outside'}" for power, inside in found.items())
    remark = (
        f"on {', '.join(names)}; the squared error has {squared.value:.3g}"
        f" [{squared.ci_low:.3g}, {squared.ci_high:.3g}]; of the powers of the error the interval has {which}"
    )
    return noted(slope, remark)


def flattening(claim: Claim, runs: pd.DataFrame) -> Estimate:
    """Slope of the map error of each baseline minus that of the first recipe; mean over baselines and pairs."""
    unit = "slope difference"
    first, *baselines = claim.recipes
    table = errors(runs)
    rule = dataclasses.replace(rule_of(claim), floor_dominates=NO_FLOOR)
    pairs = [(name, baseline) for baseline in baselines for name in _with_rates(runs, [first, baseline])[1]]
    if not pairs:
        return missing(unit, f"no pair has runs of {first} and a baseline at {MIN_NS} n")
    terms = [
        Term((panel(table, name, baseline, MAP_ERROR), panel(table, name, first, MAP_ERROR)), 1 / len(pairs))
        for name, baseline in pairs
    ]
    found = sum_of_slopes(terms, unit, ("flattening", first, *(part for pair in pairs for part in pair)), rule)[0]
    slopes = {
        (name, recipe): pooled_rate(table, [name], recipe, MAP_ERROR, rule).value
        for name, baseline in pairs
        for recipe in (first, baseline)
    }
    course = ", ".join(f"{value:.3g} {recipe} on {name}" for (name, recipe), value in slopes.items())
    return noted(found, f"slopes: {course}")


def equal_work(claim: Claim, runs: pd.DataFrame) -> Estimate:
    """Log ratio of the map errors of the first recipe and the second at the largest n; the third as a remark."""
    first, by_work, by_steps = claim.recipes
    table = errors(runs)
    found = _log_ratio_at_largest_n(table, first, by_work, claim)
    beside = _log_ratio_at_largest_n(table, first, by_steps, claim)
    if not np.isfinite(beside.value):
        return found
    remark = f"at equal steps {beside.value:.3g} [{beside.ci_low:.3g}, {beside.ci_high:.3g}]"
    return noted(found, remark)


def two_points(claim: Claim, runs: pd.DataFrame) -> Estimate:
    """Measured distance over the paper's bound, the smallest over all a < 1/3 of a seed, mean over seeds."""
    unit = "distance / bound"
    (recipe,) = claim.recipes
    table = two_point_runs(runs, recipe)
    below = table[table["excess"] < LARGER_BELOW]
    caveats = Caveats()
    if below.empty:
        caveats.add("missing", f"no runs of {recipe} on two points with a < 1/3")
    for excess, own in table.groupby("excess"):
        caveats.remarks.append(
            f"a = {excess:g}: distance {own['projection'].mean():.4g}, formula {own['formula'].iloc[0]:.4g},"
            f" bound {own['bound'].iloc[0]:.4g}; W1 {own['projection_w1'].mean():.4g}"
        )
    by_seed = (below["projection"] / below["bound"]).groupby(below["seed"]).min()
    return _mean(by_seed, unit, ("two points", recipe), caveats, claim, len(below))


def value_rate(claim: Claim, runs: pd.DataFrame) -> Estimate:
    """Slope of the error of the value against n, mean over the pairs of Gaussians."""
    (recipe,) = claim.recipes
    gaussians = runs[runs["dataset"].str.startswith("gaussian_pair")]
    table, names = _with_rates(gaussians, [recipe], VALUE_ERROR)
    if not names:
        return missing("slope", f"no pair of Gaussians has runs of {recipe} at {MIN_NS} n")
    slope = pooled_rate(table, names, recipe, VALUE_ERROR, rule_of(claim))
    return noted(slope, f"on {', '.join(names)}")


def homotopy(config: Settings, claim: Claim, runs: pd.DataFrame) -> Estimate:
    """Log ratio of the steps that the two kinds of training need for an L2-UVP of `parameters["uvp"]` percent.

    `claim.recipes` are trainings of several lengths, of networks with `homotopy_steps` and without. Steps come from a
    straight line through the logarithms of UVP and length of the two lengths around the threshold; a training that
    is below it at its shortest length, or above it at its longest, has none. Mean over pairs, then over seeds.
    """
    unit = "log ratio of steps"
    ran = [name for name in claim.recipes if name in set(runs["recipe"])]
    caveats = _caveats(runs, "uvp", ran or claim.recipes, claim)
    table = steps_to(budgets(config, ran, runs), claim.parameters["uvp"])
    wide = table.pivot_table(index=["dataset", "seed"], columns="homotopy", values="steps", dropna=False)
    wide = wide.reindex(columns=[True, False]).astype("float64")
    ratios = wide[True].map(np.log) - wide[False].map(np.log)
    absent = int(ratios.isna().sum())
    if len(ratios) and absent > rule_of(claim).max_failed * len(ratios):
        what = f"{absent} of {len(ratios)} pairs of trainings do not reach the threshold between two of their lengths"
        caveats.add("missing", what)
    if len(ratios) > absent:
        means = wide.dropna().apply(np.log).mean()
        caveats.remarks.append(f"{np.exp(means[True]):.0f} steps with homotopy, {np.exp(means[False]):.0f} without")
    by_seed = ratios.dropna().groupby(level="seed").mean()
    return _mean(by_seed, unit, ("homotopy", *ran), caveats, claim, 2 * (len(ratios) - absent))


def composition(claim: Claim, runs: pd.DataFrame) -> Estimate:
    """W2 of the first recipe minus that of the second, at the largest n of each dataset."""
    first, second = claim.recipes
    return _w2_difference(runs, first, second, claim)


def as_a_gan(claim: Claim, runs: pd.DataFrame) -> Estimate:
    """W2 of the first recipe minus that of the second; beside it the third against the second, and failures of each.

    Failed: diverged, timed out or collapsed, with a spread below `claim.parameters["collapse"]`.
    """
    first, second, third = claim.recipes
    found = _w2_difference(runs, first, second, claim)
    remarks = []
    beside = _w2_difference(runs, third, second, claim)
    if np.isfinite(beside.value):
        remarks.append(f"{third} - {second}: {beside.value:.3g} [{beside.ci_low:.3g}, {beside.ci_high:.3g}]")
    spreads = runs[(runs["metric"] == "spread") & runs["recipe"].isin(claim.recipes)]
    judged = spreads.assign(value=spreads["value"].where(spreads["value"] >= claim.parameters["collapse"]))
    for name in (first, third):
        shared = at_largest_n(judged, [name, second])
        names = ordered(shared) if len(shared) else []
        if names:
            remarks.append(failure_difference(shared, names, name, second, "spread", claim.test.level).note)
    return noted(found, *remarks)


def _w2_difference(runs: pd.DataFrame, first: str, second: str, claim: Claim) -> Estimate:
    """At the largest n of the datasets where it is largest, so that one n stands for all."""
    chosen = at_largest_n(runs[runs["metric"] == "w2"], [first, second])
    if chosen.empty:
        return missing("difference of w2", f"{first} and {second} have no dataset and n in common")
    n = int(chosen["n"].max())
    names = ordered(chosen[chosen["n"] == n])
    found = difference(chosen, names, first, second, n, "w2", rule_of(claim))
    rows = chosen[(chosen["n"] == n) & (chosen["status"] == "ok")]
    means = rows.groupby("recipe")["value"].mean()
    if np.isfinite(found.value):
        shown = f"W2 {means[first]:.3g} against {means[second]:.3g}, null {rows['null'].mean():.3g}, at n = {n}"
        return noted(found, shown)
    return found


def _log_ratio_at_largest_n(table: pd.DataFrame, first: str, second: str, claim: Claim) -> Estimate:
    chosen = at_largest_n(table[table["metric"] == MAP_ERROR], [first, second])
    if chosen.empty:
        return missing("log ratio", f"{first} and {second} have no pair and n in common")
    n = int(chosen["n"].max())
    names = ordered(chosen[chosen["n"] == n])
    found = log_ratio(chosen, names, first, second, n, MAP_ERROR, rule_of(claim))
    return noted(found, f"at n = {n} on {', '.join(names)}")


def _with_rates(runs: pd.DataFrame, recipes: Sequence[str], metric: str = MAP_ERROR) -> tuple[pd.DataFrame, list[str]]:
    """The table of errors, and the datasets on which all these recipes share enough n for a rate."""
    table = errors(runs)
    own = table[(table["metric"] == metric) & table["recipe"].isin(recipes)]
    shared = own.groupby(["dataset", "n"])["recipe"].nunique()
    counts = shared[shared == len(set(recipes))].groupby("dataset").size()
    enough = set(counts.index[counts >= MIN_NS])
    return table, [name for name in (ordered(runs) if len(runs) else []) if name in enough]


def _caveats(runs: pd.DataFrame, metric: str, recipes: Sequence[str], claim: Claim) -> Caveats:
    """That these recipes have no runs with a metric, or that too many of them failed."""
    caveats, rule = Caveats(), rule_of(claim)
    for name in recipes:
        own = runs[(runs["recipe"] == name) & (runs["metric"] == metric)]
        if own.empty:
            caveats.add("missing", f"no runs of {name} with {metric}")
        finite = own.assign(value=own["value"].where(~np.isfinite(own["value"]), 1.0))  # of any sign
        caveats.check_runs([panel(finite, dataset, name, metric) for dataset in sorted(set(own["dataset"]))], rule)
    return caveats


def _mean(
    by_seed: pd.Series, unit: str, key: tuple[str | int, ...], caveats: Caveats, claim: Claim, runs: int
) -> Estimate:
    return seed_mean(by_seed.to_numpy(dtype=np.float64), unit, key, caveats, rule_of(claim), runs)


def _finite(rows: pd.DataFrame) -> pd.DataFrame:
    finished: pd.DataFrame = rows[(rows["status"] == "ok") & np.isfinite(rows["value"])]
    return finished

"""How each claim of `capacity` is measured: one function a claim, from the runs to an estimate."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from wgpipe.config import Claim
from wgpipe.stats.comparisons import log_ratio, slope_difference
from wgpipe.stats.estimates import Caveats, Estimate, missing, noted
from wgpipe.stats.intervals import bootstrap, proportion
from wgpipe.stats.panels import panel
from wgpipe.stats.rates import pooled_rate
from wgpipe.stats.seed_means import seed_mean
from wgpipe.studies.arrange import planted
from wgpipe.studies.capacity_runs import DEGREES, agreement, crossings, values, wide
from wgpipe.studies.claims import Measure, rule_of

ROUNDING = 1e-9  # by which a ratio of two float64 sums may exceed 1


def order_of_moments(claim: Claim, runs: pd.DataFrame) -> Estimate:
    """Kendall's correlation of degree and step of learning, mean over the (dataset, n) of a seed, then over seeds.

    `claim.recipes` are one training stopped after the number of steps that ends their names.
    """
    rule, caveats = rule_of(claim), Caveats()
    own = runs[runs["recipe"].isin(claim.recipes)]
    lengths = {name: int(name.rpartition("-")[2]) for name in claim.recipes}
    for recipe in claim.recipes:
        names = sorted(set(own.loc[own["recipe"] == recipe, "dataset"]))
        caveats.check_runs([panel(own, name, recipe, "moment1") for name in names], rule)
        if not names:
            caveats.add("missing", f"no runs of {recipe}")
    learned = crossings(own, lengths, claim.parameters["threshold"])
    taus = learned.groupby(["dataset", "n", "seed"])["step"].agg(agreement)
    by_degree = learned.groupby("degree")["step"].median()
    if len(learned):
        course = ", ".join(f"{step:.3g} for degree {degree}" for degree, step in by_degree.items())
        caveats.remarks.append(f"median steps: {course}")
        starts = learned["step"] <= min(lengths.values())
        if starts.any():
            caveats.remarks.append(f"{starts.mean():.0%} of moments are below the threshold at the first length")
    by_seed = taus.groupby("seed").mean().to_numpy(dtype=np.float64)
    return seed_mean(by_seed, "correlation", ("order", *claim.recipes), caveats, rule, len(taus) * len(lengths))


def slope_without_high_moments(claim: Claim, runs: pd.DataFrame) -> Estimate:
    """Slope of W1, mean over the data that the recipe ran on, from n = `min_n` on; beside it the errors of moments."""
    (recipe,) = claim.recipes
    names = planted(runs, [recipe])
    if not names:
        return missing("slope", f"no runs of {recipe} on planted data")
    kept = runs[runs["n"] >= claim.parameters["min_n"]]
    slope = pooled_rate(kept, names, recipe, rule=rule_of(claim))
    return noted(slope, _moments_at_largest_n(kept, recipe))


def parametric_rate(claim: Claim, runs: pd.DataFrame) -> Estimate:
    """Slope of W1, mean over the planted data that the recipe ran on; beside it the slope of the empirical measure."""
    (recipe,) = claim.recipes
    names = planted(runs, [recipe])
    if not names:
        return missing("slope", f"no runs of {recipe} on planted data")
    slope = pooled_rate(runs, names, recipe, rule=rule_of(claim))
    control = pooled_rate(runs, names, "empirical").value
    remark = f"the empirical measure has {control:.3g}" if np.isfinite(control) else ""
    return noted(slope, remark)


def slopes_equal(claim: Claim, runs: pd.DataFrame) -> Estimate:
    """Slope of the first recipe minus that of the second, mean over the planted data that both ran on.

    Beside it: the log ratio of their W1 at the largest n, and the mean excess of each over the null there.
    """
    first, second = claim.recipes
    names = planted(runs, [first, second])
    if not names:
        return missing("slope difference", f"no planted data have runs of both {first} and {second}")
    difference = slope_difference(runs, names, first, second, rule=rule_of(claim))
    rows = values(runs[runs["dataset"].isin(names) & runs["recipe"].isin(claim.recipes)], "w1")
    last = rows[rows["n"] == rows["n"].max()]
    means = (last["value"] - last["null"]).groupby(last["recipe"]).mean()
    shown = ", ".join(f"{means[name]:.3g} of {name}" for name in claim.recipes if np.isfinite(means.get(name, np.nan)))
    remark = f"excess of W1 over the null at n = {rows['n'].max()}: {shown}" if shown else ""
    return noted(difference, remark)


def neuron_bounds(claim: Claim, runs: pd.DataFrame) -> Estimate:
    """Share of runs in which both bounds between one ReLU neuron and W1 hold along every line."""
    rule, caveats = rule_of(claim), Caveats()
    rows = runs[runs["recipe"].isin(claim.recipes) & (runs["metric"] == "relu_over_w1")]
    table = wide(runs[runs["recipe"].isin(claim.recipes)], ["relu", "relu_over_w1", "w1_over_relu"])
    known = table[table[["relu_over_w1", "w1_over_relu"]].notna().all(axis=1)]
    if rows.empty:
        caveats.add("missing", "no runs with a value of the neuron")
    elif len(known) < (1 - rule.max_failed) * len(rows):
        caveats.add("diverged", f"{len(rows) - len(known)} of {len(rows)} runs have no value of the neuron")
    holds = (known[["relu_over_w1", "w1_over_relu"]] <= 1 + ROUNDING).all(axis=1)
    interval = proportion(int(holds.sum()), len(known), rule.level) if len(known) else None
    if len(known):
        below, above = known["relu_over_w1"].max(), known["w1_over_relu"].max()
        caveats.remarks.append(f"largest R / W1 {below:.3g}, largest W1 / (2(s+1) R) {above:.3g}")
    return caveats.estimate("share of runs", rule, interval, len(known), known["seed"].nunique())


def both_sides_too_strong(claim: Claim, runs: pd.DataFrame) -> Estimate:
    """The smaller of two log ratios of W1 to the target at the smallest common n, mean over data.

    `claim.recipes` are both sides strong, a weaker generator, a weaker critic. The ratios are of the first recipe to
    each of the others; the seeds of both are drawn together. Beside it: the gaps between held-out and training points.
    """
    rule = rule_of(claim)
    names = planted(runs, claim.recipes)
    shared = [_common_n(runs, names, claim.recipes)] if names else []
    if not shared or shared[0] is None:
        return missing("log ratio", f"no planted data have runs of all of {', '.join(claim.recipes)} at one n")
    n, strong = shared[0], claim.recipes[0]
    ratios = [log_ratio(runs, names, strong, other, n, rule=rule) for other in claim.recipes[1:]]
    unfit = next((one for one in ratios if one.status != "ok"), None)
    remarks = [
        f"against {other} {one.value:.3g} [{one.ci_low:.3g}, {one.ci_high:.3g}] at n = {n}"
        for other, one in zip(claim.recipes[1:], ratios, strict=True)
        if np.isfinite(one.value)
    ]
    remarks.append(_gaps(runs, names, claim.recipes, n))
    if unfit is not None:
        return noted(unfit, *remarks)
    logs = np.log(_paired(runs, names, claim.recipes, n))
    rises = np.stack([logs[:, 0] - logs[:, other] for other in range(1, len(claim.recipes))])
    interval = bootstrap(
        lambda weights: np.min([weights @ rise / weights.sum(axis=1) for rise in rises], axis=0),
        rises.shape[1],
        ("too strong", *claim.recipes, n),
        rule.replicates,
        rule.level,
    )
    caveats = Caveats(remarks=[one for one in remarks if one])
    caveats.check_seeds(rises.shape[1], rule)
    return caveats.estimate(
        "log ratio", rule, interval, len(names) * len(claim.recipes) * rises.shape[1], rises.shape[1]
    )


def fooled_critics(claim: Claim, runs: pd.DataFrame) -> Estimate:
    """Mean of log(W1 / null) over the pairs of laws of a seed that critics of degree 2 see as equal, then over seeds.

    A pair that they tell apart counts as 0. Beside it: what critics of higher degree see.
    """
    (recipe,) = claim.recipes
    rule, caveats = rule_of(claim), Caveats()
    own = runs[runs["recipe"] == recipe]
    w1 = values(own, "fooled_w1")[["dataset", "n", "seed", "value", "null"]].dropna(subset=["value", "null"])
    seen = wide(own, [f"fooled_degree{degree}" for degree in DEGREES]).drop(columns="recipe")
    table = w1.merge(seen, on=["dataset", "n", "seed"])
    if table.empty:
        return missing("log(W1 / null)", f"no runs of {recipe} with two laws of equal mean and covariance")
    blind = table[["fooled_degree1", "fooled_degree2"]].max(axis=1) <= claim.parameters["zero"]
    table["log"] = np.where(blind, np.log(table["value"] / table["null"]), 0.0)
    by_seed = table.groupby("seed")["log"].mean().to_numpy(dtype=np.float64)
    caveats.remarks.append(
        f"{int(blind.sum())} of {len(table)} pairs are equal to critics of degree 1 and 2, which see at most"
        f" {table[['fooled_degree1', 'fooled_degree2']].to_numpy().max():.1g}; critics of degree 3 see"
        f" {table['fooled_degree3'].mean():.3g} and W1 is {table['value'].mean():.3g}, on average"
    )
    return seed_mean(by_seed, "log(W1 / null)", ("fooled", recipe), caveats, rule, len(table))


MEASURES: dict[str, Measure] = {
    "cap-order": order_of_moments,
    "cap-lowdeg": slope_without_high_moments,
    "cap-rate": parametric_rate,
    "cap-relu": slopes_equal,
    "cap-relu-form": neuron_bounds,
    "cap-tradeoff": both_sides_too_strong,
    "cap-fooled": fooled_critics,
}


def _moments_at_largest_n(runs: pd.DataFrame, recipe: str) -> str:
    own = runs[runs["recipe"] == recipe]
    last = own[own["n"] == own["n"].max()]
    parts = []
    for degree in DEGREES:
        rows = values(last, f"moment{degree}")
        if rows["value"].notna().any():
            parts.append(f"{rows['value'].median():.2g} (null {rows['null'].median():.2g}) for degree {degree}")
    return f"median errors of moments at n = {own['n'].max()}: {', '.join(parts)}" if parts else ""


def _common_n(runs: pd.DataFrame, names: Sequence[str], recipes: Sequence[str]) -> int | None:
    """The smallest n at which all recipes ran on all data."""
    rows = runs[runs["dataset"].isin(names) & runs["recipe"].isin(recipes) & (runs["metric"] == "w1")]
    counts = rows[["dataset", "recipe", "n"]].drop_duplicates()["n"].value_counts()
    full = counts.index[counts == len(names) * len(recipes)]
    return int(full.min()) if len(full) else None


def _paired(runs: pd.DataFrame, names: Sequence[str], recipes: Sequence[str], n: int) -> np.ndarray:
    """(S, recipes) geometric means over data of W1 at one n, of the seeds that finished all."""
    rows = values(runs[(runs["n"] == n) & runs["dataset"].isin(names) & runs["recipe"].isin(recipes)], "w1")
    table = rows.pivot(index="seed", columns=["recipe", "dataset"], values="value").dropna()
    logs = np.log(np.stack([table[recipe].to_numpy(dtype=np.float64) for recipe in recipes], axis=1))
    return np.asarray(np.exp(logs.mean(axis=2)))


def _gaps(runs: pd.DataFrame, names: Sequence[str], recipes: Sequence[str], n: int) -> str:
    rows = values(runs[(runs["n"] == n) & runs["dataset"].isin(names)], "w1_gap")
    means = rows.groupby("recipe")["value"].mean()
    shown = [f"{means[name]:.3g} for {name}" for name in recipes if np.isfinite(means.get(name, np.nan))]
    return f"held-out minus training W1: {', '.join(shown)}" if shown else ""

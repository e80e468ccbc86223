"""How each claim of `coulomb_images` is measured: one function a claim, from the runs to an estimate."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.stats import kendalltau

from wgpipe.config import Claim
from wgpipe.stats.estimates import Caveats, Estimate, missing, noted, unfit
from wgpipe.stats.seed_means import seed_mean
from wgpipe.studies.claim_means import course, mean_level, mean_of
from wgpipe.studies.claims import Measure, rule_of
from wgpipe.studies.image_runs import CLASSIFIER, COMPARABLE, INCEPTION, PAPER

SPACES = ("pixel", "feature")
ORDER = "Kendall's τ with the published order"
ORDERED = ("celeba-64x64", "lsun_bedroom-64x64")  # on which the paper has all four methods
SMALL = (f"fid:{CLASSIFIER}", f"fid:{INCEPTION}")  # the first that ran


def published_order(claim: Claim, runs: pd.DataFrame) -> Estimate:
    """Of the recipes, given in the published order: by the paper's score on the paper's data, and on no other."""
    rows = runs[(runs["metric"] == f"fid:{INCEPTION}") & (runs["protocol"] == COMPARABLE)]
    rows = rows[rows["dataset"].isin(ORDERED)]
    if rows.empty:
        names = " and ".join(PAPER[name] for name in ORDERED)
        return missing(ORDER, f"no run has {COMPARABLE} on {names}, and no other score stands for it")
    return _order(claim, rows, claim.recipes)


def small_order(claim: Claim, runs: pd.DataFrame) -> Estimate:
    """The same on all other data, by the first extractor that looked at any; the last recipe is the control."""
    *recipes, control = claim.recipes
    others = runs[~runs["dataset"].isin(ORDERED)]
    fid = next((metric for metric in SMALL if metric in set(others["metric"])), SMALL[0])
    rows = others[others["metric"] == fid]
    estimate = noted(_order(claim, rows, recipes), "these are neither the paper's data nor its score")
    means = {name: mean_level(rows, name, fid) for name in claim.recipes}
    best = min((means[name] for name in recipes if np.isfinite(means[name])), default=np.nan)
    if best >= means[control]:
        why = f"the best method has an FID of {best:.3g}, and normal points of the data's moments {means[control]:.3g}"
        return unfit(estimate, why)
    return estimate


def classes(claim: Claim, runs: pd.DataFrame) -> Estimate:
    """Classes that the first recipe makes about as often as the data; the others stand beside it."""
    first, *others = claim.recipes
    estimate = mean_of(claim, runs, [first], "classes_balanced", "balanced classes")
    estimate = _of_images(claim, runs, estimate)
    remarks = [course(runs, first, metric) for metric in ("class_imbalance", "confident")]
    return noted(estimate, *remarks, *(course(runs, name, "classes_balanced") for name in others))


def support_size(claim: Claim, runs: pd.DataFrame) -> Estimate:
    """log of the support by the birthday test over that of as many real images."""
    estimate = mean_of(
        claim,
        runs,
        claim.recipes,
        "image_birthday_support",
        "log(support / real support)",
        lambda rows: np.log(rows["value"] / rows["null"]),
    )
    sizes = course(runs, claim.recipes[0], "image_birthday_size")
    return noted(_of_images(claim, runs, estimate), sizes)


def copies(claim: Claim, runs: pd.DataFrame) -> Estimate:
    """Of the nearest-neighbour ratios in pixels and in features, the one whose interval reaches lower.

    On the datasets and n where the last recipe, a control that copies, is found out.
    """
    *recipes, control = claim.recipes
    rows = runs[runs["metric"].isin(f"{space}_neighbour_ratio" for space in SPACES)]
    copied = rows[rows["recipe"] == control].groupby(["dataset", "n"])["value"].mean()
    able = set(copied.index[copied <= claim.parameters["found"]])
    fit = rows[[cell in able for cell in zip(rows["dataset"], rows["n"], strict=True)]]
    used = fit if len(fit) else rows
    ratios = {
        space: mean_of(claim, used, recipes, f"{space}_neighbour_ratio", f"nearest-neighbour ratio in {space}s")
        for space in SPACES
    }
    unusable = [ratio for ratio in ratios.values() if ratio.status != "ok"]
    if unusable:
        return unusable[0]
    told = "; ".join(f"{space}s {one.value:.3g} [{one.ci_low:.3g}, {one.ci_high:.3g}]" for space, one in ratios.items())
    estimate = noted(min(ratios.values(), key=lambda one: one.ci_low), told)
    if copied.empty:
        return unfit(estimate, f"no run of the control {control}, which copies")
    return (
        estimate if len(fit) else unfit(estimate, f"copies have a ratio of {copied.mean():.3g} and are not found out")
    )


MEASURES: dict[str, Measure] = {
    "cou-image": published_order,
    "cou-image-small": small_order,
    "cou-modes-images": classes,
    "cou-support-images": support_size,
    "cou-memorise-images": copies,
}


def _of_images(claim: Claim, runs: pd.DataFrame, estimate: Estimate) -> Estimate:
    """Unfit where the classifier is sure of too few images of the claim's first recipe."""
    sure, least = mean_level(runs, claim.recipes[0], "confident"), claim.parameters["quality"]
    if sure < least:
        return unfit(estimate, f"the classifier is sure of {sure:.0%} of the images, and counting asks for {least:.0%}")
    return estimate


def _order(claim: Claim, rows: pd.DataFrame, recipes: list[str]) -> Estimate:
    """Kendall's τ of the recipes' scores with the order they are given in, by seed, mean over datasets."""
    rule, caveats = rule_of(claim), Caveats()
    asked = rows[rows["recipe"].isin(recipes)]
    lost = [name for name in recipes if name not in set(asked["recipe"])]
    if lost:
        return missing(ORDER, f"no runs of {', '.join(lost)} have the score")
    good = asked[(asked["status"] == "ok") & np.isfinite(asked["value"])]
    failed = len(asked) - len(good)
    if failed > rule.max_failed * len(asked):
        caveats.add("diverged", f"{failed} of {len(asked)} runs have no finite score")
    elif failed:
        caveats.remarks.append(f"{failed} of {len(asked)} runs failed, and their seeds are left out")
    largest = good[good["n"] == good.groupby("dataset")["n"].transform("max")]
    wide = largest.pivot_table(index=["seed", "dataset"], columns="recipe", values="value").reindex(columns=recipes)
    wide = wide.dropna()
    taus = pd.Series([kendalltau(np.arange(len(recipes)), row).statistic for row in wide.to_numpy()], wide.index)
    datasets = sorted(set(asked["dataset"]))
    by_seed = taus.groupby("seed").mean()[taus.groupby("seed").size() == len(datasets)]
    caveats.remarks.append(f"mean over {', '.join(datasets)}")
    means = largest.groupby(["dataset", "recipe"])["value"].mean()
    for dataset in datasets:
        found = means.get(dataset)
        if found is not None:
            ranked = found.reindex(recipes).dropna().sort_values()
            caveats.remarks.append(f"{dataset}: " + ", ".join(f"{name} {value:.3g}" for name, value in ranked.items()))
    return seed_mean(by_seed.to_numpy(dtype=np.float64), ORDER, ("order", *recipes), caveats, rule, len(largest))

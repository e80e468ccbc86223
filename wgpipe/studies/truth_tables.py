"""Tables of scores against the truth: one a family of pairs, a summary, and how each was measured."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import pandas as pd

from wgpipe.config import Study as Settings
from wgpipe.metrics.field import SEPARATOR
from wgpipe.stats.intervals import Interval
from wgpipe.studies import arrange, style
from wgpipe.studies.published_scores import published_uvp, published_w1
from wgpipe.studies.truth_scores import Kind, finished, largest_n, of_kind, score_table, truths

W1_METRICS = {
    "cos": "gradient_cos",
    "l2": "gradient_l2",
    "cos_formula": "gradient_cos_published",
    "l2_formula": "gradient_l2_published",
    "ceiling": "gradient_cos_ceiling",
    "w1": "w1_estimate",
    "w1_error": "w1_error",
}
W2_METRICS = {"uvp": "uvp", "uvp_inverse": "uvp_inverse", "cost": "w2_estimate", "cost_error": "w2_error"}
LINE_METRICS = {"cos": "gradient_cos", "w1": "w1_estimate", "w1_error": "w1_error", **W2_METRICS}
SCORES: tuple[tuple[Kind, str, bool], ...] = (  # family, metric, and whether more of it is better
    ("w1", "gradient_cos", True),
    ("w2", "uvp", False),
    ("gaussian", "uvp", False),
    ("line", "gradient_cos", True),
    ("line", "uvp", False),
)
SUMMARY = ["family", "rank", "recipe", "method", "metric", "score", "ci_low", "ci_high", "seeds", "datasets"]


def w1_table(config: Settings, runs: pd.DataFrame) -> pd.DataFrame:
    """Critics on pairs of cost |x - y|, each score with its interval, and beside it what is published of one seed.

    `_formula`: by the published formula, so comparable with `_published`; `ceiling`: what the true direction scores by
    it. `_difference` is ours minus published, with the interval of ours.
    """
    table = score_table(config, runs, of_kind(runs, "w1"), W1_METRICS)
    table["w1_true"] = truths(runs, table, "w1_true")
    for column, ours in (("cos", "cos_formula"), ("l2", "l2_formula"), ("w1", "w1")):
        table = _with_difference(table, ours, column, _published(table, partial(published_w1, column=column)))
    return table


def w2_table(config: Settings, runs: pd.DataFrame) -> pd.DataFrame:
    """Maps on pairs of cost |x - y|²/2: L2-UVP in percent, published row beside, and the cost of the map."""
    table = _maps(config, runs, "w2")
    return _with_difference(table, "uvp", "uvp", _published(table, published_uvp))


def gaussian_table(config: Settings, runs: pd.DataFrame) -> pd.DataFrame:
    """Maps between Gaussians, where map and cost are Bures's, over the dimension."""
    return _maps(config, runs, "gaussian")


def line_table(config: Settings, runs: pd.DataFrame) -> pd.DataFrame:
    """Critics and maps on the line, where quantiles give the truth for both costs, and the example of two points."""
    table = score_table(config, runs, of_kind(runs, "line"), LINE_METRICS)
    return table.assign(w1_true=truths(runs, table, "w1_true"), cost_true=truths(runs, table, "w2_true"))


def summary_table(config: Settings, runs: pd.DataFrame) -> pd.DataFrame:
    """One row a family of pairs, score and recipe: its mean over the pairs that every recipe with this score ran on.

    A seed's score is its mean over these pairs; the interval is Student's over seeds. Where no pair
    is shared by all, there is no rank.
    """
    parts, runs = [], largest_n(runs)
    for kind, metric, more in SCORES:
        pairs = of_kind(runs, kind)
        scored = finished(runs[runs["dataset"].isin(pairs)], metric)
        ran = {str(recipe): set(own["dataset"]) for recipe, own in scored.groupby("recipe")}
        shared = [name for name in pairs if all(name in names for names in ran.values())]
        rows = []
        for recipe in arrange.recipes(config, scored):
            chosen = shared or [name for name in pairs if name in ran[recipe]]
            score, seeds = _mean_over(scored[scored["recipe"] == recipe], chosen)
            about = (recipe, arrange.method(config, recipe), metric)
            rows.append((kind, *about, score.value, score.low, score.high, seeds, " ".join(chosen)))
        part = pd.DataFrame(rows, columns=[name for name in SUMMARY if name != "rank"])
        rank = part["score"].rank(ascending=not more, method="min") if shared else pd.Series(np.nan, part.index)
        parts.append(part.assign(rank=rank.astype("Int64")).sort_values("rank", kind="stable"))
    return pd.concat(parts, ignore_index=True)[SUMMARY].astype(dict.fromkeys(("score", "ci_low", "ci_high"), "float64"))


def protocol_table(runs: pd.DataFrame) -> pd.DataFrame:
    """How each metric was measured on each dataset; the many quantities of a field are one."""
    named = runs.assign(metric=runs["metric"].where(~runs["metric"].str.contains(SEPARATOR), "field"))
    return named[["dataset", "metric", "protocol"]].drop_duplicates().sort_values(["dataset", "metric", "protocol"])


def _maps(config: Settings, runs: pd.DataFrame, kind: Kind) -> pd.DataFrame:
    table = score_table(config, runs, of_kind(runs, kind), W2_METRICS)
    table["cost_true"] = truths(runs, table, "w2_true")
    return table


def _published(table: pd.DataFrame, lookup: Callable[[str, str], float]) -> list[float]:
    return [lookup(dataset, recipe) for dataset, recipe in zip(table["dataset"], table["recipe"], strict=True)]


def _with_difference(table: pd.DataFrame, ours: str, column: str, published: list[float]) -> pd.DataFrame:
    """Adds `<column>_published`, and `<column>_difference` of `ours` with its interval."""
    beside = np.asarray(published, dtype=np.float64)
    difference = {f"{column}_difference{end}": table[f"{ours}{end}"] - beside for end in ("", "_low", "_high")}
    return table.assign(**{f"{column}_published": beside}, **difference)


def _mean_over(scored: pd.DataFrame, datasets: list[str]) -> tuple[Interval, int]:
    """Mean over datasets, then over the seeds that have a score on each of them; and how many seeds these are."""
    own = scored[scored["dataset"].isin(datasets)]
    by_seed = own.groupby("seed")["value"].agg(["mean", "size"])
    whole = by_seed.loc[by_seed["size"] == len(datasets), "mean"].to_numpy(dtype=np.float64)
    if not len(whole):
        return Interval(np.nan, np.nan, np.nan), 0
    return Interval(float(whole.mean()), *style.t_interval(whole)), len(whole)

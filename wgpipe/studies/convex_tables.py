"""Tables of `convex_potentials`: maps, rates, values, moments, work, and the smaller experiments."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from wgpipe.config import Study as Settings
from wgpipe.data import dataset
from wgpipe.data.two_point import TwoPoint
from wgpipe.stats.intervals import proportion
from wgpipe.stats.rates import fit_rate
from wgpipe.studies import arrange
from wgpipe.studies.convex_runs import (
    MAP_ERROR,
    RUN,
    SQUARED_ERROR,
    VALUE_ERROR,
    at_largest_n,
    dual_runs,
    errors,
    true_costs,
)
from wgpipe.studies.convex_work import generates, passes, recipe
from wgpipe.studies.truth_scores import cells, finished, mean, score_table, truths
from wgpipe.theory.two_point import paper_bound, projection

MAPS = {"uvp": "uvp", "uvp_inverse": "uvp_inverse", "cost": "w2_estimate"}
MOMENTS = {"tangent_residual": "tangent_residual", "moment_residual": "moment_residual"}
GANS = {
    "w2": "w2",
    "spread": "spread",
    "modes": "modes_captured",
    "balanced": "modes_balanced",
    "high_quality": "high_quality",
}
SHORTEST, LONGEST = "below at the shortest", "above at the longest"


def map_table(config: Settings, runs: pd.DataFrame) -> pd.DataFrame:
    """Every map at every n: L2-UVP in percent, forward and inverse, and cost beside the optimal one."""
    maps = runs[runs["dataset"].isin(true_costs(runs).index)]
    with_map = maps.merge(maps.loc[maps["metric"] == "uvp", RUN].drop_duplicates(), on=RUN)
    table = score_table(config, with_map, arrange.datasets(with_map) if len(with_map) else [], MAPS)
    return table.assign(cost_true=truths(runs, table, "w2_true"))


def rate_table(config: Settings, runs: pd.DataFrame) -> pd.DataFrame:
    """Slopes of the map error, of its square, and of the error of the value, with all that qualifies them."""
    table, rows = errors(runs), []
    for metric in (MAP_ERROR, SQUARED_ERROR, VALUE_ERROR):
        own = table[table["metric"] == metric]
        for name in arrange.datasets(own) if len(own) else []:
            on_it = own[own["dataset"] == name]
            for one in arrange.recipes(config, on_it):
                if on_it.loc[on_it["recipe"] == one, "n"].nunique() < 2:
                    continue
                rate = fit_rate(own, name, one, metric)
                rows.append(
                    {
                        "dataset": name,
                        "recipe": one,
                        "metric": metric,
                        "slope": rate.slope,
                        "ci_low": rate.ci_low,
                        "ci_high": rate.ci_high,
                        "ns_used": " ".join(map(str, rate.ns)),
                        "seeds": rate.seeds,
                        "runs": rate.runs,
                        "floor": rate.floor.floor if rate.floor else np.nan,
                        "floor_share": rate.floor.share if rate.floor else np.nan,
                        "floor_significant": rate.floor.significant if rate.floor else None,
                        "status": rate.status,
                        "note": rate.note,
                    }
                )
    return pd.DataFrame(rows, columns=RATES)


RATES = ["dataset", "recipe", "metric", "slope", "ci_low", "ci_high", "ns_used", "seeds", "runs", "floor"]
RATES += ["floor_share", "floor_significant", "status", "note"]


def value_table(config: Settings, runs: pd.DataFrame) -> pd.DataFrame:
    """V(f) at held-out points beside its gap and their optimal cost, and at the training sample beside ½W2².

    `held`: share of runs with V - gap <= cost, with Wilson's interval; `loose` counts those above it without the gap.
    """
    columns = {"dual": "dual", "gap": "dual_gap", "cost": "dual_cost", "sample": "dual_sample"}
    table = score_table(config, runs, arrange.datasets(runs) if len(runs) else [], columns)
    each = dual_runs(runs)
    rows = []
    for row in table.to_dict("records"):
        own = each[np.logical_and.reduce([each[name] == row[name] for name in ("dataset", "recipe", "n")])]
        known = own[own["excess"].notna()]
        share = proportion(int((known["excess"] <= 0).sum()), len(known))
        rows.append(
            {
                "excess": known["excess"].mean(),
                "largest_excess": known["excess"].max(),
                **cells("held", share),
                "loose": int((known["loose"] > 0).sum()),
            }
        )
    names = ["excess", "largest_excess", "held", "held_low", "held_high", "loose"]
    return pd.concat([table, pd.DataFrame(rows, columns=names)], axis=1).assign(w2_true=truths(runs, table, "w2_true"))


def moment_table(config: Settings, runs: pd.DataFrame) -> pd.DataFrame:
    """Residuals of the tangent moments and of means and second moments; `sampling` = n^(-1/2) beside them."""
    table = score_table(config, runs, arrange.datasets(runs) if len(runs) else [], MOMENTS)
    return table.assign(sampling=table["n"].astype("float64") ** -0.5)


def work_table(config: Settings, runs: pd.DataFrame) -> pd.DataFrame:
    """Passes through a network, a step and in all, as a multiple of the first recipe's, and what they lead to.

    Ratios of steps are those of the recipes as the study lists them; a scale keeps them.
    """
    table = errors(runs)
    wide = pd.concat([table[table["metric"] == MAP_ERROR], runs[runs["metric"] == "w2"]], ignore_index=True)
    rows = []
    for name in arrange.datasets(wide) if len(wide) else []:
        on_it = wide[wide["dataset"] == name]
        for one in arrange.recipes(config, on_it):
            own = at_largest_n(on_it, [one])
            if one not in config.recipes or not passes(recipe(config, one)):
                continue
            settings = recipe(config, one)
            rows.append(
                {
                    "dataset": name,
                    "recipe": one,
                    "n": int(own["n"].iloc[0]),
                    "passes_per_step": passes(settings),
                    "steps": settings.training.steps,
                    "passes": passes(settings) * settings.training.steps,
                    **cells("map_error", mean(own, MAP_ERROR)),
                    **cells("w2", mean(own, "w2")),
                    "seeds": own.loc[own["status"] == "ok", "seed"].nunique(),
                }
            )
    ends = [f"{column}{end}" for column in ("map_error", "w2") for end in ("", "_low", "_high")]
    columns = ["dataset", "recipe", "n", "passes_per_step", "steps", "passes", *ends, "seeds"]
    return pd.DataFrame(rows, columns=columns)


def two_point_runs(runs: pd.DataFrame, one: str) -> pd.DataFrame:
    """One row a seed of each two-point law: a, both measured distances, the formula for one and the paper's bound."""
    rows = finished(runs, "projection")
    rows = rows[rows["recipe"] == one].drop_duplicates(["dataset", "seed"])
    beside = finished(runs, "projection_w1")
    beside = beside[beside["recipe"] == one].drop_duplicates(["dataset", "seed"])
    laws = {name: dataset(name) for name in sorted(set(rows["dataset"]))}
    excess = {name: law.excess for name, law in laws.items() if isinstance(law, TwoPoint)}
    keys = ["dataset", "seed"]
    table = rows[[*keys, "value"]].rename(columns={"value": "projection"})
    table = table.merge(beside[[*keys, "value"]].rename(columns={"value": "projection_w1"}), on=keys, how="left")
    table["excess"] = table["dataset"].map(excess).astype("float64")
    table["formula"] = table["excess"].map(projection)
    table["bound"] = table["excess"].map(paper_bound)
    return table.sort_values(["excess", "seed"], ignore_index=True)


def two_point_table(config: Settings, runs: pd.DataFrame) -> pd.DataFrame:
    """Distance of two points to what even potentials reach: measured, derived, and the paper's bound; |v| = 1."""
    rows = []
    for one in config.recipes:
        for excess, own in two_point_runs(runs, one).groupby("excess"):
            values = [own.assign(metric="m", status="ok", value=own[name]) for name in ("projection", "projection_w1")]
            rows.append(
                {
                    "excess": excess,
                    **cells("projection", mean(values[0], "m")),
                    "formula": own["formula"].iloc[0],
                    "bound": own["bound"].iloc[0],
                    **cells("projection_w1", mean(values[1], "m")),
                    "seeds": len(own),
                }
            )
    names = [f"{column}{end}" for column in ("projection", "projection_w1") for end in ("", "_low", "_high")]
    columns = ["excess", *names[:3], "formula", "bound", *names[3:], "seeds"]
    return pd.DataFrame(rows, columns=columns).drop_duplicates("excess").sort_values("excess")


def budgets(config: Settings, names: Sequence[str], runs: pd.DataFrame) -> pd.DataFrame:
    """One row a finished run of these recipes: dataset, seed, whether its network grows, length of training, L2-UVP."""
    rows = finished(runs, "uvp")
    rows = rows[rows["recipe"].isin(names)]
    settings = {name: recipe(config, name) for name in names}
    grows = {name: bool(one.critic and one.critic.settings.get("homotopy_steps")) for name, one in settings.items()}
    return pd.DataFrame(
        {
            "dataset": rows["dataset"],
            "seed": rows["seed"],
            "recipe": rows["recipe"],
            "homotopy": rows["recipe"].map(grows).astype(bool),
            "length": rows["recipe"].map({name: one.training.steps for name, one in settings.items()}),
            "uvp": rows["value"],
        }
    ).sort_values(["dataset", "homotopy", "length", "seed"], ignore_index=True)


def steps_to(table: pd.DataFrame, threshold: float) -> pd.DataFrame:
    """Of `budgets`: dataset, homotopy, seed -> `steps` at which the UVP falls below a threshold, or a note why not."""
    rows = []
    for (name, grows, seed), own in table.groupby(["dataset", "homotopy", "seed"]):
        lengths, uvps = own["length"].to_numpy(dtype=np.float64), own["uvp"].to_numpy(dtype=np.float64)
        below = np.flatnonzero(uvps <= threshold)
        steps, note = np.nan, LONGEST
        if len(below) and below[0] == 0:
            note = SHORTEST
        elif len(below):
            last = below[0]
            share = np.log(uvps[last - 1] / threshold) / np.log(uvps[last - 1] / uvps[last])
            steps, note = float(lengths[last - 1] * (lengths[last] / lengths[last - 1]) ** share), ""
        rows.append({"dataset": name, "homotopy": grows, "seed": seed, "steps": steps, "note": note})
    return pd.DataFrame(rows, columns=["dataset", "homotopy", "seed", "steps", "note"])


def homotopy_table(config: Settings, runs: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """L2-UVP in percent by length of training, of networks that are whole from the start and of those that grow."""
    rows = []
    groups = ["dataset", "homotopy", "length", "recipe"]
    for key, own in budgets(config, names, runs).groupby(groups):
        values = own.assign(metric="uvp", status="ok", value=own["uvp"])
        rows.append({**dict(zip(groups, key, strict=True)), **cells("uvp", mean(values, "uvp")), "seeds": len(own)})
    return pd.DataFrame(rows, columns=[*groups, "uvp", "uvp_low", "uvp_high", "seeds"])


def gan_table(config: Settings, runs: pd.DataFrame, collapse: float) -> pd.DataFrame:
    """Generators beside their data: W2 with its null, spread, modes where there are any; runs that failed are counted.

    `collapsed`: finished with a spread below `collapse`.
    """
    generators = [name for name in config.recipes if generates(recipe(config, name))]
    table = score_table(config, runs[runs["recipe"].isin(generators)], _generated(runs, generators), GANS)
    nulls = runs[runs["metric"] == "w2"].groupby(["dataset", "n"])["null"].mean()
    spreads = finished(runs, "spread")
    fallen = spreads[spreads["value"] < collapse].groupby(["dataset", "recipe", "n"]).size()
    table["w2_null"] = [float(nulls.get(key, np.nan)) for key in zip(table["dataset"], table["n"], strict=True)]
    keys = zip(table["dataset"], table["recipe"], table["n"], strict=True)
    table["collapsed"] = [int(fallen.get(key, 0)) for key in keys]
    return table


def _generated(runs: pd.DataFrame, generators: Sequence[str]) -> list[str]:
    own = runs[runs["recipe"].isin(generators)]
    return arrange.datasets(own) if len(own) else []

"""Tables of the study `coulomb_images`."""

from __future__ import annotations

from collections.abc import Hashable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from wgpipe.config import Study as Settings
from wgpipe.studies import arrange
from wgpipe.studies.coulomb_runs import mean, named
from wgpipe.studies.coulomb_tables import mean_table
from wgpipe.studies.image_runs import COMPARABLE, PAPER, SCORES, extractors, published, scored
from wgpipe.studies.tables import escape, latex_interval, latex_number, write_latex
from wgpipe.studies.truth_scores import cells

CHECKS = {
    "classes_balanced": "classes_balanced",
    "class_imbalance": "class_imbalance",
    "confident": "confident",
    "birthday_size": "image_birthday_size",
    "support": "image_birthday_support",
    "pixel_neighbours": "pixel_neighbour_ratio",
    "feature_neighbours": "feature_neighbour_ratio",
    "feature_w1": "feature_w1",
    "feature_w2": "feature_w2",
}
DETAILS = ["dataset", "recipe", "n", "score", "extractor", "value", "value_low", "value_high"]
FACTS = ["floor", "seeds", "failed", "protocol"]


def detail_table(config: Settings, runs: pd.DataFrame) -> pd.DataFrame:
    """Every score of each dataset, recipe and n with its interval over seeds, its floor (real data) and protocol."""
    given = scored(runs)
    rows: list[dict[str, object]] = []
    keys = [(dataset, extractor) for dataset in _datasets(given) for extractor in extractors(given)]
    for dataset, extractor in keys:
        on_it = given[(given["dataset"] == dataset) & (given["extractor"] == extractor)]
        recipes = [arrange.NULL_CONTROL, *arrange.recipes(config, on_it)] if len(on_it) else []
        for score in SCORES:
            for recipe in recipes:
                its = on_it[(on_it["score"] == score) & (on_it["recipe"] == recipe)]
                for (n, protocol), own in its.groupby(["n", "protocol"]):
                    good = own[(own["status"] == "ok") & np.isfinite(own["value"])]
                    row = {"dataset": dataset, "recipe": named(recipe), "n": n, "score": score, "extractor": extractor}
                    row |= cells("value", mean(good["value"]))
                    row |= {"floor": mean(own["null"]).value, "seeds": good["seed"].nunique(), "protocol": protocol}
                    rows.append({**row, "failed": own["seed"].nunique() - good["seed"].nunique()})
    return pd.DataFrame(rows, columns=[*DETAILS, *FACTS])


def score_table(config: Settings, details: pd.DataFrame) -> pd.DataFrame:
    """The paper's form: a row a method, a column a dataset and score with its interval, then the published FIDs.

    Scores by other extractors or fewer images than the published ones have columns of their own, named by protocol.
    """
    fids = details[details["score"] == "fid"]
    fids = fids[fids["n"] == fids.groupby(["dataset", "recipe"])["n"].transform("max")]
    every = [named(name) for name in (arrange.NULL_CONTROL, *config.recipes, *config.controls)]
    recipes = [name for name in dict.fromkeys(every) if name in set(fids["recipe"])]
    columns: dict[str, list[object]] = {"method": list(recipes)}
    for name, own in _columns(fids):
        found = own.drop_duplicates("recipe").set_index("recipe")
        for end in ("", "_low", "_high"):
            columns[name + end] = found[f"value{end}"].reindex(recipes).tolist()
    for dataset in PAPER.values():
        columns[published_column(dataset)] = [published(recipe, dataset) for recipe in recipes]
    return pd.DataFrame(columns)


def check_table(config: Settings, runs: pd.DataFrame) -> pd.DataFrame:
    """Classes, birthday and nearest-neighbour tests and exact distances in feature space; real data come first."""
    return mean_table(config, runs, CHECKS, CHECKS["feature_w1"])


def published_column(dataset: str) -> str:
    """How a column of published scores is called."""
    return f"published: {dataset} {COMPARABLE}"


def write_scores_latex(details: pd.DataFrame, table: pd.DataFrame, folder: Path) -> None:
    """scores.tex: the best of our trained methods in each column in bold, published scores to the right."""
    own = [name for name, _ in _columns(details[details["score"] == "fid"])]
    theirs = [published_column(dataset) for dataset in PAPER.values()]
    real = named(arrange.NULL_CONTROL)
    others = {real, "empirical"}
    least = table[~table["method"].isin(others)][own].min()
    header = ["method", "", *(rf"{escape(name)} [95\,\%]" for name in own), *map(escape, theirs)]
    rows = [
        [
            escape(str(row["method"])),
            "floor" if row["method"] == real else "",
            *(_interval(row, name, row["method"] not in others and row[name] == least[name]) for name in own),
            *(latex_number(float(row[name]), 1) for name in theirs),
        ]
        for row in table.to_dict("records")
    ]
    write_latex(header, [rows], folder, "scores")


def _interval(row: dict[Hashable, Any], column: str, best: bool) -> str:
    value, low, high = (float(row[f"{column}{end}"]) for end in ("", "_low", "_high"))
    return latex_interval(value, low, high, best, digits=2)


def _columns(fids: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    """Rows of each column of the score table, by its name: `mnist-14x14 fid[classifier-1a2b3c4d,n=2000,test]`."""
    groups = fids.groupby(["dataset", "protocol"], sort=False)
    return [(f"{dataset} {protocol}", own) for (dataset, protocol), own in groups]


def _datasets(rows: pd.DataFrame) -> list[str]:
    return arrange.datasets(rows) if len(rows) else []

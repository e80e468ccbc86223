"""Generators with one latent dimension are curves: Stéphanovitch et al. 2022, arXiv 2201.02824."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from wgpipe.config import Study as Settings
from wgpipe.registry import register
from wgpipe.studies import Study, style
from wgpipe.studies.claims import ClaimRow, judge_claims
from wgpipe.studies.curve_figures import draw_curves, draw_speed, draw_total, draw_trained
from wgpipe.studies.curve_runs import constructed
from wgpipe.studies.curve_tables import (
    length_table,
    optimal_table,
    trained_table,
    write_length_latex,
    write_trained_latex,
)
from wgpipe.studies.length_figures import draw_lengths
from wgpipe.studies.rate_tables import CONTROL, protocol_table, rate_table, run_table
from wgpipe.studies.tables import write_csv
from wgpipe.studies.univariate_claims import MEASURES


@register("univariate", cites=("stephanovitch2022",))
class Univariate(Study):
    """Curves of given speed through samples against the formula for the best ones, and trained ones beside them."""

    def build(self, config: Settings, runs: pd.DataFrame, folder: Path) -> list[ClaimRow]:
        folder.mkdir(parents=True, exist_ok=True)
        runs = runs.sort_values(["dataset", "recipe", "n", "seed", "metric"], ignore_index=True)
        numbers = runs[~runs["metric"].str.startswith("trace")]
        rates = rate_table(config, numbers, alpha=np.nan)
        recipe, min_n = _of_lengths(config)
        lengths = length_table(numbers, recipe, min_n)
        learned = trained_table(config, numbers)
        tables = {
            "runs": run_table(config, numbers),
            "protocols": protocol_table(numbers),
            "optimal": optimal_table(config, numbers),
            "trained": learned,
            "lengths": lengths,
            "rates": rates.drop(columns="bound", errors="ignore"),
        }
        for name, table in tables.items():
            write_csv(table, folder, name)
        write_trained_latex(learned, folder)
        write_length_latex(lengths, folder)
        with style.paper():
            draw_curves(config, runs, folder)
            draw_speed(config, numbers, folder)
            draw_lengths(config, numbers, lengths, recipe, folder)
            draw_trained(config, numbers, folder)
            draw_total(config, numbers, CONTROL, folder)
        return judge_claims(config, MEASURES, numbers)


def _of_lengths(config: Settings) -> tuple[str, float]:
    """The recipe and the least n that the claim about S(n) speaks of; without it, the first constructed curve."""
    claim = config.claims.get("uni-length")
    return (claim.recipes[0], claim.parameters["min_n"]) if claim else (constructed(config)[0], 1)

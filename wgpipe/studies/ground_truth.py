"""Critics and maps against exact transport: the pairs of Korotin et al. 2021 and 2022, Gaussians, and the line."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from wgpipe.config import Study as Settings
from wgpipe.registry import register
from wgpipe.studies import Study, style
from wgpipe.studies.claims import ClaimRow, judge_claims
from wgpipe.studies.field_figures import draw_gradients, draw_maps
from wgpipe.studies.tables import write_csv
from wgpipe.studies.truth_figures import draw_dimension
from wgpipe.studies.truth_latex import LINE_COLUMNS, MAP_COLUMNS, W1_COLUMNS, W2_COLUMNS, write_scores
from wgpipe.studies.truth_tables import (
    gaussian_table,
    line_table,
    protocol_table,
    summary_table,
    w1_table,
    w2_table,
)


@register("ground_truth", cites=("korotin2021", "korotin2022"))
class GroundTruth(Study):
    """Gradients, distances and maps beside their true values, and beside the published scores of the same methods."""

    def build(self, config: Settings, runs: pd.DataFrame, folder: Path) -> list[ClaimRow]:
        folder.mkdir(parents=True, exist_ok=True)
        runs = runs.sort_values(["dataset", "recipe", "n", "seed", "metric"], ignore_index=True)
        tables = {
            "w1": (w1_table(config, runs), W1_COLUMNS),
            "w2": (w2_table(config, runs), W2_COLUMNS),
            "gaussian": (gaussian_table(config, runs), MAP_COLUMNS),
            "line": (line_table(config, runs), LINE_COLUMNS),
        }
        for name, (table, columns) in tables.items():
            write_csv(table, folder, name)
            write_scores(table, columns, folder, name)
        write_csv(summary_table(config, runs), folder, "summary")
        write_csv(protocol_table(runs), folder, "protocols")
        with style.paper():
            draw_dimension(config, runs, folder)
            draw_gradients(config, runs, folder)
            draw_maps(config, runs, folder)
        return judge_claims(config, {}, runs)

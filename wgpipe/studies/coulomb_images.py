"""Coulomb GANs on images: Unterthiner et al. 2018, arXiv 1708.08819."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from wgpipe.config import Study as Settings
from wgpipe.metrics.picture_file import Pictures
from wgpipe.registry import register
from wgpipe.studies import Study, style
from wgpipe.studies.claims import ClaimRow, judge_claims
from wgpipe.studies.image_claims import MEASURES
from wgpipe.studies.image_figures import draw_checks, draw_neighbours, draw_samples, draw_scores
from wgpipe.studies.image_tables import check_table, detail_table, score_table, write_scores_latex
from wgpipe.studies.rate_tables import protocol_table, run_table
from wgpipe.studies.tables import write_csv


@register("coulomb_images", cites=("unterthiner2018", "heusel2017", "arora2018"))
class CoulombImages(Study):
    """Image scores in the form of the paper's table, and modes, copies and support of what generators make."""

    def build(self, config: Settings, runs: pd.DataFrame, folder: Path) -> list[ClaimRow]:
        folder.mkdir(parents=True, exist_ok=True)
        runs = runs.sort_values(["dataset", "recipe", "n", "seed", "metric"], ignore_index=True)
        details = detail_table(config, runs)
        scores = score_table(config, details)
        tables = {
            "scores": scores,
            "details": details,
            "checks": check_table(config, runs),
            "runs": run_table(config, runs),
            "protocols": protocol_table(runs),
        }
        for name, table in tables.items():
            write_csv(table, folder, name)
        write_scores_latex(details, scores, folder)
        with style.paper():
            draw_scores(config, runs, folder)
            draw_checks(config, runs, folder)
        return judge_claims(config, MEASURES, runs)

    def draw_pictures(self, config: Settings, pictures: Sequence[Pictures], folder: Path) -> None:
        """`samples` and `neighbours`."""
        with style.paper():
            draw_samples(config, pictures, folder)
            draw_neighbours(config, pictures, folder)

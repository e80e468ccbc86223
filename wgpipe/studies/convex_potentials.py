"""The 2-Wasserstein distance over restricted convex potentials: Taghvaei & Jalali 2019, arXiv 1902.07197."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from wgpipe.config import Study as Settings
from wgpipe.registry import register
from wgpipe.studies import Study, style
from wgpipe.studies.claims import ClaimRow, judge_claims
from wgpipe.studies.convex_claims import measures
from wgpipe.studies.convex_examples import draw_gans, draw_homotopy, draw_two_point, draw_work
from wgpipe.studies.convex_figures import draw_moments, draw_rates, draw_values
from wgpipe.studies.convex_latex import write_gans, write_maps, write_rates
from wgpipe.studies.convex_tables import (
    budgets,
    gan_table,
    homotopy_table,
    map_table,
    moment_table,
    rate_table,
    two_point_table,
    value_table,
    work_table,
)
from wgpipe.studies.field_figures import draw_maps
from wgpipe.studies.tables import write_csv
from wgpipe.studies.truth_tables import protocol_table

HOMOTOPY, GAN = "w2-homotopy", "w2-gan"
THRESHOLD, COLLAPSE = 7.0, 0.3  # where no claim sets them


@register("convex_potentials", cites=("taghvaei2019",))
class ConvexPotentials(Study):
    """Maps and distances of restricted classes beside the true ones, and what they do for GANs."""

    def build(self, config: Settings, runs: pd.DataFrame, folder: Path) -> list[ClaimRow]:
        folder.mkdir(parents=True, exist_ok=True)
        runs = runs.sort_values(["dataset", "recipe", "n", "seed", "metric"], ignore_index=True)
        claims = config.claims
        lengths = claims[HOMOTOPY].recipes if HOMOTOPY in claims else []
        threshold = claims[HOMOTOPY].parameters["uvp"] if HOMOTOPY in claims else THRESHOLD
        collapse = claims[GAN].parameters["collapse"] if GAN in claims else COLLAPSE
        tables = {
            "maps": map_table(config, runs),
            "rates": rate_table(config, runs),
            "values": value_table(config, runs),
            "moments": moment_table(config, runs),
            "work": work_table(config, runs),
            "two_point": two_point_table(config, runs),
            "homotopy": homotopy_table(config, runs, lengths),
            "gans": gan_table(config, runs, collapse),
            "protocols": protocol_table(runs),
        }
        for name, table in tables.items():
            write_csv(table, folder, name)
        write_maps(tables["maps"], folder)
        write_rates(tables["rates"], folder)
        write_gans(tables["gans"], folder)
        with style.paper():
            draw_rates(config, runs, folder)
            draw_values(config, runs, folder)
            draw_moments(config, runs, folder)
            draw_work(config, tables["work"], folder)
            draw_two_point(tables["two_point"], folder)
            draw_homotopy(tables["homotopy"], threshold, folder)
            draw_gans(config, runs, folder)
            draw_maps(config, runs, folder, leave_out=_short(config, lengths, runs))
        return judge_claims(config, measures(config), runs)


def _short(config: Settings, lengths: list[str], runs: pd.DataFrame) -> list[str]:
    """Trainings of several lengths but the longest that ran."""
    table = budgets(config, lengths, runs)
    return [] if table.empty else sorted(set(table.loc[table["length"] < table["length"].max(), "recipe"]))

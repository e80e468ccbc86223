"""How strong critics and generators must be, and may be: Li & Dou 2020, arXiv 2003.04033."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from wgpipe.config import Study as Settings
from wgpipe.registry import register
from wgpipe.studies import Study, style
from wgpipe.studies.capacity_claims import MEASURES
from wgpipe.studies.capacity_figures import draw_capacity, draw_rates
from wgpipe.studies.capacity_runs import is_main
from wgpipe.studies.capacity_tables import critic_table, fooled_table, moment_table, order_table
from wgpipe.studies.claims import ClaimRow, judge_claims
from wgpipe.studies.fooled_figures import draw_fooled
from wgpipe.studies.moment_figures import draw_order
from wgpipe.studies.rate_tables import protocol_table, rate_table, run_table, write_rates_latex
from wgpipe.studies.tables import write_csv

THRESHOLD = 0.25  # where no claim sets it


@register("capacity", cites=("li2020",))
class Capacity(Study):
    """W1 to the target and to the sample by critic and width, moments along training, and critics that are fooled."""

    def build(self, config: Settings, runs: pd.DataFrame, folder: Path) -> list[ClaimRow]:
        folder.mkdir(parents=True, exist_ok=True)
        runs = runs.sort_values(["dataset", "recipe", "n", "seed", "metric"], ignore_index=True)
        threshold = next(
            (claim.parameters["threshold"] for claim in config.claims.values() if "threshold" in claim.parameters),
            THRESHOLD,
        )
        main = [name for name in config.recipes if is_main(config, name)]
        rates = rate_table(config, runs[runs["recipe"].isin([*main, *config.controls])], alpha=np.nan)
        tables = {
            "critics": critic_table(config, runs),
            "rates": rates,
            "moments": moment_table(config, runs),
            "order": order_table(config, runs, threshold),
            "fooled": fooled_table(config, runs),
            "runs": run_table(config, runs),
            "protocols": protocol_table(runs),
        }
        for name, table in tables.items():
            write_csv(table, folder, name)
        write_rates_latex(config, rates, folder)
        with style.paper():
            draw_capacity(config, runs, folder)
            draw_rates(config, runs, folder)
            draw_order(config, runs, threshold, folder)
            draw_fooled(config, runs, folder)
        return judge_claims(config, MEASURES, runs)

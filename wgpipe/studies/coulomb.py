"""Coulomb GANs on points: Unterthiner et al. 2018, arXiv 1708.08819."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from wgpipe.config import Study as Settings
from wgpipe.registry import register
from wgpipe.studies import Study, style
from wgpipe.studies.charge_figures import draw_controls, draw_critic, draw_decay, draw_harmonic
from wgpipe.studies.claims import ClaimRow, judge_claims
from wgpipe.studies.coulomb_claims import MEASURES
from wgpipe.studies.coulomb_runs import numbers
from wgpipe.studies.coulomb_tables import (
    check_table,
    factor_runs,
    factor_table,
    flow_table,
    harmonic_table,
    mode_table,
    write_modes_latex,
)
from wgpipe.studies.mode_figures import draw_factors, draw_modes, draw_scatter
from wgpipe.studies.rate_tables import protocol_table, run_table
from wgpipe.studies.tables import write_csv


@register("coulomb", cites=("unterthiner2018", "lin2018", "srivastava2017"))
class CoulombGans(Study):
    """Modes that each method finds, and the statements about charges, their flow and their critic one by one."""

    def build(self, config: Settings, runs: pd.DataFrame, folder: Path) -> list[ClaimRow]:
        folder.mkdir(parents=True, exist_ok=True)
        runs = runs.sort_values(["dataset", "recipe", "n", "seed", "metric"], ignore_index=True)
        plain = numbers(runs)
        modes, harmonic, baseline = mode_table(config, plain), harmonic_table(plain), factor_runs(config, plain)
        tables = {
            "runs": run_table(config, plain),
            "protocols": protocol_table(plain),
            "modes": modes,
            "factors": factor_table(baseline),
            "checks": check_table(config, plain),
            "flow": flow_table(plain),
            "harmonic": harmonic,
        }
        for name, table in tables.items():
            write_csv(table, folder, name)
        write_modes_latex(modes, folder)
        with style.paper():
            draw_scatter(config, runs, folder)
            draw_modes(config, modes, folder)
            draw_factors(baseline, folder)
            draw_decay(config, plain, folder)
            draw_harmonic(harmonic, folder)
            draw_controls(config, plain, folder)
            draw_critic(config, runs, folder)
        return judge_claims(config, MEASURES, plain)

"""Rates of vanilla and Wasserstein GANs under a Lipschitz constraint: Kunkel & Trabs 2024, arXiv 2403.15312."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from wgpipe.config import Study as Settings
from wgpipe.registry import register
from wgpipe.studies import Study, style
from wgpipe.studies.claims import ClaimRow, judge_claims
from wgpipe.studies.critic_figures import draw_sandwich, draw_saturation, draw_stability
from wgpipe.studies.critics import critic_table
from wgpipe.studies.network_size import size_table
from wgpipe.studies.network_size_figures import draw_sizes
from wgpipe.studies.rate_figures import draw_rates, draw_slopes, draw_variants
from wgpipe.studies.rate_tables import (
    protocol_table,
    rate_table,
    run_table,
    stability_table,
    variant_table,
    write_rates_latex,
)
from wgpipe.studies.tables import write_csv
from wgpipe.studies.vanilla_claims import MEASURES

SMOOTHNESS = 0.9  # where no claim sets alpha
COLLAPSE = 0.3  # where no claim sets it


@register("vanilla_rates", cites=("kunkel2024",))
class VanillaRates(Study):
    """W1 of the trained generator against n, the critic's value between its bounds, and what keeps training stable."""

    def build(self, config: Settings, runs: pd.DataFrame, folder: Path) -> list[ClaimRow]:
        folder.mkdir(parents=True, exist_ok=True)
        runs = runs.sort_values(["dataset", "recipe", "n", "seed", "metric"], ignore_index=True)
        alpha = _parameter(config, "alpha", SMOOTHNESS)
        collapse = _parameter(config, "collapse", COLLAPSE)
        rates, sizes = rate_table(config, runs, alpha), size_table(config, runs)
        tables = {
            "runs": run_table(config, runs),
            "protocols": protocol_table(runs),
            "rates": rates,
            "variants": variant_table(config, runs),
            "oracle": sizes,
            "critics": critic_table(runs),
            "stability": stability_table(config, runs, collapse),
        }
        for name, table in tables.items():
            write_csv(table, folder, name)
        write_rates_latex(config, rates, folder)
        with style.paper():
            draw_rates(config, runs, alpha, folder)
            draw_slopes(config, rates, alpha, folder)
            draw_variants(config, runs, folder)
            draw_sizes(config, sizes, folder)
            draw_sandwich(config, runs, folder)
            draw_saturation(config, runs, folder)
            draw_stability(config, runs, collapse, folder)
        return judge_claims(config, MEASURES, runs)


def _parameter(config: Settings, name: str, otherwise: float) -> float:
    return next((claim.parameters[name] for claim in config.claims.values() if name in claim.parameters), otherwise)

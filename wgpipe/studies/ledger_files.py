"""From the folders of the studies to the ledger and its quality control."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from wgpipe.atomic import atomic
from wgpipe.studies.ledger import collect, entry_table
from wgpipe.studies.ledger_html import html
from wgpipe.studies.ledger_latex import latex
from wgpipe.studies.ledger_markdown import markdown
from wgpipe.studies.quality_pages import join, write_quality
from wgpipe.studies.tables import write_csv


def build_ledger(folders: Sequence[Path], settings: Sequence[Path], configs: Sequence[Path], out: Path) -> None:
    """claims.{csv,md,tex,html}, quality.{md,html} and quality/*.csv.

    `folders` are those of the studies that ran and `settings` their files in the same order; `configs` are the YAML
    files of all studies, so that claims of the others stand in the ledger as not run.
    """
    entries = collect(folders, settings, configs, out)
    write_csv(entry_table(entries), out, "claims")
    for kind, shown in (("md", markdown), ("tex", latex), ("html", html)):
        with atomic(out / f"claims.{kind}") as path:
            path.write_text(shown(entries), encoding="utf-8")
    write_quality(join(folders, entries), out)

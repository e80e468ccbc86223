"""What to look at when a run has ended."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from wgpipe.grid import Grid
from wgpipe.stored import read_csv


def summary(grid: Grid) -> str:
    """Verdicts, and the paths of the ledger, the studies and the report, as far as they exist."""
    lines = [f"scale {grid.scale}: {len(grid.blocks)} blocks"]
    ledger = grid.root / "claims.csv"
    if ledger.is_file():
        counts = Counter(read_csv(ledger, {"verdict": "name"})["verdict"])
        lines.append("claims: " + ", ".join(f"{count} {verdict}" for verdict, count in sorted(counts.items())))
    named: list[tuple[str, Path]] = [("claims", grid.root / f"claims.{kind}") for kind in ("html", "md", "tex", "csv")]
    named += [("quality", grid.root / "quality.html"), ("ranking", grid.root / "ranking" / "ranking.md")]
    for study in grid.study_blocks:
        folder = grid.study_folder(study)
        figures = [folder / f"{name}.pdf" for name in grid.resolved.studies[study].figures]
        tables = [folder / f"{name}.csv" for name in grid.resolved.studies[study].tables]
        named += [(study, path) for path in [*figures, *tables]]
    named.append(("report", grid.root / "report.html"))
    width = max(len(name) for name, _ in named)
    lines += [f"  {name:<{width}}  {path}" for name, path in named if path.is_file()]
    return "\n".join(lines)

"""Reference results: the tables of a complete run, small enough to commit, to compare one's own with."""

from __future__ import annotations

import shutil
from pathlib import Path

from wgpipe.audit.folder import check_links
from wgpipe.audit.manifest import read_manifest, write_manifest
from wgpipe.errors import UserError

KINDS = ("claims.csv", "claims.md", "quality.md", "quality/*.csv", "studies/*/*.csv", "ranking/*.csv")
LARGEST = 200_000  # bytes; tables of single runs grow with the scale


def write_reference(results: Path, out: Path) -> list[str]:
    """Replace `out` by the tables of `results` with their manifest; the names of those too large to go with them."""
    if not (results / "claims.csv").is_file():
        raise UserError(f"{results / 'claims.csv'} does not exist: only a complete run can be a reference.")
    check_links(results)
    if out.exists():
        read_manifest(out)  # so that nothing else is ever replaced
        shutil.rmtree(out)
    left = []
    for kind in KINDS:
        for file in sorted(results.glob(kind)):
            name = file.relative_to(results)
            if file.stat().st_size > LARGEST:
                left.append(name.as_posix())
                continue
            (out / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, out / name)
    write_manifest(out)
    return left

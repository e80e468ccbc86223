"""What a study is: from the tidy table of runs to tables, figures and claims. One file a study."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    import pandas as pd

    from wgpipe.config import Study as Settings
    from wgpipe.metrics.picture_file import Pictures
    from wgpipe.studies.claims import ClaimRow


class Study:
    """One paper's claims. Subclasses are registered under the name of their file in config/studies/."""

    kind: ClassVar[str] = "study"
    registered_name: ClassVar[str]
    cites: ClassVar[tuple[str, ...]] = ()

    def build(self, config: Settings, runs: pd.DataFrame, folder: Path) -> list[ClaimRow]:
        """Write all tables and figures into `folder` and return the judged claims, in the order of the settings.

        `runs` has one row for each run and metric: dataset, dimension, intrinsic (NaN: unknown), recipe, n, seed,
        status (ok, diverged, timeout), metric, value, null, excess, protocol. What is missing makes a claim
        inconclusive, and a panel says so; it is never an error. The order of rows has no influence, and the same rows
        give the same bytes.
        """
        raise NotImplementedError

    def draw_pictures(self, config: Settings, pictures: Sequence[Pictures], folder: Path) -> None:
        """Draw the figures that show images, after `build`; a study without `pictures` in its settings has none.

        `pictures` are those of each dataset of images and recipe that exist. What is missing is left out, or said.
        """

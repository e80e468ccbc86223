"""Funnels drawn by our seeds."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

import numpy as np

from wgpipe import rng
from wgpipe.data.funnel_pair import FunnelPair, uniform
from wgpipe.registry import register

OFFSET = 0.1


@register("funnels", cites=("korotin2022",))
class Funnels(FunnelPair):
    """Centres uniform on the box, offsets 0.1·N(0, 1) (Korotin, Kolesov & Burnaev 2022)."""

    accepted: ClassVar[str] = "funnels-<k>in<D>"

    def funnels(self, files: Mapping[str, Path]) -> dict[str, np.ndarray]:
        """A function of the name."""
        stream = rng.stream("dataset", self.name, "funnels")
        return {
            "centres": uniform(stream, self.count, self.dimension),
            "offsets": OFFSET * stream.standard_normal(self.count),
        }

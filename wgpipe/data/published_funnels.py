"""The published funnels of the Wasserstein-1 benchmark."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Self

import numpy as np

from wgpipe.data import Source
from wgpipe.data.funnel_pair import FunnelPair
from wgpipe.errors import UserError
from wgpipe.registry import register

COMMIT = "359d2b120a4f186adf257a4a22d115b13f877251"
FOLDER = f"https://raw.githubusercontent.com/justkolesov/Wasserstein1Benchmark/{COMMIT}/benchmarks/nd"
CHECKSUMS = {
    (4, 2): "c9c8361014f34d583412f137e06f48f7ece753b3a443a6fd293354bb874954a5",
    (16, 2): "df1bb4f3b92e44821deb5ab0e3957a37f7cb48f419d510a0442ccff78abd9c2d",
    (4, 4): "dc4b5ef2e8120b266bb88d160ef2cc47f57a777b2d73144c6459cca0e59c96a6",
    (16, 4): "b0a3f8b00895286f17c5bcb60749e67f884cefbaea35d1b389442b8f5c719176",
    (4, 8): "e2b59b6d0b9119f93b2667393a9708784c69a92f85c796dc1e0a9ec441458468",
    (16, 8): "4c396c68b4d51aa7cedf48a8b6923204e2902984fb6fcb1b1287830e145c1223",
}


@register("published_funnels", cites=("korotin2022",))
class PublishedFunnels(FunnelPair):
    """The pairs that Korotin, Kolesov & Burnaev 2022 score solvers on."""

    accepted: ClassVar[str] = ", ".join(f"published_funnels-{count}in{dimension}" for count, dimension in CHECKSUMS)

    @classmethod
    def from_name(cls, name: str) -> Self:
        """`published_funnels-4in8` -> 4 funnels, D = 8; `UserError` for a size whose file has no known checksum."""
        data = super().from_name(name)
        if (data.count, data.dimension) not in CHECKSUMS:
            raise UserError(f"dataset '{name}' has no known checksum; accepted: {cls.accepted}.")
        return data

    def origin(self) -> str:
        """Whose funnels, at which commit."""
        return f"justkolesov/Wasserstein1Benchmark, commit {COMMIT[:10]}"

    def sources(self) -> tuple[Source, ...]:
        """The state dict of the funnel network."""
        url = f"{FOLDER}/dim_{self.dimension}/width_{self.count}/deg_8_seed_987.pt"
        return (Source(file=f"{self.name}.pt", urls=(url,), sha256=CHECKSUMS[self.count, self.dimension]),)

    def funnels(self, files: Mapping[str, Path]) -> dict[str, np.ndarray]:
        """The published centres and offsets."""
        import torch

        state = torch.load(files[f"{self.name}.pt"], weights_only=True)
        return {"centres": state["net.centers"].double().numpy(), "offsets": state["net.bias"].double().numpy()}

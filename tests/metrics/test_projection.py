"""The two-point example, measured on samples."""

from __future__ import annotations

import pytest

from tests.metrics.pairs import Block, prepared
from wgpipe.metrics.projection import Projection
from wgpipe.theory.two_point import paper_bound, projection


@pytest.mark.parametrize("percent", [5, 20, 40])
def test_samples_are_as_far_as_laws_of_their_own_masses(percent: int) -> None:
    pair, arrays = prepared(f"two_point-{percent}")
    block = Block(pair, arrays)
    found = {name: values for name, (values, _) in Projection(pairs=2000).measure(block).items()}  # type: ignore[arg-type]
    for member, sample in enumerate(block.source(4000)):
        excess = float((sample[:, 0] > 0).mean()) - 0.5
        assert excess == pytest.approx(percent / 100, abs=0.04)
        assert found["projection"][member] == pytest.approx(projection(excess), rel=1e-9)
        assert found["projection_w1"][member] == pytest.approx(paper_bound(excess), rel=1e-9)


def test_other_data_have_nothing() -> None:
    assert Projection().measure(Block(*prepared("gaussian_pair-2"))) == {}  # type: ignore[arg-type]

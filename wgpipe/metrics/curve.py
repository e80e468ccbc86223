"""How near a curve is to the sample that it was made from, beside the best that a curve of its speed can do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field, PositiveInt

from wgpipe.metrics import Metric, multiscale
from wgpipe.metrics.latent_curve import constructed, curves
from wgpipe.metrics.multiscale import Measure
from wgpipe.registry import register
from wgpipe.theory.polyline import Polyline
from wgpipe.theory.walks import certificate, shortest_walk

if TYPE_CHECKING:
    from wgpipe.train.evaluate import TrainedBlock


@register("curve", cites=("stephanovitch2022", "flamary2021"))
class Curve(Metric):
    """The curve of a generator G with one latent dimension, U uniform on [0, 1], and its training sample X_1 … X_n.

    - `walk_squared` S = Σ d_i² of the shortest walk through the sample, and `walk_speed` K0, the least speed at which
      a curve along it gives every point its mass (Stéphanovitch et al. 2022; `wgpipe/theory/walks.py`);
    - `curve_speed` K: the largest length over duration of a piece of the curve, from below where G is trained. Then no
      curve of speed K >= K0 has a smaller W1 to the sample than S/(4K);
    - `curve_w1`: W1 between the law of G(U) and the sample, by exact transport from the midpoints of short pieces,
      which differs from it by at most `curve_blur`;
    - `curve_certificate`: E min_i |G(U) - X_i|, at most W1, at the same midpoints.

    Trained curves are taken as `chords` chords a sample point, of equal time. The last three are there for samples of
    at most `largest` points. Blocks without such a curve have nothing.
    """

    cells: PositiveInt = Field(16, multiple_of=2, description="pieces of each step of a constructed curve")
    chords: PositiveInt = Field(64, description="pieces of a trained curve, a sample point")
    largest: PositiveInt = Field(128, description="sample size up to which the curve is compared with its sample")

    def measure(self, block: TrainedBlock) -> dict[str, tuple[np.ndarray, str]]:  # type: ignore[override]
        """Quantity -> ((E,) float64, protocol)."""
        samples = block.training_sample()
        n = samples.shape[1]
        found = curves(block, self.chords * n)
        if found is None:
            return {}
        known = constructed(block)
        squared, least = _walks(block, samples)
        measured = {"walk_squared": (squared, "curve[walk]"), "walk_speed": (least, "curve[walk]")}
        pieces = f"cells={self.cells}" if known else f"chords={self.chords}n"
        columns = {"curve_speed": [_finite(one, one.speed) for one in found]}
        if n <= self.largest:
            cells = self.cells if known else 1
            rows = [_compared(one, sample, cells) for one, sample in zip(found, samples, strict=True)]
            names = ("curve_w1", "curve_certificate", "curve_blur")
            columns |= dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))
        protocol = f"curve[{pieces}]"
        return measured | {name: (np.asarray(column), protocol) for name, column in columns.items()}


def _walks(block: TrainedBlock, samples: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(E,) S and (E,) K0."""
    if constructed(block):
        return block.generator["squared_length"][:, 0], block.generator["least_speed"][:, 0]
    walks = [shortest_walk(sample) for sample in samples]
    return np.array([walk.squared_length for walk in walks]), np.array([walk.least_speed for walk in walks])


def _compared(curve: Polyline, sample: np.ndarray, cells: int) -> tuple[float, float, float]:
    """W1, certificate and blur."""
    if not np.isfinite(curve.positions).all():
        return np.nan, np.nan, np.nan
    points, masses = curve.atoms(cells)
    target = Measure(sample, np.full(len(sample), masses.sum() / len(sample)))
    w1 = multiscale.solve(Measure(points, masses), target, "euclidean")[0]
    return w1 / masses.sum(), certificate(points, sample, masses), curve.blur(cells)


def _finite(curve: Polyline, speed: float) -> float:
    return speed if np.isfinite(curve.positions).all() else np.nan

"""Wasserstein distances between images in the space of their features."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field, PositiveInt

from wgpipe.extractors import wanted
from wgpipe.extractors.features import features_of, reference_features
from wgpipe.metrics import Metric
from wgpipe.metrics.transport import exact_cost
from wgpipe.registry import register

if TYPE_CHECKING:
    from wgpipe.train.evaluate import TrainedBlock


@register("feature_transport", cites=("flamary2021",))
class FeatureTransport(Metric):
    """Exact W1 and W2 between held-out and generated images, `feature_w1` and `feature_w2`, in units of the features.

    Distances are Euclidean in the features of the first extractor. Both are biased upwards by the finite samples: read
    them beside their nulls. Other data than images have nothing.
    """

    extractors: tuple[str, ...] = Field(
        ("classifier",), min_length=1, description="the first that fits the data says in which features"
    )
    datasets: tuple[str, ...] = Field((), description="datasets that are measured; none: all of images")
    real: PositiveInt = Field(2048, description="held-out images")
    generated: PositiveInt = Field(2048, description="generated images")

    def measure(self, block: TrainedBlock) -> dict[str, tuple[np.ndarray, str]]:  # type: ignore[override]
        """Both quantities -> ((E,) float64, protocol)."""
        names = wanted(dict(self), block.job.dataset)
        if not names:
            return {}
        name = names[0]
        real, made = reference_features(block, name, "test", self.real), features_of(block, name, self.generated)
        finite = [np.isfinite(each).all() for each in made]
        w1 = [exact_cost(real, each, 1) if ok else np.nan for each, ok in zip(made, finite, strict=True)]
        w2 = [math.sqrt(exact_cost(real, each, 2)) if ok else np.nan for each, ok in zip(made, finite, strict=True)]
        protocol = f"[real={len(real)},generated={made.shape[1]},in={name}]"
        return {
            "feature_w1": (np.asarray(w1, dtype=np.float64), f"feature_w1{protocol}"),
            "feature_w2": (np.asarray(w2, dtype=np.float64), f"feature_w2{protocol}"),
        }

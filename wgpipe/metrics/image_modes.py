"""Which classes of images a generator makes, and how often."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field, PositiveInt
from scipy.special import softmax

from wgpipe.extractors import wanted
from wgpipe.extractors.features import CLASSIFIER, logits_of, reference_labels
from wgpipe.metrics import Metric
from wgpipe.metrics.modes import BALANCE
from wgpipe.registry import register

if TYPE_CHECKING:
    from wgpipe.train.evaluate import TrainedBlock


@register("image_modes", cites=("unterthiner2018", "srivastava2017"))
class ImageModes(Metric):
    """Classes of generated images by a classifier that is trained on the dataset; data without labels have nothing.

    - `classes_balanced`: classes whose share of the generated images is within a factor of 2 of their share of `real`
      held-out ones;
    - `class_imbalance`: total variation distance between both laws of classes;
    - `confident`: share of the generated images to whose class the classifier gives a probability of `confidence` or
      more. Where it is small the images are of no class, and the other two say little.
    """

    extractors: tuple[str, ...] = Field((CLASSIFIER,), min_length=1, max_length=1, description="it has to have classes")
    datasets: tuple[str, ...] = Field((), description="datasets that are measured; none: all with labels")
    real: PositiveInt = Field(10000, description="held-out images whose labels are counted")
    generated: PositiveInt = Field(10000, description="generated images")
    confidence: float = Field(0.9, gt=0, lt=1, description="probability from which the classifier is sure")

    def measure(self, block: TrainedBlock) -> dict[str, tuple[np.ndarray, str]]:  # type: ignore[override]
        """Quantity -> ((E,) float64, protocol)."""
        classes = getattr(block.job.dataset, "classes", 0)
        if not classes or not wanted(dict(self), block.job.dataset):
            return {}
        labels = reference_labels(block, "test", self.real)
        shares = np.bincount(labels, minlength=classes) / len(labels)
        logits = logits_of(block, self.extractors[0], self.generated).astype(np.float64)
        scores = [class_scores(each, shares, self.confidence) for each in logits]
        about = f"real={len(labels)},generated={logits.shape[1]},confidence={self.confidence}"
        return {
            name: (np.asarray([score[name] for score in scores], dtype=np.float64), f"image_modes[{about}]")
            for name in scores[0]
        }


def class_scores(logits: np.ndarray, shares: np.ndarray, confidence: float) -> dict[str, float]:
    """(m, classes), (classes,) shares of real images -> the three quantities, by name; NaN where one is not finite."""
    if not np.isfinite(logits).all():
        return dict.fromkeys(("classes_balanced", "class_imbalance", "confident"), np.nan)
    made = np.bincount(logits.argmax(axis=1), minlength=len(shares)) / len(logits)
    balanced = (made >= shares / BALANCE) & (made <= shares * BALANCE)
    sure = softmax(logits, axis=1).max(axis=1) >= confidence
    values = (balanced.sum(), np.abs(made - shares).sum() / 2, sure.mean())
    return dict(zip(("classes_balanced", "class_imbalance", "confident"), map(float, values), strict=True))

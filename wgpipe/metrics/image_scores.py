"""Fréchet distance, kernel distance, precision, recall and Inception score of generated images, by torch-fidelity."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

import numpy as np
import torch
from pydantic import Field, PositiveInt, field_validator, model_validator

from wgpipe.errors import UserError
from wgpipe.extractors import REFERENCE, Extractor, extractor, wanted
from wgpipe.extractors.extraction import Layers
from wgpipe.extractors.features import (
    draws_real_images,
    fresh_layers,
    generated_layers,
    reference_features,
    weights_sha256,
)
from wgpipe.metrics import Metric
from wgpipe.metrics.score_names import score_name
from wgpipe.registry import register

if TYPE_CHECKING:
    from wgpipe.train.evaluate import TrainedBlock

SEED = 2020  # of the subsets of the kernel distance, and of the order of the Inception score's parts


@register("image_scores", cites=("heusel2017", "binkowski2018", "kynkaanniemi2019", "salimans2016", "obukhov2020"))
class ImageScores(Metric):
    """Scores between generated images and real ones, in the features of each extractor; other data have nothing.

    - `fid:<extractor>`: Fréchet distance between normal laws of the same means and covariances (Heusel et al. 2017),
      biased upwards, the more so the fewer images: read it beside its null, at the same sizes;
    - `kid:<extractor>`: mean over random subsets of the unbiased squared MMD with the kernel (x·y / f + 1)³
      (Bińkowski et al. 2018), which may be a little below 0;
    - `precision:<extractor>`, `recall:<extractor>`: share of generated images within reach of real ones, and of real
      within reach of generated ones, reach being the distance to the k-th neighbour (Kynkäänniemi et al. 2019);
    - `isc:<extractor>`: exp E KL(p(class | image), p(class)) (Salimans et al. 2016), of extractors that tell classes.

    Nulls are scores of real images that the references do not contain, by the control `oracle`: of training images
    where the references are of the test split; otherwise of the training images that are left, then of the test split.
    Where these are fewer than `generated`, they have a protocol of their own and are the null of nothing: there are no
    two such sets. Only `fid[inception,n=50000]` is what papers report.
    """

    extractors: tuple[str, ...] = Field(min_length=1, description="`wgpipe list extractors`; those that fit the data")
    datasets: tuple[str, ...] = Field((), description="datasets that are measured; none: all that are images")
    real: PositiveInt = Field(REFERENCE, description="real images")
    generated: PositiveInt = Field(REFERENCE, description="generated images")
    split: Literal["test", "train"] = Field("test", description="that the real images are of")
    kid_subset: PositiveInt = Field(500, description="images of a subset of the kernel distance")
    kid_subsets: PositiveInt = Field(50, description="how many subsets")
    neighbour: PositiveInt = Field(3, description="whose distance is the reach, of precision and recall")
    reach_images: PositiveInt = Field(2000, description="images of each side at most, of precision and recall")
    isc_parts: PositiveInt = Field(10, description="parts whose Inception scores are averaged")

    @field_validator("extractors")
    @classmethod
    def _known(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        for name in names:
            try:
                extractor(name)
            except UserError as error:
                raise ValueError(str(error).rstrip(".")) from None
        return names

    @model_validator(mode="after")
    def _enough(self) -> ImageScores:
        if problem := self.lacking(self.real, self.generated):
            raise ValueError(problem)
        return self

    def measure(self, block: TrainedBlock) -> dict[str, tuple[np.ndarray, str]]:  # type: ignore[override]
        """Quantity -> ((E,) float64, protocol)."""
        names = wanted(dict(self), block.job.dataset)
        return {name: value for each in names for name, value in self._scores(block, each)}

    def _scores(self, block: TrainedBlock, name: str) -> Iterator[tuple[str, tuple[np.ndarray, str]]]:
        chosen, sha256 = extractor(name), weights_sha256(block, name)
        real = reference_features(block, name, self.split, self.real).astype(np.float64)
        layers = self._seen(block, chosen, len(real))
        generated = layers[chosen.layer]
        if problem := self.lacking(len(real), generated.shape[1]):
            raise UserError(f"metric 'image_scores' on dataset '{block.dataset_name}': {problem}.")
        compare = Comparison(real, self)
        settings: dict[str, dict[str, int]] = {
            "fid": {},
            "kid": {"subset": self.kid_subset, "subsets": self.kid_subsets},
            "precision": {"neighbour": self.neighbour},
            "recall": {"neighbour": self.neighbour},
        }
        members = [compare.scores(member.astype(np.float64)) for member in generated]
        for score, more in settings.items():
            most = self.reach_images if score in ("precision", "recall") else max(generated.shape[1], len(real))
            sizes = min(generated.shape[1], most), min(len(real), most)
            values = np.asarray([scores[score] for scores in members])
            yield f"{score}:{name}", (values, score_name(score, chosen, sha256, *sizes, self.split, more))
        if chosen.logits is not None:
            values = np.asarray([inception_score(member, self.isc_parts) for member in layers[chosen.logits]])
            protocol = score_name("isc", chosen, sha256, generated.shape[1], settings={"parts": self.isc_parts})
            yield f"isc:{name}", (values, protocol)

    def _seen(self, block: TrainedBlock, chosen: Extractor, real: int) -> Layers:
        """(E, k, f) float32 by layer: of generated images, or for the floor of real ones apart from the references."""
        if self.split == "train" and draws_real_images(block):
            return fresh_layers(block, chosen, self.split, real, self.generated)
        return generated_layers(block, chosen, self.generated)

    def lacking(self, real: int, generated: int) -> str:
        """Which setting wants more images than these, in a sentence without its end; nothing if there are enough."""
        fewest = min(real, generated)
        limits = {"kid_subset": fewest, "neighbour": min(fewest, self.reach_images) - 1, "isc_parts": generated}
        for name, most in limits.items():
            if (value := getattr(self, name)) > most:
                images = f"{real} real and {generated} generated images"
                return f"{name} = {value} is too large for {images}; accepted: up to {most}"
        return ""


class Comparison:
    """Real features (m, f) float64, to which generated ones are compared."""

    def __init__(self, real: np.ndarray, settings: ImageScores) -> None:
        from torch_fidelity.metric_fid import fid_features_to_statistics

        self.settings = settings
        self.real = torch.from_numpy(real)
        self.statistics = fid_features_to_statistics(self.real)

    def scores(self, generated: np.ndarray) -> dict[str, float]:
        """(k, f) float64 -> every score by name; NaN of features that are not finite."""
        if not np.isfinite(generated).all():
            return dict.fromkeys(("fid", "kid", "precision", "recall"), np.nan)
        fake = torch.from_numpy(generated)
        return {"fid": self.fid(fake), "kid": self.kid(fake), **self.precision_recall(fake)}

    def fid(self, fake: torch.Tensor) -> float:
        """Fréchet distance; what rounding leaves below 0 is 0."""
        from torch_fidelity.metric_fid import KEY_METRIC_FID, fid_features_to_statistics, fid_statistics_to_metric

        found = fid_statistics_to_metric(fid_features_to_statistics(fake), self.statistics, verbose=False)
        return max(float(found[KEY_METRIC_FID]), 0.0)

    def kid(self, fake: torch.Tensor) -> float:
        """Kernel distance."""
        from torch_fidelity.metric_kid import KEY_METRIC_KID_MEAN, kid_features_to_metric

        sizes = {"kid_subset_size": self.settings.kid_subset, "kid_subsets": self.settings.kid_subsets}
        return float(
            kid_features_to_metric(fake, self.real, **sizes, rng_seed=SEED, verbose=False)[KEY_METRIC_KID_MEAN]
        )

    def precision_recall(self, fake: torch.Tensor) -> dict[str, float]:
        """Precision and recall."""
        from torch_fidelity.metric_prc import prc_features_to_metric

        settings = {"prc_neighborhood": self.settings.neighbour, "save_cpu_ram": True, "verbose": False}
        most = self.settings.reach_images
        found = prc_features_to_metric(fake[:most], self.real[:most], **settings)
        return {name: float(found[name]) for name in ("precision", "recall")}


def inception_score(logits: np.ndarray, parts: int) -> float:
    """(k, classes) -> the mean over parts; NaN of logits that are not finite."""
    from torch_fidelity.metric_isc import KEY_METRIC_ISC_MEAN, isc_features_to_metric

    if not np.isfinite(logits).all():
        return np.nan
    return float(isc_features_to_metric(torch.from_numpy(logits), parts, rng_seed=SEED)[KEY_METRIC_ISC_MEAN])

"""What a metric is: numbers about a trained block, one a member, in float64."""

from __future__ import annotations

from typing import ClassVar, Protocol

import numpy as np
from pydantic import BaseModel, ConfigDict, PositiveInt


class Evaluation(Protocol):
    """What a metric may ask of a block of E members. `train/evaluate.py` implements it."""

    @property
    def dataset_name(self) -> str:
        """Which dataset the block learned."""

    def real(self, count: int) -> np.ndarray:
        """(E, m, d) held-out real points, m = count or what a finite dataset has."""

    def generated(self, count: int) -> np.ndarray:
        """(E, k, d) generated points."""

    def training_sample(self) -> np.ndarray:
        """(E, n, d) what each member was trained on."""


class Metric(BaseModel):
    """One file a metric; its fields are settings, and everything that a reader must know stands in `protocol`."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
    kind: ClassVar[str] = "metric"
    registered_name: ClassVar[str]
    cites: ClassVar[tuple[str, ...]] = ()
    needs_critic: ClassVar[bool] = False

    def measure(self, block: Evaluation) -> dict[str, tuple[np.ndarray, str]]:
        """Quantity -> ((E,) float64 values, protocol such as `w1[real=4096,generated=4096]`)."""
        raise NotImplementedError


class SampleMetric(Metric):
    """A metric that compares a generated with a held-out real sample, member by member.

    The protocol names the sizes that were measured, then every other setting of the metric.
    """

    real: PositiveInt = 4096
    generated: PositiveInt = 4096
    points: dict[str, PositiveInt] = {}  # dataset -> points on both sides, where the null asks for more
    datasets: tuple[str, ...] = ()  # those that are measured; none: all

    def compare(self, real: np.ndarray, generated: np.ndarray) -> float:
        """(m, d), (k, d) float64 -> the metric."""
        raise NotImplementedError

    def measure(self, block: Evaluation) -> dict[str, tuple[np.ndarray, str]]:
        if self.datasets and block.dataset_name not in self.datasets:
            return {}
        special = self.points.get(block.dataset_name)
        real = block.real(special or self.real).astype(np.float64)
        generated = block.generated(special or self.generated).astype(np.float64)
        values = [self.compare(x, y) if np.isfinite(y).all() else np.nan for x, y in zip(real, generated, strict=True)]
        settings = {
            "real": real.shape[1],
            "generated": generated.shape[1],
            **self.model_dump(exclude={"real", "generated", "points", "datasets"}),
        }
        protocol = f"{self.registered_name}[{','.join(f'{name}={value}' for name, value in settings.items())}]"
        return {self.registered_name: (np.asarray(values, dtype=np.float64), protocol)}

"""Control: the best curve of a given speed through the sample."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from pydantic import Field, NonNegativeFloat, PositiveFloat, model_validator

from wgpipe.data import Arrays, Dataset
from wgpipe.errors import UserError
from wgpipe.methods import Control
from wgpipe.registry import register
from wgpipe.theory.walks import Walk, shortest_walk


@register("optimal_curve", cites=("stephanovitch2022", "held1962", "croes1958"))
class OptimalCurve(Control):
    """argmin of W1(G#U, P_n) over K-Lipschitz G: [0, 1] -> R^d, U uniform: a walk with the least Σ d_i².

    At speed K, with rests at the points, its W1 is (1/4K) Σ d_i² (after Stéphanovitch et al. 2022). That
    needs K >= K0 = n max_i (half the sum of the steps at point i). K is in units of the data, per unit of U: `speed`
    itself, or c·n^(1-1/d) for a `growth` c, but K0 where that is more, or else K0 times `slack`.
    """

    speed: PositiveFloat | None = Field(None, description="K; null: from growth, or else K0 times slack")
    growth: PositiveFloat | None = Field(None, description="c of K = c·n^(1-1/d), but K0 where that is more")
    slack: float = Field(1.0, ge=1, description="K over the least speed K0")
    kicks: NonNegativeFloat = Field(1.0, description="of the local search, per point; none are needed up to 14 points")

    @model_validator(mode="after")
    def _one_of_both(self) -> OptimalCurve:
        if self.speed is not None and self.slack != 1:
            raise ValueError(f"speed {self.speed:g} is the speed itself, so it cannot have slack {self.slack:g} too")
        if self.growth is not None and (self.speed is not None or self.slack != 1):
            raise ValueError(f"growth {self.growth:g} is a law of the speed, so it cannot have speed or slack too")
        return self

    def fit(self, sample: np.ndarray) -> dict[str, np.ndarray]:
        """(n, d) -> knots (3n,) and positions (3n, d), the last one repeated, and (1,) each: K, K0, Σ d_i²."""
        walk = shortest_walk(sample, self.kicks)
        speed = self._speed(walk, *sample.shape)
        try:
            knots, positions = walk.curve(speed)
        except ValueError as error:
            raise UserError(f"method optimal_curve: {error}; leave speed out, or give a larger one.") from error
        missing = 3 * len(sample) - len(knots)
        return {
            "knots": np.pad(knots, (0, missing), mode="edge"),
            "positions": np.pad(positions, ((0, missing), (0, 0)), mode="edge"),
            "speed": np.array([speed]),
            "least_speed": np.array([walk.least_speed]),
            "squared_length": np.array([walk.squared_length]),
        }

    def _speed(self, walk: Walk, n: int, dimension: int) -> float:
        if self.speed is not None:
            return self.speed
        if self.growth is not None:
            grown: float = self.growth * n ** (1 - 1 / dimension)
            return max(walk.least_speed, grown)
        return walk.least_speed * self.slack

    def draw(
        self,
        state: Mapping[str, np.ndarray],
        dataset: Dataset,
        arrays: Arrays,
        stream: np.random.Generator,
        count: int,
    ) -> np.ndarray:
        return curve_at(state, stream.random(count))


def curve_at(state: Mapping[str, np.ndarray], times: np.ndarray) -> np.ndarray:
    """(m,) times in [0, 1] -> (m, d) points of the fitted curve."""
    return np.stack([np.interp(times, state["knots"], axis) for axis in state["positions"].T], axis=1)

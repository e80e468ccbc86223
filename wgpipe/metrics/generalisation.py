"""Whether a generator has learned the law, or the points that it was trained on."""

from __future__ import annotations

import numpy as np
from pydantic import PositiveInt

from wgpipe.metrics import Evaluation, Metric
from wgpipe.metrics.transport import exact_cost
from wgpipe.registry import register


@register("generalisation", cites=("flamary2021",))
class Generalisation(Metric):
    """W1 of a generated sample to the n training points, to as many held-out points, and their difference.

    - `w1_train`: to the training sample; small for a generator that repeats it;
    - `w1_heldout`: to n points that no training sample contains;
    - `w1_gap`: `w1_heldout` - `w1_train`. The bias of W1 between finite samples is the same in both, so it leaves the
      difference: 0 on average for a generator that knows nothing of its own sample.

    In units of the data. Sizes follow n, so these are no curves in n of one distance; `w1` is.
    """

    generated: PositiveInt = 1024

    def measure(self, block: Evaluation) -> dict[str, tuple[np.ndarray, str]]:
        """Quantity -> ((E,) float64, protocol)."""
        training, generated = block.training_sample(), block.generated(self.generated).astype(np.float64)
        heldout = block.real(training.shape[1])
        costs = {
            "w1_train": np.array([_distance(x, y) for x, y in zip(training, generated, strict=True)]),
            "w1_heldout": np.array([_distance(x, y) for x, y in zip(heldout, generated, strict=True)]),
        }
        costs["w1_gap"] = costs["w1_heldout"] - costs["w1_train"]
        made = generated.shape[1]
        sizes = {"w1_train": f"real=training n,generated={made}", "w1_heldout": f"real=held-out n,generated={made}"}
        sizes["w1_gap"] = f"held-out n - training n,generated={made}"
        return {name: (values, f"{name}[{sizes[name]}]") for name, values in costs.items()}


def _distance(real: np.ndarray, generated: np.ndarray) -> float:
    return exact_cost(real, generated, power=1) if np.isfinite(generated).all() else np.nan

"""The value of the 2-Wasserstein distance over a class of convex potentials, at a learned potential."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from pydantic import PositiveInt

from wgpipe.data.pairs import PairDataset
from wgpipe.methods.bures_map import Bures
from wgpipe.metrics import Metric
from wgpipe.registry import register

if TYPE_CHECKING:
    from wgpipe.train.evaluate import TrainedBlock


@register("dual", cites=("taghvaei2019",))
class Dual(Metric):
    """V(f) = E ½|X|² + E ½|Y|² - E f(X) - E f*(Y) of a learned convex f, where the cost is |x - y|²/2.

    - `dual`: V at `pairs` fresh points of each law, which are optimally coupled; `dual_cost`: their cost E ½|X - Y|²,
      which no f exceeds, for f(x) + f*(y) >= <x, y>;
    - `dual_gap`: how much less V may be, since the search for f*(y) = max_x <y, x> - f(x) ends after `inner_steps`
      evaluations at the latest: E |Y - ∇f(x̂)|²/2c, for f - ½c|x|² is convex;
    - `dual_sample`: V at the training sample, at its first `sample` points of each law.

    For methods that learn an f. Of the quadratic class in closed form (`bures`), `dual_sample` is the cost of its map,
    which is V at the best f.
    """

    pairs: PositiveInt = 4096
    sample: PositiveInt = 65536
    inner_steps: PositiveInt = 200

    def measure(self, block: TrainedBlock) -> dict[str, tuple[np.ndarray, str]]:  # type: ignore[override]
        """Quantity -> ((E,) float64, protocol)."""
        pair, method = block.job.dataset, block.method
        if not isinstance(pair, PairDataset) or pair.cost != 2:
            return {}
        if isinstance(method, Bures):
            columns = {"dual_sample": self._cost_of_map(block)}
        else:
            from wgpipe.metrics.potentials import potential_of  # imports torch, which controls do without

            potential = potential_of(block, self.inner_steps)
            if potential is None:
                return {}
            couplings = [pair.coupled(block.job.arrays, draw, self.pairs) for draw in block.streams("eval-pairs")]
            source, target = (np.stack([getattr(each, side) for each in couplings]) for side in ("source", "target"))
            columns = {"dual_cost": np.square(source - target).sum(axis=-1).mean(axis=1) / 2}
            columns["dual"], columns["dual_gap"] = potential.value(source, target)
            samples = block.job.source_sample()[:, : self.sample], block.training_sample()[:, : self.sample]
            columns["dual_sample"] = potential.value(*samples)[0]
        protocol = f"dual[pairs={self.pairs},sample={self.sample},inner_steps={self.inner_steps}]"
        return {name: (column, protocol) for name, column in columns.items()}

    def _cost_of_map(self, block: TrainedBlock) -> np.ndarray:
        source = block.job.source_sample()
        moved = block.transported(source)
        assert moved is not None
        return np.asarray(np.square(source - moved).sum(axis=-1).mean(axis=1) / 2)

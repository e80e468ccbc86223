from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from wgpipe.nets import Net, Params


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture
def stack() -> Callable[..., Params]:
    """`stack(net, inputs, outputs)`: parameters of three members."""

    def build(net: Net, inputs: int, outputs: int, dtype: torch.dtype = torch.float64) -> Params:
        each = [net.init(np.random.default_rng(seed), inputs, outputs) for seed in range(3)]
        return {name: torch.from_numpy(np.stack([one[name] for one in each])).to(dtype) for name in each[0]}

    return build

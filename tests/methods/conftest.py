from __future__ import annotations

import numpy as np
import pytest
import torch

from wgpipe.nets.mlp import Mlp
from wgpipe.train.critic import Critic


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture
def critic() -> Critic:
    """Three members on R^2, in float64."""
    net = Mlp(hidden=(8, 8))
    each = [net.init(np.random.default_rng(seed), 2, 1) for seed in range(3)]
    return Critic(net, {name: torch.from_numpy(np.stack([one[name] for one in each])).double() for name in each[0]})


@pytest.fixture
def real() -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(10).standard_normal((3, 7, 2)))


@pytest.fixture
def fake() -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(11).standard_normal((3, 7, 2)) * 2 + 1)

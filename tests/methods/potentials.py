"""Networks whose answers are known, for tests of methods that are written for any network."""

from __future__ import annotations

import numpy as np
import torch

from wgpipe.nets import Net, Params, product
from wgpipe.nets.icnn import Icnn
from wgpipe.train.critic import Critic, method_state, named_part

SMALL = Icnn(hidden=(8, 8), activation="celu", rank=1, strong_convexity=0.1)


class Quadratic(Net):
    """f(x) = ½ x'Ax + b'x with A = SS'."""

    def init(self, stream: np.random.Generator, inputs: int, outputs: int) -> dict[str, np.ndarray]:
        root = np.eye(inputs) + 0.3 * stream.standard_normal((inputs, inputs))
        return {"root": root, "slope": stream.standard_normal((inputs, 1))}

    def apply(self, params: Params, x: torch.Tensor) -> torch.Tensor:
        return 0.5 * product(x, params["root"]).square().sum(dim=-1, keepdim=True) + product(x, params["slope"])


class Table(Net):
    """A function on the points of one batch, given by its values there."""

    def apply(self, params: Params, x: torch.Tensor) -> torch.Tensor:
        return params["values"]


def critic_of(
    net: Net,
    parts: dict[str, tuple[int, int]],
    members: tuple[int, ...] = (0, 1, 2),
    state: tuple[str, ...] = (),
    dtype: torch.dtype = torch.float64,
) -> Critic:
    """The critic of a stack whose member e has the parameters of seed e."""
    each = []
    for member in members:
        stream = np.random.default_rng(member)
        arrays: dict[str, np.ndarray] = {}
        for part, (inputs, outputs) in parts.items():
            arrays |= named_part(part, net.init(stream, inputs, outputs))
        each.append(arrays | {method_state(name): np.zeros(1) for name in state})
    params = {name: torch.from_numpy(np.stack([one[name] for one in each])).to(dtype) for name in each[0]}
    for name, value in params.items():
        value.requires_grad_(not name.startswith("state."))
    return Critic(net, params)


def matrices(critic: Critic) -> tuple[torch.Tensor, torch.Tensor]:
    """(E, d, d) A and (E, 1, d) b of quadratic potentials."""
    root = critic.params["root"].detach()
    return root @ root.mT, critic.params["slope"].detach().mT


def points(seed: int, count: int = 7, dimension: int = 2, members: tuple[int, ...] = (0, 1, 2)) -> torch.Tensor:
    """(E, B, d) float64 points that depend on the seed and the member."""
    each = [np.random.default_rng((seed, member)).standard_normal((count, dimension)) for member in members]
    return torch.from_numpy(np.stack(each))

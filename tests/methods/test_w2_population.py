"""A member of a stack has the losses and gradients that it would have alone, to the bit."""

from __future__ import annotations

import pytest
import torch

from tests.methods.potentials import critic_of, points
from wgpipe.methods import Adversarial
from wgpipe.methods.seguy import Seguy
from wgpipe.methods.w2_icnn import W2Icnn
from wgpipe.methods.w2gn import W2gn
from wgpipe.nets import Net
from wgpipe.nets.icnn import Icnn
from wgpipe.nets.mlp import Mlp
from wgpipe.nets.quadratic import Quadratic

DENSE = Icnn(hidden=(32, 32), activation="celu", rank=1)
CASES: list[tuple[Adversarial, Net]] = [
    (W2Icnn(), Icnn(hidden=(32, 32))),
    (W2Icnn(potential="source"), DENSE),
    (W2Icnn(), Quadratic()),
    (W2gn(), DENSE),
    (Seguy(), Mlp(hidden=(32, 32))),
    (Seguy(map="gradient", regulariser="entropy", epsilon=1), DENSE),
]


def results(method: Adversarial, net: Net, members: tuple[int, ...], dimension: int) -> list[torch.Tensor]:
    critic = critic_of(net, method.parts(dimension), members, tuple(method.state()), torch.float32)
    real = points(1, 64, dimension, members).float()
    fake = (1.5 * points(2, 64, dimension, members) + 1).float().requires_grad_()
    trained = [value for value in critic.params.values() if value.requires_grad]
    loss = method.critic_objective(critic, real, fake.detach())
    of_critic = torch.autograd.grad(loss.sum(), trained)
    of_generator = torch.autograd.grad(method.generator_objective(critic, fake, real).sum(), fake)
    states = [critic.state(name) for name in method.state()]
    return [loss.detach(), *of_critic, *of_generator, *states]


@pytest.mark.parametrize("dimension", [1, 3])
@pytest.mark.parametrize(("method", "net"), CASES, ids=repr)
def test_a_stack_equals_its_members(method: Adversarial, net: Net, dimension: int) -> None:
    together = results(method, net, (0, 1, 2), dimension)
    for member in range(3):
        alone = results(method, net, (member,), dimension)
        assert all(torch.equal(a[0], b[member]) for a, b in zip(alone, together, strict=True))

"""Gradients are written out wherever that is possible, and found by automatic differentiation elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

import pytest
import torch

from wgpipe import registry
from wgpipe.methods import Adversarial
from wgpipe.methods.constraints import Constraint
from wgpipe.methods.wgan import Wgan
from wgpipe.nets import Params
from wgpipe.nets.mlp import Mlp
from wgpipe.recipe import Recipe
from wgpipe.train.critic import Critic
from wgpipe.train.population import Population

BATCH = 32
ADVERSARIAL = [name for name in registry.files("method") if issubclass(registry.load("method", name), Adversarial)]
METHODS = [name for name in ADVERSARIAL if registry.load("method", name)().of_values_alone()]


class OfPoints(Adversarial):
    """A loss of more than the critic's values."""

    registered_name: ClassVar[str] = "of-points"

    def critic_objective(self, critic: Critic, real: torch.Tensor, fake: torch.Tensor) -> torch.Tensor:
        return (critic(fake) - critic(real)).mean(dim=1) + (fake - real).square().mean(dim=(1, 2))

    def generator_loss(self, f_fake: torch.Tensor) -> torch.Tensor:
        return -f_fake.mean(dim=1)


class Squared(Wgan):
    """A loss of its own, with the derivatives of the one that it inherits from."""

    def critic_loss(self, f_real: torch.Tensor, f_fake: torch.Tensor) -> torch.Tensor:
        return super().critic_loss(f_real, f_fake).square()


class Doubled(Mlp):
    """Twice a perceptron, which is none of the kind that it inherits from."""

    def apply(self, params: Params, x: torch.Tensor) -> torch.Tensor:
        return 2 * super().apply(params, x)


class Steep(Constraint):
    """A penalty of the user's own."""

    def penalty(self, slope: torch.Tensor) -> torch.Tensor:
        return slope.pow(4).mean(dim=1)


@pytest.fixture
def mine(monkeypatch: pytest.MonkeyPatch) -> None:
    """The classes above, found by name."""
    own = {
        ("method", "of-points"): OfPoints,
        ("method", "squared"): Squared,
        ("net", "doubled"): Doubled,
        ("constraint", "steep"): Steep,
    }
    load = registry.load
    monkeypatch.setattr(registry, "load", lambda kind, name: own.get((kind, name)) or load(kind, name))


@pytest.fixture
def path_of(recipe: Callable[..., Recipe], populate: Callable[..., Population]) -> Callable[..., str]:
    """`path_of(method, constraint, generator, critic)`: which code trains this."""

    def name(
        method: str = "wgan",
        constraint: str = "none",
        generator: str = "mlp",
        critic: str = "mlp",
        path: str = "auto",
    ) -> str:
        nets = {side: {"name": net, "hidden": [8]} for side, net in (("generator", generator), ("critic", critic))}
        chosen = recipe(method, constraint, **nets, batch=BATCH, steps=2)
        population = populate(chosen, (0, 1), path=path)
        population.train_chunk()
        assert (population.diverged_at == -1).all()
        return population.steps(BATCH).name

    return name


@pytest.mark.parametrize("constraint", registry.files("constraint"))
@pytest.mark.parametrize("method", METHODS)
def test_perceptrons_are_trained_by_passes_written_out(
    path_of: Callable[..., str], method: str, constraint: str
) -> None:
    assert path_of(method, constraint) == "analytic"
    assert path_of(method, constraint, path="autograd") == "autograd"


@pytest.mark.parametrize("net", ["groupsort", "spectral"])
def test_other_networks_on_either_side_are_not(path_of: Callable[..., str], net: str) -> None:
    assert path_of(generator=net) == path_of(critic=net) == "autograd"


def test_the_original_gans_are_among_them() -> None:
    assert {"wgan", "vanilla"} <= set(METHODS)


@pytest.mark.usefixtures("mine")
def test_nor_are_losses_of_more_than_the_critics_values(path_of: Callable[..., str]) -> None:
    assert path_of("of-points") == "autograd"


@pytest.mark.usefixtures("mine")
def test_nor_is_a_network_that_inherits_from_a_perceptron_and_is_none(path_of: Callable[..., str]) -> None:
    with pytest.warns(UserWarning, match="written-out gradients differ from automatic differentiation"):
        assert path_of(critic="doubled") == path_of(generator="doubled") == "autograd"


@pytest.mark.usefixtures("mine")
def test_nor_is_a_loss_that_inherits_the_derivative_of_another(path_of: Callable[..., str]) -> None:
    with pytest.warns(UserWarning, match="written-out gradients differ from automatic differentiation"):
        assert path_of("squared") == "autograd"


@pytest.mark.usefixtures("mine")
def test_a_penalty_without_a_derivative_takes_part(
    path_of: Callable[..., str], recipe: Callable[..., Recipe], populate: Callable[..., Population]
) -> None:
    assert path_of(constraint="steep") == "analytic"
    chosen = recipe(constraint="steep", steps=5)
    both = [populate(chosen, (0, 1), dtype=torch.float64, path=path) for path in ("auto", "autograd")]
    losses = [population.train_chunk()["critic_loss"] for population in both]
    assert losses[0] == pytest.approx(losses[1], abs=1e-9)
    unpenalised = populate(recipe(steps=5), (0, 1), dtype=torch.float64).train_chunk()["critic_loss"]
    assert (abs(losses[0] - unpenalised) > 1e-3).all()

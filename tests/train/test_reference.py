"""The whole training equals a plain PyTorch loop, written for one run as the papers describe it, member by member.

It does so on both paths: gradients by automatic differentiation, and by passes written out.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.nn.functional import binary_cross_entropy_with_logits as cross_entropy

from wgpipe import registry
from wgpipe.nets import Params
from wgpipe.recipe import Piece, Recipe
from wgpipe.train.draws import Draws
from wgpipe.train.population import Population

SEEDS = (3, 0)
STEPS = 12
PATHS = {"analytic": "auto", "autograd": "autograd"}  # name -> what to ask for
TRAINING = {
    "steps": STEPS,
    "batch": 32,
    "critic_steps": 2,
    "generator_rate": 1e-3,
    "critic_rate": 2e-3,
    "betas": (0.0, 0.9),
    "decay": "linear",
}
METHODS = {
    "wgan": {"name": "wgan"},
    "non-saturating": {"name": "vanilla", "loss": "non-saturating"},
    "minimax": {"name": "vanilla", "loss": "minimax"},
}
CONSTRAINTS = {
    "none": {"name": "none"},
    "clip": {"name": "clip", "bound": 0.05},
    "gp": {"name": "gp", "weight": 10.0, "lipschitz": 0.5},
    "lp": {"name": "lp", "weight": 5.0, "lipschitz": 0.3},
}
PERCEPTRONS: dict[str, dict[str, Any]] = {
    "leaky": {"hidden": [8, 8], "activation": "leaky_relu"},
    "one layer": {"hidden": [9]},
    "one leaky layer": {"hidden": [9], "activation": "leaky_relu"},
    "three layers": {"hidden": [5, 7, 6]},
    "three leaky layers": {"hidden": [5, 7, 6], "activation": "leaky_relu"},
    "one unit a layer": {"hidden": [1, 1], "activation": "leaky_relu"},
    "one unit between others": {"hidden": [6, 1, 5], "activation": "leaky_relu"},
}
HINGE = """
from wgpipe.methods import Adversarial
from wgpipe.registry import register


@register("hinge")
class Hinge(Adversarial):
    def critic_loss(self, f_real, f_fake):
        return ((1 - f_real).clamp_min(0) + (1 + f_fake).clamp_min(0)).mean(dim=1)

    def generator_loss(self, f_fake):
        return -f_fake.mean(dim=1)
"""
LIPSCHITZ_CRITICS = {
    "groupsort": {"name": "groupsort", "hidden": [8, 8], "lipschitz": 2.0},
    "spectral": {"name": "spectral", "hidden": [8, 8], "lipschitz": 2.0},
}


class Dense(torch.nn.Module):
    """Linear layers with (leaky) ReLU between them."""

    def __init__(self, params: Params, member: int, activation: str = "relu") -> None:
        super().__init__()
        self.activation = {"relu": torch.nn.ReLU(), "leaky_relu": torch.nn.LeakyReLU(0.2)}[activation]
        self.layers = torch.nn.ModuleList()
        for layer in range(sum(name.startswith("weight") for name in params)):
            weight, bias = params[f"weight{layer}"][member], params[f"bias{layer}"][member, 0]
            linear = torch.nn.Linear(*weight.shape, dtype=torch.float64)
            linear.weight.data, linear.bias.data = weight.detach().T.clone(), bias.detach().clone()
            self.layers.append(linear)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for layer in self.layers[:-1]:
            x = self.activation(layer(x))
        return self.layers[-1](x)

    def after_update(self) -> None:
        pass


class MaxMin(Dense):
    """Anil et al. 2019: sorted pairs, a Björck iteration in each layer, and two more after each update."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for layer in self.layers[:-1]:
            pairs = torch.stack(self.affine(layer, x).chunk(2, dim=1))
            x = torch.cat(list(pairs.sort(dim=0).values), dim=1)
        return 2.0 * self.affine(self.layers[-1], x)

    def affine(self, layer: torch.nn.Linear, x: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.linear(x, self.closer(layer.weight), layer.bias)

    def closer(self, w: torch.Tensor) -> torch.Tensor:
        return w @ (3 * torch.eye(w.shape[1]) - w.T @ w) / 2

    def after_update(self) -> None:
        for layer in self.layers:
            layer.weight.data = self.closer(self.closer(layer.weight.data))


class Normalised(Dense):
    """Miyato et al. 2018: weights divided by u'Wv, one power iteration after each update."""

    def __init__(self, params: Params, member: int) -> None:
        super().__init__(params, member)
        self.u = [params[f"state.right{layer}"][member, :, 0].clone() for layer in range(len(self.layers))]
        self.v = [params[f"state.left{layer}"][member, :, 0].clone() for layer in range(len(self.layers))]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for index, (layer, u, v) in enumerate(zip(self.layers, self.u, self.v, strict=True)):
            x = torch.nn.functional.linear(x, layer.weight / (u @ layer.weight @ v), layer.bias)
            x = x.relu() if index < len(self.layers) - 1 else x
        return 2.0 * x

    def after_update(self) -> None:
        for index, layer in enumerate(self.layers):
            u = layer.weight.data @ self.v[index]
            self.u[index] = u / u.norm()
            v = layer.weight.data.T @ self.u[index]
            self.v[index] = v / v.norm()


CRITICS = {"groupsort": MaxMin, "spectral": Normalised}


def critic_loss(method: str, f_real: torch.Tensor, f_fake: torch.Tensor) -> torch.Tensor:
    if method == "wgan":
        return f_fake.mean() - f_real.mean()
    if method == "hinge":
        return (1 - f_real).relu().mean() + (1 + f_fake).relu().mean()
    return cross_entropy(f_real, torch.ones_like(f_real)) + cross_entropy(f_fake, torch.zeros_like(f_fake))


def generator_loss(method: str, f_fake: torch.Tensor) -> torch.Tensor:
    if method in ("wgan", "hinge"):
        return -f_fake.mean()
    if method == "minimax":
        return -cross_entropy(f_fake, torch.zeros_like(f_fake))
    return cross_entropy(f_fake, torch.ones_like(f_fake))


def penalty(constraint: str, critic: Dense, real: torch.Tensor, fake: torch.Tensor, mix: torch.Tensor) -> torch.Tensor:
    between = (mix * real + (1 - mix) * fake).requires_grad_()
    (gradient,) = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
    slope = gradient.norm(dim=1)
    if constraint == "gp":
        return 10 * (slope - 0.5).square().mean()
    return 5 * torch.clamp(slope - 0.3, min=0).square().mean()


def train_alone(
    method: str, constraint: str, generator: Dense, critic: Dense, sample: torch.Tensor, draws: Draws, member: int
) -> dict[str, torch.Tensor]:
    """One run; (steps,) its losses."""
    generator_adam = torch.optim.Adam(generator.parameters(), lr=1e-3, betas=(0.0, 0.9))
    critic_adam = torch.optim.Adam(critic.parameters(), lr=2e-3, betas=(0.0, 0.9))
    critic_losses, generator_losses = [], []
    for step in range(STEPS):
        decay = min(1.0, 2 * (STEPS - step) / STEPS)
        generator_adam.param_groups[0]["lr"], critic_adam.param_groups[0]["lr"] = 1e-3 * decay, 2e-3 * decay
        for inner in range(2):
            real = sample[draws.indices[step, inner, member]]
            fake = generator(draws.critic_noise[step, member, :, inner].T).detach()
            loss = critic_loss(method, critic(real), critic(fake))
            if constraint in ("gp", "lp"):
                loss = loss + penalty(constraint, critic, real, fake, draws.mixes[step, inner, member])
            critic_adam.zero_grad()
            loss.backward()
            critic_adam.step()
            if constraint == "clip":
                for value in critic.parameters():
                    value.data.clamp_(-0.05, 0.05)
            critic.after_update()
        critic_losses.append(loss.detach())
        loss = generator_loss(method, critic(generator(draws.generator_noise[step, member].T)))
        generator_adam.zero_grad()
        loss.backward()
        generator_adam.step()
        generator_losses.append(loss.detach())
    return {"critic_loss": torch.stack(critic_losses), "generator_loss": torch.stack(generator_losses)}


def network(piece: Piece, params: Params, member: int) -> Dense:
    """A member's network, as a reader of its paper would write it."""
    if piece.name == "mlp":
        return Dense(params, member, piece.settings.get("activation", "relu"))
    return CRITICS[piece.name](params, member)


@pytest.fixture
def compare(
    populate: Callable[..., Population], sample: Callable[..., torch.Tensor]
) -> Callable[[Recipe, str, dict[str, str]], None]:
    """`compare(recipe, method, paths)`: each of the paths with the plain loop."""

    def run(recipe: Recipe, method: str, paths: dict[str, str], d: int = 3, latent: int = 2) -> None:
        assert recipe.generator is not None
        assert recipe.critic is not None
        points = sample(SEEDS, d)
        populations = {
            name: populate(recipe, SEEDS, points, torch.float64, asked, latent) for name, asked in paths.items()
        }
        first = next(iter(populations.values()))
        draws = first.members.draw(recipe, latent, 0, torch.device("cpu"), torch.float64)
        alone = []
        for member in range(len(SEEDS)):
            generator = network(recipe.generator, first.generator.params, member)
            critic = network(recipe.critic, first.critic.params, member)
            losses = train_alone(method, recipe.constraint.name, generator, critic, points[member], draws, member)
            alone.append((generator, critic, losses))
        for name, population in populations.items():
            assert population.steps(recipe.training.batch).name == name
            assert_equal(population, alone)

    return run


def assert_equal(population: Population, alone: list[tuple[Dense, Dense, dict[str, torch.Tensor]]]) -> None:
    start = population.state()
    losses = population.train_chunk()
    assert not torch.equal(population.state()["generator.weight0"], start["generator.weight0"])
    for member, (generator, critic, expected) in enumerate(alone):
        for name, values in expected.items():
            assert losses[name][member] == pytest.approx(values.mean().item(), abs=1e-9)
        for side, module in ((population.generator, generator), (population.critic, critic)):
            for layer, linear in enumerate(module.layers):
                found = side.params[f"weight{layer}"][member].T, side.params[f"bias{layer}"][member, 0]
                torch.testing.assert_close(found[0], linear.weight, rtol=0, atol=1e-9)
                torch.testing.assert_close(found[1], linear.bias, rtol=0, atol=1e-9)


Compare = Callable[..., None]
NewRecipe = Callable[..., Recipe]


@pytest.mark.parametrize("constraint", CONSTRAINTS)
@pytest.mark.parametrize("method", METHODS)
def test_every_method_with_every_constraint(recipe: NewRecipe, compare: Compare, method: str, constraint: str) -> None:
    compare(recipe(METHODS[method], CONSTRAINTS[constraint], **TRAINING), method, PATHS)


@pytest.mark.parametrize(("method", "constraint"), [("wgan", "gp"), ("minimax", "lp")])
@pytest.mark.parametrize("name", PERCEPTRONS)
def test_perceptrons_of_every_shape(
    recipe: NewRecipe, compare: Compare, name: str, method: str, constraint: str
) -> None:
    net = {"name": "mlp", **PERCEPTRONS[name]}
    chosen = recipe(METHODS[method], CONSTRAINTS[constraint], generator=net, critic=net, **TRAINING)
    compare(chosen, method, PATHS)


@pytest.mark.parametrize(("d", "latent"), [(1, 1), (1, 3), (4, 1)])
@pytest.mark.parametrize("name", ["one layer", "leaky"])
def test_one_dimension_on_either_side(recipe: NewRecipe, compare: Compare, name: str, d: int, latent: int) -> None:
    net = {"name": "mlp", **PERCEPTRONS[name]}
    chosen = recipe(METHODS["non-saturating"], CONSTRAINTS["gp"], generator=net, critic=net, **TRAINING)
    compare(chosen, "non-saturating", PATHS, d, latent)


def test_a_critic_that_is_flat_on_half_of_the_space(
    recipe: NewRecipe, compare: Compare, populate: Callable[..., Population]
) -> None:
    """The slope has no derivative where it is 0; all take 0 there."""
    chosen = recipe("wgan", CONSTRAINTS["gp"], critic={"name": "mlp", "hidden": [1]}, **TRAINING)
    untrained = populate(chosen, SEEDS, dtype=torch.float64)
    x = 4 * torch.randn(2, 500, 3, dtype=torch.float64)
    flat = (untrained.critic.net.input_gradient(untrained.critic.params, x) == 0).all(dim=-1).double().mean(dim=1)
    assert (flat > 0.1).all()
    assert (flat < 0.9).all()
    compare(chosen, "wgan", PATHS)


@pytest.mark.parametrize("critic", LIPSCHITZ_CRITICS)
@pytest.mark.parametrize("method", METHODS)
def test_every_method_with_every_lipschitz_critic(
    recipe: NewRecipe, compare: Compare, method: str, critic: str
) -> None:
    chosen = recipe(METHODS[method], "none", critic=LIPSCHITZ_CRITICS[critic], **TRAINING)
    compare(chosen, method, {"autograd": "auto"})


@pytest.mark.parametrize("constraint", ["none", "lp"])
def test_a_method_of_the_users_own_that_writes_no_derivatives(
    recipe: NewRecipe, compare: Compare, constraint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "_own_files", {})
    monkeypatch.setattr(registry, "_classes", {**registry._classes})
    (tmp_path / "hinge.py").write_text(HINGE)
    registry.add_files("method", {"hinge": tmp_path / "hinge.py"})
    compare(recipe("hinge", CONSTRAINTS[constraint], **TRAINING), "hinge", PATHS)


def test_no_constraint_is_left_out() -> None:
    assert set(CONSTRAINTS) == set(registry.files("constraint"))

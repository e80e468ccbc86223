"""The whole training equals a plain PyTorch loop, written for one run as the papers describe it, member by member."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch.nn.functional import binary_cross_entropy_with_logits as cross_entropy

from wgpipe import registry
from wgpipe.nets import Params
from wgpipe.recipe import Recipe
from wgpipe.train.draws import Draws
from wgpipe.train.population import Population

SEEDS = (3, 0)
STEPS = 50
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
LIPSCHITZ_CRITICS = {
    "groupsort": {"name": "groupsort", "hidden": [8, 8], "lipschitz": 2.0},
    "spectral": {"name": "spectral", "hidden": [8, 8], "lipschitz": 2.0},
}


class Dense(torch.nn.Module):
    """Linear layers with ReLU between them."""

    def __init__(self, params: Params, member: int) -> None:
        super().__init__()
        self.layers = torch.nn.ModuleList()
        for layer in range(sum(name.startswith("weight") for name in params)):
            weight, bias = params[f"weight{layer}"][member], params[f"bias{layer}"][member, 0]
            linear = torch.nn.Linear(*weight.shape, dtype=torch.float64)
            linear.weight.data, linear.bias.data = weight.detach().T.clone(), bias.detach().clone()
            self.layers.append(linear)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for layer in self.layers[:-1]:
            x = layer(x).relu()
        return self.layers[-1](x)

    def after_update(self) -> None:
        pass


class MaxMin(Dense):
    """Anil et al. 2019: orthonormal weights, three Björck iterations after each update, sorted pairs."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for layer in self.layers[:-1]:
            pairs = torch.stack(layer(x).chunk(2, dim=1))
            x = torch.cat(list(pairs.sort(dim=0).values), dim=1)
        return 2.0 * self.layers[-1](x)

    def after_update(self) -> None:
        for layer in self.layers:
            w = layer.weight.data
            for _ in range(3):
                w = w @ (3 * torch.eye(w.shape[1]) - w.T @ w) / 2
            layer.weight.data = w


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


CRITICS = {"mlp": Dense, "groupsort": MaxMin, "spectral": Normalised}


def critic_loss(method: str, f_real: torch.Tensor, f_fake: torch.Tensor) -> torch.Tensor:
    if method == "wgan":
        return f_fake.mean() - f_real.mean()
    return cross_entropy(f_real, torch.ones_like(f_real)) + cross_entropy(f_fake, torch.zeros_like(f_fake))


def generator_loss(method: str, f_fake: torch.Tensor) -> torch.Tensor:
    if method == "wgan":
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
            fake = generator(draws.critic_noise[step, inner, member]).detach()
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
        loss = generator_loss(method, critic(generator(draws.generator_noise[step, member])))
        generator_adam.zero_grad()
        loss.backward()
        generator_adam.step()
        generator_losses.append(loss.detach())
    return {"critic_loss": torch.stack(critic_losses), "generator_loss": torch.stack(generator_losses)}


def compare(recipe: Recipe, population: Population, sample: torch.Tensor, method: str) -> None:
    assert recipe.critic is not None
    draws = population.members.draw(recipe, 2, 0, torch.device("cpu"), torch.float64)
    alone = [
        (Dense(population.generator, member), CRITICS[recipe.critic.name](population.critic, member))
        for member in range(len(SEEDS))
    ]
    losses = population.train_chunk()
    for member, (generator, critic) in enumerate(alone):
        expected = train_alone(method, recipe.constraint.name, generator, critic, sample[member], draws, member)
        for name, values in expected.items():
            assert losses[name][member] == pytest.approx(values.mean().item(), abs=1e-9)
        for params, module in ((population.generator, generator), (population.critic, critic)):
            for layer, linear in enumerate(module.layers):
                found = params[f"weight{layer}"][member].T, params[f"bias{layer}"][member, 0]
                torch.testing.assert_close(found[0], linear.weight, rtol=0, atol=1e-9)
                torch.testing.assert_close(found[1], linear.bias, rtol=0, atol=1e-9)


@pytest.mark.parametrize("constraint", CONSTRAINTS)
@pytest.mark.parametrize("method", METHODS)
def test_every_method_with_every_constraint(
    recipe: Callable[..., Recipe],
    populate: Callable[..., Population],
    sample: Callable[..., torch.Tensor],
    method: str,
    constraint: str,
) -> None:
    chosen = recipe(METHODS[method], CONSTRAINTS[constraint], **TRAINING)
    compare(chosen, populate(chosen, SEEDS, dtype=torch.float64), sample(SEEDS), method)


@pytest.mark.parametrize("critic", LIPSCHITZ_CRITICS)
@pytest.mark.parametrize("method", METHODS)
def test_every_method_with_every_lipschitz_critic(
    recipe: Callable[..., Recipe],
    populate: Callable[..., Population],
    sample: Callable[..., torch.Tensor],
    method: str,
    critic: str,
) -> None:
    chosen = recipe(METHODS[method], "none", critic=LIPSCHITZ_CRITICS[critic], **TRAINING)
    compare(chosen, populate(chosen, SEEDS, dtype=torch.float64), sample(SEEDS), method)


def test_no_constraint_is_left_out() -> None:
    assert set(CONSTRAINTS) == set(registry.files("constraint"))

"""The regularised dual of Seguy et al., at its optimum the value and the plan of other solvers."""

from __future__ import annotations

from typing import Any

import numpy as np
import ot
import pytest
import torch

from tests.methods.potentials import Quadratic, Table, critic_of, matrices, points
from wgpipe.methods.seguy import Seguy
from wgpipe.nets.mlp import Mlp
from wgpipe.train.critic import Critic

COUNT = 16
SETTINGS = [{"regulariser": "entropy", "epsilon": 0.3}, {"regulariser": "l2", "epsilon": 0.3}]


def surplus_of(critic: Critic, x: torch.Tensor, y: torch.Tensor) -> np.ndarray:
    u, v = critic.part("source")(x).detach().numpy(), critic.part("target")(y).detach().numpy()
    return np.asarray(u[:, :, None] + v[:, None, :] - 0.5 * ((x[:, :, None] - y[:, None]) ** 2).sum(-1).numpy())


@pytest.mark.parametrize("settings", SETTINGS, ids=repr)
def test_the_objective_is_the_negative_dual_over_all_pairs(settings: dict[str, Any]) -> None:
    method = Seguy(**settings)
    critic = critic_of(Mlp(hidden=(8,)), method.parts(2))
    x, y = points(1), points(2) + 1
    s = surplus_of(critic, x, y)
    penalty = 0.3 * np.exp(s / 0.3) if method.regulariser == "entropy" else np.maximum(s, 0) ** 2 / 1.2
    u, v = critic.part("source")(x).detach().numpy(), critic.part("target")(y).detach().numpy()
    expected = penalty.mean(axis=(1, 2)) - u.mean(axis=1) - v.mean(axis=1)
    np.testing.assert_allclose(method.critic_objective(critic, y, x).detach(), expected, rtol=1e-12)


@pytest.mark.parametrize("settings", SETTINGS, ids=repr)
def test_the_density_is_the_derivative_of_the_penalty(settings: dict[str, Any]) -> None:
    method = Seguy(**settings)
    surplus = torch.linspace(-1, 1, 21, dtype=torch.float64, requires_grad=True)
    (derivative,) = torch.autograd.grad(method._penalty(surplus).sum(), surplus)
    torch.testing.assert_close(method._density(surplus.detach()), derivative)


def solved(method: Seguy) -> tuple[Critic, torch.Tensor, torch.Tensor, float]:
    """Free potentials on the points of one small sample of each law, at the optimum, and the dual there."""
    x, y = points(3, COUNT, members=(0,)), points(4, COUNT, members=(0,)) + 1
    tables = {f"{part}.values": torch.zeros(1, COUNT, 1, dtype=torch.float64) for part in ("source", "target")}
    params = {**tables, "map.values": x.clone()}
    for value in params.values():
        value.requires_grad_()
    critic = Critic(Table(), params)
    lbfgs = torch.optim.LBFGS(
        [params["source.values"], params["target.values"]],
        max_iter=2000,
        tolerance_grad=1e-11,
        tolerance_change=1e-15,
        line_search_fn="strong_wolfe",
    )

    def closure() -> torch.Tensor:
        lbfgs.zero_grad()
        loss = method.critic_objective(critic, y, x).sum()
        loss.backward()
        return loss

    lbfgs.step(closure)
    return critic, x, y, -method.critic_objective(critic, y, x).item()


def test_the_entropic_optimum_is_sinkhorns() -> None:
    method = Seguy(**SETTINGS[0])
    _, x, y, dual = solved(method)
    weights = np.full(COUNT, 1 / COUNT)
    costs = 0.5 * ot.dist(x[0].numpy(), y[0].numpy())
    plan = ot.sinkhorn(weights, weights, costs, 0.3, stopThr=1e-13, numItermax=10_000)
    assert dual == pytest.approx((plan * costs).sum() + 0.3 * (plan * np.log(plan * COUNT**2)).sum() - 0.3, rel=1e-7)


def test_the_l2_optimum_is_that_of_the_regularised_primal() -> None:
    method = Seguy(**SETTINGS[1])
    _, x, y, dual = solved(method)
    weights = np.full(COUNT, 1 / COUNT)
    costs = 0.5 * ot.dist(x[0].numpy(), y[0].numpy())
    plan = ot.smooth.smooth_ot_dual(
        weights, weights, costs, 2 * 0.3 * COUNT**2, reg_type="l2", stopThr=1e-13, numItermax=5000
    )
    assert dual == pytest.approx((plan * costs).sum() + 0.3 * COUNT**2 * (plan**2).sum(), rel=1e-6)


@pytest.mark.parametrize("settings", SETTINGS, ids=repr)
def test_the_barycentric_projection_is_stationary_for_the_map(settings: dict[str, Any]) -> None:
    method = Seguy(**settings)
    critic, x, y, _ = solved(method)
    density = method._density(torch.from_numpy(surplus_of(critic, x, y)))
    torch.testing.assert_close(density.mean(dim=2), torch.ones(1, COUNT, dtype=torch.float64), rtol=0, atol=1e-5)
    projection = (density @ y / density.sum(dim=2, keepdim=True)).requires_grad_()
    at_projection = Critic(Table(), {**critic.params, "map.values": projection})
    (gradient,) = torch.autograd.grad(method.critic_objective(at_projection, y, x).sum(), projection)
    torch.testing.assert_close(gradient, torch.zeros_like(gradient), rtol=0, atol=1e-12)
    (elsewhere,) = torch.autograd.grad(method.critic_objective(critic, y, x).sum(), critic.params["map.values"])
    torch.testing.assert_close(elsewhere, density.mean(dim=2)[..., None] * (x - projection).detach() / COUNT)


def test_by_gradient_the_map_is_that_of_the_potential() -> None:
    method = Seguy(map="gradient")
    critic = critic_of(Quadratic(), method.parts(2))
    x = points(5)
    matrix, slope = matrices(critic.part("source"))
    torch.testing.assert_close(method.transport(critic, x).detach(), x @ matrix + slope)
    assert "map" not in method.parts(2)
    fake = x.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(method.generator_objective(critic, fake, x).sum(), fake)
    torch.testing.assert_close(gradient, (x - x @ matrix - slope) / 7)


def test_the_barycentric_map_is_the_third_network() -> None:
    method = Seguy()
    critic = critic_of(Mlp(hidden=(8,)), method.parts(2))
    assert torch.equal(method.transport(critic, points(5)), critic.part("map").vector(points(5)))
    assert method.inverse(critic, points(5)) is None

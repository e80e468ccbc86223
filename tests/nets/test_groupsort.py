"""GroupSort networks stay orthonormal, hence 1-Lipschitz, however they are updated."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from scipy.linalg import polar

from wgpipe.nets import Params
from wgpipe.nets.groupsort import GroupSort, orthonormalise, sort_pairs

Stack = Callable[..., Params]
ADAM_STEP = 2e-3  # a default critic rate; one update moves no weight by much more


def orthonormality_error(weight: torch.Tensor) -> float:
    tall = weight if weight.shape[-2] >= weight.shape[-1] else weight.mT
    return float((tall.mT @ tall - torch.eye(tall.shape[-1])).abs().max())


@pytest.fixture
def updated(stack: Stack) -> tuple[GroupSort, Params]:
    """After 200 updates of Adam's size in random directions, each followed by the projection, in float32."""
    net = GroupSort(hidden=(64, 64), lipschitz=3.0)
    params = stack(net, 64, 1, torch.float32)
    generator = torch.Generator().manual_seed(0)
    for _ in range(200):
        for value in params.values():
            value += ADAM_STEP * torch.randn(value.shape, generator=generator).sign()
        net.project(params)
    return net, params


def test_weights_start_orthonormal(stack: Stack) -> None:
    params = stack(GroupSort(hidden=(16, 12)), 20, 1, torch.float32)
    for layer in range(3):
        assert orthonormality_error(params[f"weight{layer}"]) < 1e-6


def test_weights_are_orthonormal_after_many_updates(updated: tuple[GroupSort, Params]) -> None:
    _, params = updated
    for layer in range(3):
        assert orthonormality_error(params[f"weight{layer}"]) < 1e-5


def test_no_two_points_have_a_slope_above_the_constant(updated: tuple[GroupSort, Params]) -> None:
    net, params = updated
    params = {name: value.double() for name, value in params.items()}
    x = torch.randn(3, 200, 64, dtype=torch.float64)
    steepest = x + 1e-3 * net.input_gradient(params, x)
    points = torch.cat([x, steepest, x.flip(1) + 0.1], dim=1)
    values = net.apply(params, points).squeeze(-1)
    rises = (values[:, :, None] - values[:, None, :]).abs()
    distances = torch.cdist(points, points, compute_mode="donot_use_mm_for_euclid_dist")
    slopes = rises[distances > 0] / distances[distances > 0]
    assert slopes.max() <= 3.0 * (1 + 1e-5)
    assert slopes.max() >= 3.0 * (1 - 1e-5)
    assert net.lipschitz_bound() == 3.0


def test_pairs_are_sorted() -> None:
    x = torch.randn(3, 5, 8, dtype=torch.float64)
    pairs = torch.sort(torch.stack(x.chunk(2, dim=-1)), dim=0).values
    torch.testing.assert_close(sort_pairs(x), torch.cat([pairs[0], pairs[1]], dim=-1))


def test_sorting_has_the_gradient_of_a_permutation() -> None:
    x = torch.randn(8, dtype=torch.float64)
    jacobian = torch.autograd.functional.jacobian(sort_pairs, x)
    torch.testing.assert_close(jacobian @ jacobian.T, torch.eye(8, dtype=torch.float64))
    torch.testing.assert_close(jacobian @ x, sort_pairs(x))


@pytest.mark.parametrize("last", [False, True])
@pytest.mark.parametrize("shape", [(6, 6), (9, 4), (4, 9), (5, 1), (1, 5)])
def test_orthonormalising_finds_the_polar_factor(shape: tuple[int, int], last: bool) -> None:
    weight = np.random.default_rng(0).standard_normal((2, *shape))
    weight /= np.linalg.norm(weight, 2, axis=(1, 2), keepdims=True)
    result = orthonormalise(torch.from_numpy(weight), 40, last)
    for member in range(2):
        np.testing.assert_allclose(result[member], polar(weight[member])[0], atol=1e-9)


def test_a_weight_that_is_far_off_has_norm_at_most_one_at_once() -> None:
    singular = torch.linspace(0, 2, 9, dtype=torch.float64).diag()
    left, right = (torch.linalg.qr(torch.randn(9, 9, dtype=torch.float64))[0] for _ in range(2))
    result = orthonormalise((left @ singular @ right)[None], steps=1)
    assert torch.linalg.svdvals(result).max() <= 1 + 1e-12


@pytest.mark.parametrize("last", [False, True])
@pytest.mark.parametrize("shape", [(6, 6), (9, 4), (4, 9), (5, 1)])
def test_a_step_from_an_orthonormal_weight_has_the_projection_onto_the_tangent_space_as_derivative(
    shape: tuple[int, int], last: bool
) -> None:
    """Stiefel manifold: D -> D - Q (Q'D + D'Q)/2, for Q with orthonormal columns."""
    stream = np.random.default_rng(1)
    tall = np.linalg.qr(stream.standard_normal((max(shape), min(shape))))[0]
    weight = torch.from_numpy(tall if shape[0] >= shape[1] else tall.T)
    direction = stream.standard_normal(tall.shape)
    inner = tall.T @ direction
    expected = direction - tall @ (inner + inner.T) / 2
    if shape[0] < shape[1]:
        direction, expected = direction.T, expected.T
    jacobian = torch.autograd.functional.jacobian(lambda w: orthonormalise(w[None], 1, last)[0], weight)
    derivative = torch.tensordot(jacobian, torch.from_numpy(direction.copy()), dims=2)
    np.testing.assert_allclose(derivative, expected, atol=1e-12)
    np.testing.assert_allclose(orthonormalise(weight[None], 1, last)[0], weight, atol=1e-12)


@pytest.mark.parametrize("sort", ["pairs", "full"])
def test_a_training_gradient_leaves_the_weights_orthonormal_to_first_order(stack: Stack, sort: str) -> None:
    net = GroupSort(hidden=(8, 6), sort=sort)
    params = stack(net, 3, 1)
    weights = [params[f"weight{layer}"].double().requires_grad_() for layer in range(3)]
    values = net.apply({**params, **{f"weight{i}": w for i, w in enumerate(weights)}}, torch.randn(3, 20, 3).double())
    for weight, gradient in zip(weights, torch.autograd.grad(values.square().sum(), weights), strict=True):
        w, g = (weight, gradient) if weight.shape[1] >= weight.shape[2] else (weight.mT, gradient.mT)
        assert gradient.abs().max() > 0.01
        assert (w.mT @ g + g.mT @ w).abs().max() < 1e-5  # of weights that are orthonormal in float32


def test_an_odd_width_is_refused_with_its_reason() -> None:
    with pytest.raises(ValidationError, match="widths must be even, and 33 is odd"):
        GroupSort(hidden=(32, 33))


@pytest.fixture
def sorting(stack: Stack) -> tuple[GroupSort, Params]:
    """A network of odd widths that sorts all units of a layer, away from its start, in float32."""
    net = GroupSort(hidden=(33, 17), lipschitz=2.0, sort="full")
    params = stack(net, 5, 1, torch.float32)
    generator = torch.Generator().manual_seed(0)
    for _ in range(20):
        for value in params.values():
            value += ADAM_STEP * torch.randn(value.shape, generator=generator).sign()
        net.project(params)
    return net, params


def test_a_full_sort_orders_all_units_of_each_layer(sorting: tuple[GroupSort, Params]) -> None:
    net, params = sorting
    x = torch.randn(3, 9, 5)
    together = net.apply(params, x)
    for member in range(3):
        h = x[member].double().numpy()
        for layer in range(3):
            weight, bias = (params[f"{kind}{layer}"][member].double().numpy() for kind in ("weight", "bias"))
            h = h @ weight + bias
            h = np.sort(h, axis=1) if layer < 2 else 2 * h
        np.testing.assert_allclose(together[member], h, atol=1e-5)


def test_a_full_sort_of_orthonormal_layers_has_slope_equal_to_the_constant_where_they_are_square(stack: Stack) -> None:
    """Orthogonal matrices and permutations keep the gradient's norm: the last layer's row, of norm 1, times L."""
    net = GroupSort(hidden=(6, 6), lipschitz=2.0, sort="full")
    slopes = net.input_gradient(stack(net, 6, 1), torch.randn(3, 40, 6).double()).norm(dim=-1)
    torch.testing.assert_close(slopes.detach(), torch.full((3, 40), 2.0).double())


@pytest.mark.parametrize("inputs", [2, 3, 5])
@pytest.mark.parametrize("outputs", [1, 3])
@pytest.mark.parametrize("sort", ["pairs", "full"])
def test_a_stack_has_the_bytes_of_each_member_alone(stack: Stack, inputs: int, outputs: int, sort: str) -> None:
    """Values, slopes, gradients and projected weights, whatever the dimension of the data."""
    net = GroupSort(hidden=(32, 16), sort=sort)
    params, x = stack(net, inputs, outputs, torch.float32), torch.randn(3, 32, inputs)
    together = everything(net, params, x)
    for member in range(3):
        alone = everything(net, {name: value[member : member + 1] for name, value in params.items()}, x[member, None])
        for name, value in alone.items():
            assert torch.equal(value[0], together[name][member]), name


def everything(net: GroupSort, params: Params, x: torch.Tensor) -> Params:
    leaves = {name: value.clone().requires_grad_() for name, value in params.items()}
    values = net.apply(leaves, x)
    gradients = torch.autograd.grad(values.square().sum(), list(leaves.values()))
    moved = {name: value + ADAM_STEP * value.sign() for name, value in params.items()}
    net.project(moved)
    found = {f"gradient {name}": gradient for name, gradient in zip(leaves, gradients, strict=True)} | moved
    return found | {"values": values.detach(), "slopes": net.input_gradient(params, x).detach()}


def test_pairs_are_the_default_and_two_units_are_one_pair(stack: Stack) -> None:
    assert GroupSort() == GroupSort(sort="pairs")
    params, x = stack(GroupSort(hidden=(2,)), 4, 1), torch.randn(3, 9, 4).double()
    pairs, full = (GroupSort(hidden=(2,), sort=sort).apply(params, x) for sort in ("pairs", "full"))
    torch.testing.assert_close(pairs, full)


@pytest.mark.parametrize("outputs", [2, 64])
def test_a_curve_is_nowhere_faster_than_the_constant(stack: Stack, outputs: int) -> None:
    """A generator with one latent dimension; with 64 outputs no layer loses length, and it has that speed."""
    net = GroupSort(hidden=(64, 64), lipschitz=5.0)
    params = stack(net, 1, outputs)
    times = torch.linspace(-1, 1, 4001, dtype=torch.float64)[None, :, None].expand(3, -1, 1)
    curve = net.apply(params, times)
    assert curve.shape == (3, 4001, outputs)
    speed = curve.diff(dim=1).norm(dim=-1).amax(dim=1) * 2000
    assert (speed <= 5.0 * (1 + 1e-5)).all()
    if outputs == 64:
        assert (speed >= 5.0 * (1 - 1e-5)).all()

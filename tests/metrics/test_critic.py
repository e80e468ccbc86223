"""The critic's numbers where they are known: a critic that is linear on all points that occur."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist

from tests.blocks import SEEDS, N, adversarial, job, prepared, trained
from wgpipe.metrics.critic import CriticValue
from wgpipe.recipe import Recipe
from wgpipe.theory import vanilla
from wgpipe.train import files
from wgpipe.train.evaluate import TrainedBlock

SHIFT = 8.0  # keeps every unit in use open
WEIGHTS = np.array([[0.6, -0.8, 0.0], [1.5, 2.0, -6.0]])  # of norm 1 and 6.5
OFFSETS = np.array([0.25, -1.0])


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return prepared(tmp_path_factory.mktemp("surface"))


def block_of(data: Path, out: Path, recipe: Recipe) -> TrainedBlock:
    made = job(data, recipe)
    return TrainedBlock(made, trained(made, out))


def make_critic_linear(block: TrainedBlock) -> None:
    """f(x) = w·x + b of each member: the first layer shifts x to the positive side, the last one takes that back."""
    stored = load_file(block.folder / files.CRITIC)
    zeros = {name: np.zeros_like(value) for name, value in stored.items()}
    for axis in range(3):
        zeros["weight0"][:, axis, axis] = 1
        zeros["bias0"][:, 0, axis] = SHIFT
        zeros["weight1"][:, axis, axis] = 1
        zeros["weight2"][:, axis, 0] = WEIGHTS[:, axis]
    zeros["bias2"][:, 0, 0] = OFFSETS - SHIFT * WEIGHTS.sum(axis=1)
    save_file(zeros, block.folder / files.CRITIC)


@pytest.fixture
def linear(data: Path, tmp_path: Path) -> TrainedBlock:
    block = block_of(data, tmp_path, adversarial())
    make_critic_linear(block)
    assert max(np.abs(block.training_sample()).max(), np.abs(block.generated(64)).max()) < SHIFT
    return block


def test_the_lipschitz_constant_of_a_linear_critic_is_the_norm_of_its_weights(linear: TrainedBlock) -> None:
    found, _ = CriticValue(generated=64, steps=0).measure(linear)["lipschitz"]
    np.testing.assert_allclose(found, [1, 6.5], rtol=1e-4)


def test_v_is_that_of_the_logits(linear: TrainedBlock) -> None:
    found, _ = CriticValue(generated=64, steps=0).measure(linear)["v"]
    logits = [
        np.einsum("eni,ei->en", points, WEIGHTS) + OFFSETS[:, None]
        for points in (linear.training_sample(), linear.generated(64))
    ]
    np.testing.assert_allclose(found, vanilla.value(*logits), rtol=1e-5)
    by_hand = [
        np.log(2 / (1 + np.exp(-a))).mean() + np.log(2 / (1 + np.exp(b))).mean() for a, b in zip(*logits, strict=True)
    ]
    np.testing.assert_allclose(found, by_hand, rtol=1e-5)


def test_w1_is_that_of_the_best_matching_of_both_samples(linear: TrainedBlock) -> None:
    found, _ = CriticValue(generated=N, steps=0).measure(linear)["sample_w1"]
    costs = [cdist(x, y) for x, y in zip(linear.training_sample(), linear.generated(N), strict=True)]
    expected = [cost[linear_sum_assignment(cost)].mean() for cost in costs]
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_the_half_diameter_is_half_of_the_largest_distance_in_both_samples(linear: TrainedBlock) -> None:
    found, protocol = CriticValue(generated=20, steps=0).measure(linear)["half_diameter"]
    for member in range(len(SEEDS)):
        points = np.concatenate([linear.training_sample()[member], linear.generated(20)[member]])
        largest = max(np.linalg.norm(a - b) for a in points for b in points)
        assert found[member] == pytest.approx(largest / 2, rel=1e-6)
    assert protocol == "critic[n=16,generated=20,steps=0]"


def test_v_of_an_exact_linear_critic_is_below_its_upper_bound(linear: TrainedBlock) -> None:
    """(L/2)·W1 >= V, run by run, at the measured L."""
    measured = {name: column for name, (column, _) in CriticValue(generated=N, steps=0).measure(linear).items()}
    for v, w1, lipschitz in zip(measured["v"], measured["sample_w1"], measured["lipschitz"], strict=True):
        assert v < vanilla.upper_bound(w1, lipschitz)


def test_a_jump_between_the_points_where_slopes_are_taken_is_seen(data: Path, tmp_path: Path) -> None:
    """min(relu(8 + x_0), 8 + c) is flat at most points; the quotients between both samples see its rise."""
    block = block_of(data, tmp_path, adversarial())
    make_critic_linear(block)
    stored = load_file(block.folder / files.CRITIC)
    middle = np.median(block.training_sample()[:, :, 0])
    for name in ("weight0", "bias0", "weight1", "bias1", "weight2", "bias2"):
        stored[name][:] = 0
    steep = 1000.0
    for unit, at in enumerate((middle, middle + 1 / steep)):
        stored["weight0"][:, 0, unit] = 1
        stored["bias0"][:, 0, unit] = -at
        stored["weight1"][:, unit, unit] = steep
        stored["weight2"][:, unit, 0] = 1 - 2 * unit
    save_file(stored, block.folder / files.CRITIC)
    x, y = block.training_sample(), block.generated(64)
    found, _ = CriticValue(generated=64, steps=0).measure(block)["lipschitz"]
    for member in range(len(SEEDS)):
        rise = np.abs((x[member, :, None, 0] > middle).astype(float) - (y[member, None, :, 0] > middle))
        assert found[member] >= 0.9 * (rise / cdist(x[member], y[member])).max() > 0


def test_training_on_raises_the_value_of_an_untrained_critic(data: Path, tmp_path: Path) -> None:
    block = block_of(data, tmp_path, adversarial("vanilla", "lp", steps=1))
    start, end = (CriticValue(generated=64, steps=steps).measure(block)["v"][0] for steps in (0, 100))
    assert (end > start + 0.1).all()
    assert (end < vanilla.SATURATION).all()
    np.testing.assert_array_equal(end, CriticValue(generated=64, steps=100).measure(block)["v"][0])


def test_only_a_logit_has_a_v(data: Path, tmp_path: Path) -> None:
    measured = CriticValue(generated=16, steps=1).measure(block_of(data, tmp_path, adversarial("wgan", "lp")))
    assert measured.keys() == {"lipschitz", "sample_w1", "half_diameter"}


def test_measuring_leaves_the_block_as_it_was(linear: TrainedBlock) -> None:
    before = {name: (linear.folder / name).read_bytes() for name in files.OUTPUTS}
    CriticValue(generated=16, steps=5).measure(linear)
    assert {name: (linear.folder / name).read_bytes() for name in files.OUTPUTS} == before
    assert json.loads(before[files.RUN])["status"] == {"0": "ok", "1": "ok"}

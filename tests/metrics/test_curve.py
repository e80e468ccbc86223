"""Curves whose distance to their sample is known: constructed ones, and a generator that is a straight line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import ot
import pytest
from safetensors.numpy import load_file, save_file

from tests.blocks import NET, SEEDS, N, adversarial, control, job, prepared, trained
from wgpipe.metrics.curve import Curve
from wgpipe.metrics.trace import Trace
from wgpipe.recipe import Recipe
from wgpipe.theory.walks import shortest_walk
from wgpipe.train import files
from wgpipe.train.evaluate import TrainedBlock

NAMES = {"walk_squared", "walk_speed", "curve_speed", "curve_w1", "curve_certificate", "curve_blur"}
START, STEP = np.array([[-1.0, 0.5], [0.0, -0.2]]), np.array([[2.0, 0.3], [0.4, 0.6]])  # of each member's line


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return prepared(tmp_path_factory.mktemp("cube"), "cube-2in2")


def block_of(data: Path, out: Path, recipe: Recipe, name: str = "toy") -> TrainedBlock:
    made = job(data, recipe, name)
    return TrainedBlock(made, trained(made, out))


def built(data: Path, out: Path, **settings: Any) -> TrainedBlock:
    return block_of(data, out, Recipe.model_validate({"method": {"name": "optimal_curve", **settings}}))


@pytest.fixture
def straight(data: Path, tmp_path: Path) -> TrainedBlock:
    """G(z) = START + STEP (z + 1)/2: the first unit passes z + 1, which is never negative."""
    recipe = adversarial("wgan", "lp").model_dump() | {"latent": "1", "generator": NET}
    block = block_of(data, tmp_path, Recipe.model_validate(recipe))
    stored = load_file(block.folder / files.GENERATOR)
    zeros = {name: np.zeros_like(value) for name, value in stored.items()}
    zeros["weight0"][:, 0, 0] = zeros["bias0"][:, 0, 0] = zeros["weight1"][:, 0, 0] = 1
    zeros["weight2"][:, 0], zeros["bias2"][:, 0] = STEP / 2, START
    save_file(zeros, block.folder / files.GENERATOR)
    return TrainedBlock(block.job, block.folder)


def test_a_constructed_curve_has_the_w1_of_the_formula(data: Path, tmp_path: Path) -> None:
    block = built(data, tmp_path, slack=3)
    measured = {name: column for name, (column, _) in Curve(cells=4).measure(block).items()}
    assert measured.keys() == NAMES
    for member, sample in enumerate(block.training_sample()):
        walk = shortest_walk(sample)
        assert measured["walk_squared"][member] == pytest.approx(walk.squared_length)
        assert measured["walk_speed"][member] == pytest.approx(walk.least_speed)
        assert measured["curve_speed"][member] == pytest.approx(3 * walk.least_speed)
        assert measured["curve_w1"][member] == pytest.approx(walk.squared_length / (12 * walk.least_speed), rel=1e-9)
    np.testing.assert_allclose(measured["curve_certificate"], measured["curve_w1"], rtol=1e-9)
    np.testing.assert_allclose(measured["curve_blur"], measured["curve_w1"] / 4, rtol=1e-9)


def test_a_trained_line_has_its_own_speed_and_the_w1_of_any_exact_solver(straight: TrainedBlock) -> None:
    measured = {name: column for name, (column, _) in Curve(chords=64).measure(straight).items()}
    np.testing.assert_allclose(measured["curve_speed"], np.linalg.norm(STEP, axis=1), rtol=1e-6)
    times = ((np.arange(4000) + 0.5) / 4000)[:, None]
    for member, sample in enumerate(straight.training_sample()):
        points = START[member] + times * STEP[member]
        costs = ot.dist(points, sample, metric="euclidean")
        exact = ot.emd2([], [], costs, numItermax=10**7)
        assert measured["curve_w1"][member] == pytest.approx(exact, rel=1e-3)
        assert measured["curve_certificate"][member] == pytest.approx(costs.min(axis=1).mean(), rel=1e-3)
        assert measured["curve_blur"][member] == pytest.approx(np.linalg.norm(STEP[member]) / (4 * 64 * N), rel=1e-6)


def test_it_is_nearer_to_no_sample_than_the_formula_allows(data: Path, tmp_path: Path, straight: TrainedBlock) -> None:
    for number, block in enumerate([straight, built(data, tmp_path / "other")]):
        measured = {name: column for name, (column, _) in Curve().measure(block).items()}
        assert (measured["curve_certificate"] <= measured["curve_w1"] * (1 + 1e-9)).all(), number
        fits = measured["curve_speed"] >= measured["walk_speed"] * (1 - 1e-9)
        best = measured["walk_squared"] / (4 * measured["curve_speed"])
        assert (measured["curve_w1"][fits] >= best[fits] * (1 - 1e-9)).all()


def test_large_samples_have_their_walks_and_no_transport(data: Path, tmp_path: Path) -> None:
    measured = Curve(largest=N - 1).measure(built(data, tmp_path))
    assert measured.keys() == {"walk_squared", "walk_speed", "curve_speed"}


def test_the_protocol_names_what_matters_to_a_number(data: Path, tmp_path: Path, straight: TrainedBlock) -> None:
    known, learned = Curve().measure(built(data, tmp_path / "other")), Curve().measure(straight)
    assert (known["curve_w1"][1], learned["curve_w1"][1]) == ("curve[cells=16]", "curve[chords=64n]")
    assert known["walk_squared"][1] == learned["walk_squared"][1] == "curve[walk]"


def test_a_generator_that_is_not_finite_has_no_numbers(straight: TrainedBlock) -> None:
    stored = load_file(straight.folder / files.GENERATOR)
    stored["bias2"][1] = np.nan
    save_file(stored, straight.folder / files.GENERATOR)
    measured = Curve().measure(TrainedBlock(straight.job, straight.folder))
    for name in ("curve_speed", "curve_w1", "curve_certificate", "curve_blur"):
        assert np.isnan(measured[name][0]).tolist() == [False, True]
    assert np.isfinite(measured["walk_squared"][0]).all()


@pytest.mark.parametrize("change", [{"latent": "2"}, {"latent": "1", "prior": "normal"}])
def test_what_is_no_curve_of_finite_speed_has_nothing(data: Path, tmp_path: Path, change: dict[str, str]) -> None:
    recipe = Recipe.model_validate(adversarial("wgan", "lp").model_dump() | change)
    block = block_of(data, tmp_path, recipe)
    assert Curve().measure(block) == Trace(n=N).measure(block) == {}


def test_controls_that_are_no_curves_have_nothing(data: Path, tmp_path: Path) -> None:
    block = block_of(data, tmp_path, control("empirical"))
    assert Curve().measure(block) == Trace(n=N).measure(block) == {}


def test_a_trace_follows_the_curve_and_holds_the_sample(data: Path, tmp_path: Path, straight: TrainedBlock) -> None:
    drawn = {name: column for name, (column, _) in Trace(n=N, chords=4).measure(straight).items()}
    assert len(drawn) == 2 * (5 + N)
    for place in range(5):
        expected = START + STEP * place / 4
        found = np.stack([drawn[f"trace_{axis}:{place}"] for axis in "xy"], axis=1)
        np.testing.assert_allclose(found, expected, atol=1e-6)
    np.testing.assert_array_equal(drawn["trace_sample_y:3"], straight.training_sample()[:, 3, 1])
    corners = Trace(n=N).measure(built(data, tmp_path / "other"))
    assert len(corners) == 2 * (3 * N + N)


def test_only_samples_of_the_size_asked_for_are_drawn(straight: TrainedBlock) -> None:
    assert Trace(n=N + 1).measure(straight) == {}


def test_points_along_a_curve_are_those_that_its_generator_makes(straight: TrainedBlock) -> None:
    """The same network, at the latent points of the times."""
    points = straight.along(np.array([0.0, 0.5, 1.0]))
    assert points is not None
    assert points.dtype == np.float64
    np.testing.assert_allclose(points, START[:, None] + STEP[:, None] * np.array([0, 0.5, 1])[:, None], atol=1e-6)
    on_line = straight.generated(50) - START[:, None]
    crossed = on_line[..., 0] * STEP[:, None, 1] - on_line[..., 1] * STEP[:, None, 0]
    np.testing.assert_allclose(crossed, 0, atol=1e-5)
    assert len(points) == len(SEEDS)

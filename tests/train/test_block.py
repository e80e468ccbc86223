"""A trained block is a folder of four files whose bytes follow from the recipe, the data and the code alone."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.numpy import load_file

from tests.blocks import SEEDS, N, adversarial, control, job, prepared, trained
from wgpipe.data.prepared import load
from wgpipe.errors import UserError
from wgpipe.recipe import Recipe
from wgpipe.rng import sample_stream
from wgpipe.train import files
from wgpipe.train import job as jobs
from wgpipe.train.bundle import train
from wgpipe.train.device import reserved_device
from wgpipe.train.evaluate import TrainedBlock


@pytest.fixture(scope="module")
def surface(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return prepared(tmp_path_factory.mktemp("surface"))


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return prepared(tmp_path_factory.mktemp("digits"), "digits")


def run_of(out: Path) -> dict[str, object]:
    content: dict[str, object] = json.loads((out / files.RUN).read_text())
    return content


@pytest.mark.parametrize(
    "recipe",
    [adversarial(), adversarial("wgan", "lp", steps=120), control("gaussian"), control("oracle")],
    ids=["vanilla", "wgan-lp", "gaussian", "oracle"],
)
def test_training_twice_gives_the_same_bytes_in_every_file(recipe: Recipe, surface: Path, tmp_path: Path) -> None:
    """In other folders, at other times: so none of them holds a path or a clock."""
    first, second = (trained(job(surface, recipe), tmp_path / name) for name in ("a", "b"))
    for name in files.OUTPUTS:
        assert (first / name).read_bytes() == (second / name).read_bytes()
    assert {path.name for path in first.iterdir()} == {*files.OUTPUTS}
    assert {path.name for path in first.parent.iterdir()} == {files.block(N), files.BUNDLE, files.COST}
    assert (first.parent / files.BUNDLE).read_bytes() == (second.parent / files.BUNDLE).read_bytes()


@pytest.mark.parametrize(("path", "recorded"), [("auto", "analytic"), ("autograd", "autograd")])
def test_the_record_tells_what_the_block_depends_on(path: str, recorded: str, surface: Path, tmp_path: Path) -> None:
    made = job(surface, adversarial(), name="vanilla-none")
    run = run_of(trained(made, tmp_path, path))
    card, _ = load(surface)
    facts = {"dataset": "surface-2in3", "recipe": "vanilla-none", "n": N, "seeds": [0, 1], "data": card.checksums}
    assert facts.items() <= run.items()
    assert made.identity().items() <= run.items()
    assert run["status"] == {"0": "ok", "1": "ok"}
    assert run["stopped_at"] == {"0": 20, "1": 20}
    assert run["versions"] == {"torch": torch.__version__.partition("+")[0], "numpy": np.__version__}
    assert (run["device"], run["threads"], run["path"]) == ("cpu", 1, recorded)


def test_identity_changes_with_the_settings_the_data_and_the_code(
    surface: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = job(surface, adversarial())
    assert job(surface, adversarial()).identity() == made.identity()
    assert job(surface, adversarial(steps=21)).identity()["settings"] != made.identity()["settings"]
    assert job(surface, adversarial("wgan")).identity()["code"] != made.identity()["code"]
    monkeypatch.setattr(jobs, "training_code", lambda recipe, family: f"of {recipe.method.name} on {family}")
    assert made.identity()["code"] == "of vanilla on surface"


def test_history_has_the_mean_losses_of_each_member_in_each_chunk(surface: Path, tmp_path: Path) -> None:
    table = pd.read_parquet(trained(job(surface, adversarial(steps=120)), tmp_path) / files.HISTORY)
    assert table[["step", "seed"]].to_numpy().tolist() == [[100, 0], [100, 1], [120, 0], [120, 1]]
    assert table["critic_loss"].between(0, 2).all(), "two cross-entropies: 2 log 2 at a critic that knows nothing"
    assert table["generator_loss"].between(0, 5).all()


def test_training_samples_are_those_of_the_streams_nested_and_shared(surface: Path) -> None:
    made = job(surface, adversarial())
    _, arrays = load(surface)
    expected = [made.dataset.training_sample(arrays, sample_stream("surface-2in3", seed), N) for seed in SEEDS]
    np.testing.assert_array_equal(made.sample(), np.stack(expected))
    np.testing.assert_array_equal(job(surface, control("oracle"), n=7).sample(), made.sample()[:, :7])
    np.testing.assert_array_equal(job(surface, adversarial(), seeds=(1, 2)).sample()[0], made.sample()[1])


@pytest.mark.parametrize("method", ["oracle", "empirical", "gaussian"])
def test_a_control_is_fitted_without_training(method: str, surface: Path, tmp_path: Path) -> None:
    made = job(surface, control(method))
    folder = trained(made, tmp_path)
    run = run_of(folder)
    assert run["status"] == {"0": "ok", "1": "ok"}
    assert run["stopped_at"] == {"0": 0, "1": 0}
    assert (run["path"], run["device"]) == ("control", "cpu")
    assert load_file(folder / files.CRITIC) == {}
    assert list(pd.read_parquet(folder / files.HISTORY)) == ["step", "seed", "critic_loss", "generator_loss"]
    stored = load_file(folder / files.GENERATOR)
    sample = made.sample()
    if method == "empirical":
        np.testing.assert_array_equal(stored["sample"], sample)
    if method == "gaussian":
        np.testing.assert_allclose(stored["mean"], sample.mean(axis=1), rtol=1e-12)
    if method == "oracle":
        assert stored == {}


def test_a_block_out_of_time_is_stored_as_it_stands(surface: Path, tmp_path: Path) -> None:
    out = trained(job(surface, adversarial(steps=300, max_minutes=1e-9)), tmp_path)
    assert run_of(out)["status"] == {"0": "timeout", "1": "timeout"}
    assert run_of(out)["stopped_at"] == {"0": 100, "1": 100}
    assert all(np.isfinite(value).all() for value in load_file(out / files.GENERATOR).values())


def test_a_block_that_ends_late_is_still_complete(surface: Path, tmp_path: Path) -> None:
    """The budget stops a training; it does not judge one that is done."""
    out = trained(job(surface, adversarial(steps=20, max_minutes=1e-9)), tmp_path)
    assert run_of(out)["status"] == {"0": "ok", "1": "ok"}


def test_members_whose_losses_overflow_are_recorded_as_diverged(surface: Path, tmp_path: Path) -> None:
    wild = adversarial("wgan", steps=200, critic_rate=1e30)
    folder = trained(job(surface, wild), tmp_path)
    run = run_of(folder)
    assert run["status"] == {"0": "diverged", "1": "diverged"}
    assert run["stopped_at"] == {"0": 100, "1": 100}
    table = pd.read_parquet(folder / files.HISTORY)
    assert table[["critic_loss", "generator_loss"]].isna().all(axis=None)


def test_a_gpu_that_is_not_there_is_a_users_mistake(
    surface: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(
        UserError, match=r"^device = 'cuda', and this machine has no CUDA device; accepted: auto, cpu\.$"
    ):
        train(tmp_path, [job(surface, adversarial())], threads=1, device="cuda")
    assert list(tmp_path.iterdir()) == []
    with reserved_device("auto") as device:
        assert device == torch.device("cpu")


def test_all_methods_are_measured_on_the_same_real_points(surface: Path, tmp_path: Path) -> None:
    made = [adversarial(), control("oracle"), control("gaussian")]
    blocks = [
        TrainedBlock(job(surface, recipe), trained(job(surface, recipe), tmp_path / str(i)))
        for i, recipe in enumerate(made)
    ]
    real = [seen.real(30) for seen in blocks]
    assert real[0].shape == (2, 30, 3)
    np.testing.assert_array_equal(real[0], real[1])
    np.testing.assert_array_equal(real[0], real[2])
    np.testing.assert_array_equal(real[0][:, :10], blocks[0].real(10))
    assert not np.isin(real[0], blocks[0].training_sample()).any()
    for seen in blocks:
        points = seen.generated(25)
        assert points.shape == (2, 25, 3)
        assert points.dtype == np.float64
        np.testing.assert_array_equal(points, seen.generated(25))
        assert not np.isin(points, real[0]).any()
        assert not np.isin(points[0], points[1]).any()


def test_a_finite_dataset_caps_what_is_measured(digits: Path, tmp_path: Path) -> None:
    for name in ("oracle", "empirical"):
        made = job(digits, control(name))
        seen = TrainedBlock(made, trained(made, tmp_path / name))
        assert seen.real(4096).shape == (2, 599, 64)
        assert seen.generated(4096).shape == (2, 1198, 64)
        assert seen.real(100).shape == seen.generated(100).shape == (2, 100, 64)


def test_the_population_stands_where_training_ended(surface: Path, tmp_path: Path) -> None:
    made = job(surface, adversarial())
    folder = trained(made, tmp_path)
    population = TrainedBlock(made, folder).population()
    for side, file in ((population.generator, files.GENERATOR), (population.critic, files.CRITIC)):
        stored = load_file(folder / file)
        assert side.params.keys() == stored.keys()
        for name, value in side.params.items():
            np.testing.assert_array_equal(value.detach().numpy(), stored[name])

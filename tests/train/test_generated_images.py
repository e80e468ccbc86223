"""What a trained block generates, as images: piece by piece, with the numbers of all at once."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.blocks import control, job, prepared, trained
from tests.extractors import stripes
from wgpipe import registry
from wgpipe.data.pixels import to_bytes
from wgpipe.extractors import reference
from wgpipe.extractors.reference import FeatureFiles
from wgpipe.recipe import Recipe
from wgpipe.train import evaluate
from wgpipe.train.evaluate import TrainedBlock

DCGAN = {"name": "dcgan", "width": 4}
SEEDS = tuple(range(8))


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    registry.add_files("dataset", {"stripes": stripes.__file__})
    return prepared(tmp_path_factory.mktemp("stripes"), "stripes")


def networks() -> Recipe:
    short: dict[str, Any] = {"steps": 2, "batch": 32, "checkpoint_steps": 100}
    return Recipe.model_validate(
        {"method": {"name": "vanilla"}, "generator": DCGAN, "critic": DCGAN, "training": short}
    )


RECIPES = {"dcgan": networks, "gaussian": lambda: control("gaussian"), "oracle": lambda: control("oracle")}


@pytest.fixture(params=RECIPES)
def block(request: pytest.FixtureRequest, data: Path, tmp_path: Path) -> TrainedBlock:
    made = job(data, RECIPES[request.param](), request.param, seeds=SEEDS)
    return TrainedBlock(made, trained(made, tmp_path / "block"))


def test_they_are_the_generated_points_as_bytes(block: TrainedBlock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluate, "AT_ONCE", 64)
    points = block.generated(150)
    assert (points.shape, points.dtype) == ((8, 150, 64), np.float64)
    np.testing.assert_array_equal(block.generated_images(150), to_bytes(points, (1, 8, 8)))
    assert block.finite(150).tolist() == [True] * 8


def test_there_are_no_more_than_a_finite_dataset_has_to_train_on(block: TrainedBlock) -> None:
    assert block.generated_images(1000).shape == (8, 640, 1, 8, 8)


def test_all_of_them_never_lie_in_memory_in_double_precision(
    block: TrainedBlock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evaluate, "AT_ONCE", 40)
    block.generated_images(8)
    assert peak(lambda: block.generated_images(640)) < len(SEEDS) * 640 * 64 * np.dtype(np.float64).itemsize


def test_networks_compute_on_the_device_that_is_reserved(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, asked = job(data, networks(), "dcgan", seeds=SEEDS), []

    @contextmanager
    def reserved(device: str) -> Iterator[torch.device]:
        asked.append(device)
        yield torch.device("meta" if device == "cuda" else "cpu")

    monkeypatch.setattr(reference, "reserved_device", reserved)
    folder = trained(made, tmp_path / "block")
    seen = {device: TrainedBlock(made, folder, FeatureFiles(tmp_path, tmp_path, device)) for device in ("auto", "cuda")}
    expected = TrainedBlock(made, folder).generated_images(20)
    np.testing.assert_array_equal(seen["auto"].generated_images(20), expected)
    with pytest.raises(NotImplementedError, match="meta"):
        seen["cuda"].generated_images(20)
    assert asked == ["auto", "cuda"]


def peak(work: Callable[[], object]) -> int:
    """Bytes that arrays take at most."""
    tracemalloc.start()
    work()
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return most

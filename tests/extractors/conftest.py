from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from tests.blocks import prepared
from tests.extractors import stripes
from wgpipe import registry
from wgpipe.data import dataset
from wgpipe.extractors.classifier_training import write_classifier
from wgpipe.extractors.reference import FeatureFiles
from wgpipe.fetch import fetch


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    """As the command line has it: threads that wait for each other would take most of the time."""
    torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def own(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests' datasets are known as if the user had named their file."""
    register_stripes()


def register_stripes() -> None:
    for name in ("stripes", "bare"):
        registry.add_files("dataset", {name: stripes.__file__})


@pytest.fixture(scope="session")
def striped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The prepared dataset, a classifier trained on it, and the downloaded weights of EfficientNet-Lite0."""
    register_stripes()
    folder = tmp_path_factory.mktemp("stripes")
    data = prepared(folder, "stripes")
    write_classifier(data, folder / "features" / "classifier")
    return data


@pytest.fixture(scope="session")
def files(striped: Path, efflite0: Path) -> FeatureFiles:
    return FeatureFiles(striped.parent / "features", efflite0.parent)


@pytest.fixture(scope="session")
def efflite0(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The weights of EfficientNet-Lite0."""
    from wgpipe.extractors.efflite0 import SOURCE

    return fetch(SOURCE, tmp_path_factory.mktemp("downloads"), None, progress=False)


@pytest.fixture(scope="session")
def mnist(mirror: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, np.ndarray]:
    """Arrays of mnist-14x14."""
    chosen, folder = dataset("mnist-14x14"), tmp_path_factory.mktemp("mnist")
    return chosen.prepare({source.file: fetch(source, folder, mirror, progress=False) for source in chosen.sources()})

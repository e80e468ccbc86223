"""The pass of images through a network: weights are loaded once, and a device is asked for."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import torch

from wgpipe.cli import main
from wgpipe.errors import UserError
from wgpipe.extractors import extraction, extractor
from wgpipe.extractors.classifier import Classifier
from wgpipe.extractors.extraction import extract
from wgpipe.extractors.reference import FeatureFiles, write_features
from wgpipe.hashes import sha256

CLASSIFIER = extractor("classifier")
PICTURES = np.random.default_rng(0).integers(0, 256, (40, 1, 8, 8), dtype=np.uint8)


@pytest.fixture
def weights(striped: Path, tmp_path: Path) -> Path:
    """Those of a trained classifier, at a place of their own."""
    return Path(shutil.copy(striped.parent / "features" / "classifier" / "weights.safetensors", tmp_path))


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Files that were loaded."""
    loaded: list[Path] = []
    load = Classifier.load
    monkeypatch.setattr(Classifier, "load", lambda self, file: loaded.append(file) or load(self, file))
    return loaded


def test_weights_are_loaded_once_a_process(weights: Path, loads: list[Path]) -> None:
    first, second = (extract(CLASSIFIER, weights, PICTURES) for _ in range(2))
    assert loads == [weights]
    assert {name: values.tobytes() for name, values in first.items()} == {
        name: values.tobytes() for name, values in second.items()
    }


def test_a_file_that_has_changed_is_checked_anew(weights: Path, loads: list[Path]) -> None:
    digest = sha256(weights)
    extract(CLASSIFIER, weights, PICTURES, digest)
    weights.write_bytes(weights.read_bytes()[:-1] + b"\1")
    with pytest.raises(UserError, match=f"the weights of extractor 'classifier' have {digest}; delete it"):
        extract(CLASSIFIER, weights, PICTURES, digest)
    weights.unlink()
    with pytest.raises(UserError, match="does not exist"):
        extract(CLASSIFIER, weights, PICTURES, digest)
    assert loads == [weights]


def test_batches_are_put_together_in_order(weights: Path) -> None:
    whole = extract(CLASSIFIER, weights, PICTURES)
    assert {name: (values.shape, values.dtype) for name, values in whole.items()} == {
        "64": ((40, 64), np.float32),
        "logits": ((40, 2), np.float32),
    }
    for start in (0, 16, 32):
        part = extract(CLASSIFIER, weights, PICTURES[start : start + extraction.BATCH])
        for name, values in part.items():
            np.testing.assert_array_equal(whole[name][start : start + extraction.BATCH], values)


@pytest.mark.parametrize("device", ["auto", "cpu"])
def test_the_device_of_the_files_reaches_the_pass(
    device: str, striped: Path, files: FeatureFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    @contextmanager
    def reserved(name: str) -> Iterator[torch.device]:
        asked.append(name)
        yield torch.device("cpu")

    monkeypatch.setattr(extraction, "reserved_device", reserved)
    shutil.copytree(files.folder, tmp_path / "features")
    write_features(striped, "classifier", FeatureFiles(tmp_path / "features", files.downloads, device), 30)
    assert asked == [device, device]


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is one")
def test_without_a_cuda_device_auto_is_the_cpu_and_cuda_is_refused(
    striped: Path, files: FeatureFiles, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = {}
    for device in ("cpu", "auto", "cuda"):
        folder = shutil.copytree(files.folder, tmp_path / device)
        where = ["--data", str(striped), "--features", str(folder), "--downloads", str(files.downloads)]
        code = main(["features", *where, "--extractor", "classifier", "--count", "30", "--device", device])
        made[device] = code, (folder / "classifier" / "features.safetensors")
    assert [code for code, _ in made.values()] == [0, 0, 2]
    assert made["cpu"][1].read_bytes() == made["auto"][1].read_bytes()
    assert "this machine has no CUDA device" in capsys.readouterr().err
